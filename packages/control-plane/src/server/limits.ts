/** The largest JSON body: settings of 2,000 values are larger than any other. */
export const maxJsonBytes = 8 * 1024 * 1024;

/** How long a body may pause. */
export const bodyIdleMs = 30_000;

/** How long an operation may take. */
export const operationTimeoutMs = 60_000;

/** How long a function that was invoked may take, as the gateway's own limit for HTTP has it. */
export const invokeTimeoutMs = 240_000;

/** Streams of events that may be open at once. */
export const maxEventStreams = 200;

/** How much of a refused body is read to its end, and for how long, so that the caller gets to read the refusal. */
export const maxUnreadBytes = 64 * 1024 * 1024;
export const unreadBodyMs = 10_000;
