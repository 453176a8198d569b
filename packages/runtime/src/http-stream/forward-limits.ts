/** The waits of a forward, in milliseconds; the numbers are the official host's (DefaultHttpProxyService). */
export interface ForwardLimits {
  /** Connections that are tried for one request. */
  readonly connectTries: number;
  /** The pause after the first connection that failed; it doubles ... */
  readonly firstPauseMs: number;
  /** ... up to this. */
  readonly longestPauseMs: number;
  /** How long nothing may move on an exchange. */
  readonly activityMs: number;
  /** How long after the end of its invocation a worker may begin its answer. The official host has no such limit. */
  readonly answerMs: number;
}

export const defaultForwardLimits: ForwardLimits = {
  connectTries: 10,
  firstPauseMs: 50,
  longestPauseMs: 250,
  activityMs: 240_000,
  answerMs: 5_000,
};
