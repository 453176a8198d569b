/** Every queue, map and wait of the worker ends at one of these. */
export const workerLimits = {
  /** Invocations in flight; the host's own concurrency is far below. */
  invocationsInFlight: 65_536,
  /** Files that a pattern in package.json's `main` may make the worker look at. */
  entryPointFiles: 20_000,
  /** Alternatives that the braces of one pattern may stand for. */
  braceAlternatives: 1_024,
  /** Log lines that wait while the connection is congested; more are counted and dropped. */
  waitingLogs: 10_000,
  /** How long appTerminate hooks may take when the host names no grace period. */
  terminateGraceMs: 5_000,
  /** How long the last frames may take to leave before the process exits. */
  farewellMs: 1_000,
  /** How often it is looked whether they have left. */
  farewellStepMs: 10,
  /** How long the worker tries to reach the host. */
  connectMs: 30_000,
} as const;
