/** How long the body of a request may take. */
export const bodyMs = 30_000;

/** How much of a refused body is read to its end, so that the caller gets to read the refusal. */
export const maxUnreadBytes = 64 * 1024 * 1024;

/** Objects and lists inside one another in a body: deeper ones are no job. */
export const maxBodyDepth = 100;

/** How long `wait_seconds` may ask an answer to wait. */
export const maxWaitSeconds = 300;

/** Pages of `GET /jobs`. */
export const defaultPageSize = 100;
export const maxPageSize = 1_000;
/** Label filters of one query. */
export const maxLabelFilters = 32;

/** Streams of events that may be open at once. */
export const maxEventStreams = 200;

/** Characters of output in one event. */
export const maxEventCharacters = 64 * 1024;

/** How long what was heard of the container engine is believed. */
export const fingerprintMs = 2_000;
