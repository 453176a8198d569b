/** Every queue, map and wait of the worker ends at one of these. */
export interface CustomWorkerLimits {
  /** Between two looks whether the handler takes connections, as in the official host. */
  readonly readyPollMs: number;
  /** Between SIGTERM and SIGKILL, when the host names no other time. */
  readonly terminationGraceMs: number;
  /** How long a reset connection may wait for the news that the handler has died of it. */
  readonly deathNoticeMs: number;
  /** What a client waits for beyond the app's functionTimeout as in the official host. */
  readonly timeoutMarginMs: number;
  /** Invocations in flight; more are refused. */
  readonly invocationsInFlight: number;
  /** The longest answer of a handler. */
  readonly replyBytes: number;
  /** How much of an answer an error quotes, in characters. */
  readonly quotedLength: number;
}

export const defaultCustomWorkerLimits: CustomWorkerLimits = {
  readyPollMs: 25,
  terminationGraceMs: 5_000,
  deathNoticeMs: 250,
  timeoutMarginMs: 60_000,
  invocationsInFlight: 8_192,
  replyBytes: 100 * 1024 * 1024,
  quotedLength: 2_048,
};
