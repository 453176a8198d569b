/** What commands wait for and take in, at most. */
export const controlLimits = {
  /** From a request to its whole answer. */
  answerMs: 60_000,
  /** Functions may run this long; the platform's own limit comes first. */
  invokeMs: 15 * 60_000,
  /** A package of the largest size over a slow line, and the work of storing it. */
  uploadMs: 60 * 60_000,
  /** A stream that is silent for this long is lost: the platform sends signs of life far more often. */
  silenceMs: 60_000,
  /** Tries in a row to get a lost stream back. */
  reconnectTries: 10,
  reconnect: { minimumMs: 100, maximumMs: 5_000, factor: 2, jitter: 0.2 },
  /** An answer of JSON. */
  maxAnswerBytes: 64 * 1024 ** 2,
  /** What a file or stdin may bring as an input of a function or as a value. */
  maxInputBytes: 32 * 1024 ** 2,
  /** Pages of a list. */
  maxPages: 1_000,
  /** Requests at a time. */
  parallelRequests: 8,
  /** control.json and files with tokens. */
  maxTokenFileBytes: 64 * 1024,
} as const;
