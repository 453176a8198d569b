/** What is known of one version of an app at one moment: levels and rates, never events. */
export interface ScaleSignals {
  /** Workers that the app was given as its target, by the last decision or by the Runtime that woke it. */
  readonly wantedCount: number;
  /** Workers that take invocations now. */
  readonly readyCount: number;
  /** Workers that are on their way. */
  readonly startingCount: number;
  readonly functions: readonly FunctionLoad[];
  /** What waits outside, in queues and streams. */
  readonly sources: readonly SourceBacklog[];
  /** Mean share of its processor limit that a ready worker uses, 0 to 1; undefined where nobody measures it. */
  readonly cpuShare: number | undefined;
  /** Ready workers that take nothing at the moment: their stream is blocked, or their own limit is reached. */
  readonly blockedCount: number;
  /** Invocations that were refused since the last look, because nobody had room. */
  readonly refusedCount: number;
  /** Starts that failed in a row. */
  readonly startFailureCount: number;
  /** For how long nothing has run or waited. 0 while something does. */
  readonly quietMs: number;
}

/** The load of one function. */
export interface FunctionLoad {
  readonly name: string;
  /** Invocations that run on workers. */
  readonly runningCount: number;
  /** Invocations that wait for a worker. */
  readonly waitingCount: number;
  /** Invocations that came per second, lately. */
  readonly eventsPerSecond: number;
  /** How long one runs, on average; undefined before the first has ended. */
  readonly durationMs: number | undefined;
}

/** A queue or a stream that a listener reads. */
export interface SourceBacklog {
  readonly functionName: string;
  readonly messageCount: number;
  /** Age of the oldest message; undefined where the source does not tell. */
  readonly oldestMs: number | undefined;
  /** How many may wait for each worker, where the app says so. */
  readonly targetPerWorker?: number;
}

/** What holds when nothing happens. */
export const quietSignals: ScaleSignals = {
  wantedCount: 0,
  readyCount: 0,
  startingCount: 0,
  functions: [],
  sources: [],
  cpuShare: undefined,
  blockedCount: 0,
  refusedCount: 0,
  startFailureCount: 0,
  quietMs: 0,
};
