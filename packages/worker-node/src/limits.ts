/** Every queue, map and wait of the worker ends at one of these. */
export const workerLimits = {
  /** Invocations in flight; the host's own concurrency is far below. */
  invocationsInFlight: 65_536,
  /** Files that a pattern in package.json's `main` may make the worker look at. */
  entryPointFiles: 20_000,
  /** Alternatives that the braces of one pattern may stand for. */
  braceAlternatives: 1_024,
  /** How long the worker tries to reach the host. */
  connectMs: 30_000,
} as const;
