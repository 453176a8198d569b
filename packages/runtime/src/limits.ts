/** Every wait, queue and count of a Runtime has a name here. Durations in milliseconds. */
export interface RuntimeLimits {
  /** Worker streams that may be open at once. */
  readonly streams: number;
  /** How long an announced worker may take to connect. */
  readonly connectMs: number;
  /** How long a stream may stay silent before its first message. */
  readonly startStreamMs: number;
  /** Workers that may wait for an app on this Runtime. */
  readonly placeholders: number;
  /** How long a placeholder may take to answer WorkerInitRequest. */
  readonly placeholderInitMs: number;
  /** How long a worker that is to announce its app may take for that. */
  readonly announceMs: number;
  /** How long it may take to find out whether a worker may serve the app that it was told of. */
  readonly specializeMs: number;
  /** Messages of a worker that wait while it is moved to its app; then its stream is paused. */
  readonly parkedMessages: number;
  /** How long a worker may take for its function index. */
  readonly metadataMs: number;
  /** How long a worker may take to load all functions, when functionTimeout is no longer than that. */
  readonly loadMs: number;
  /** The pause between two status requests to a worker. */
  readonly heartbeatMs: number;
  /** After so many silent heartbeats in a row a worker counts as dead (idle) or unhealthy (busy). */
  readonly heartbeatMisses: number;
  /** How long a worker whose stream dropped may take to come back before another one is asked for. */
  readonly replacementMs: number;
  /** How long the sidecar of a worker may take to say whether it starts the worker anew. */
  readonly restartAnswerMs: number;
  /** How long a worker that is started anew may take to come back before another one is asked for. */
  readonly restartMs: number;
  /** How long the end of a worker's process may take to be reported after its stream ended during the start. */
  readonly exitReportMs: number;
  /** How long the listeners of a new version wait for those of the old one to end. */
  readonly handOverMs: number;
  /** What a worker is told it has to end, and how long its stream stays open for that. */
  readonly terminateGraceMs: number;
  /** How long a worker that is gone stays visible in the status. */
  readonly departedMs: number;
  /** Invocations that may run on one worker at once. */
  readonly inFlightPerWorker: number;
  /** Invocations of one tenant that may run at once. */
  readonly inFlightPerTenant: number;
  /** Invocations that a tenant may start in one turn of the event loop while other tenants are at work. */
  readonly startsPerTurn: number;
  /** While tenants are at work beside each other, the busiest of them fill no more than this part of the event loop; 1 is all. */
  readonly busyShare: number;
  /** For so long after its last invocation a tenant counts as being at work. */
  readonly contentionMs: number;
  /** Invocations that may wait for a worker, per app. */
  readonly heldPerApplication: number;
  /** How long an invocation waits for the app's first worker. */
  readonly workerWaitMs: number;
  /** How long an invocation waits while every worker is connected but takes nothing. */
  readonly backPressureMs: number;
  /** Requests that may wait for an app whose functions are not known yet, per app. */
  readonly requestsBeforeIndex: number;
  /** The longest HTTP body that is held in memory, when the app's settings name no other. */
  readonly requestBodyBytes: number;
  /** What the HTTP bodies of all apps together may hold in memory. */
  readonly bufferedBodyBytes: number;
  /** The longest HTTP body that is kept, so that a function with a retry policy can be tried again with what is streamed to it. */
  readonly retriedBodyBytes: number;
  /** How long a body waits for room. */
  readonly bodyWaitMs: number;
  /** Bodies that may wait for room. */
  readonly waitingBodies: number;
  /** The longest pause within an HTTP body that is being read. */
  readonly requestBodyPauseMs: number;
  /** How long the sender of a body that nobody reads may go on, after its response was written. */
  readonly unreadBodyMs: number;
  /** The last stderr lines of a worker that an error quotes. */
  readonly stderrLines: number;
  /** Names of custom metrics per app; the rest is counted under `other`. */
  readonly customMetricNames: number;
  /** Functions of one app. */
  readonly functionsPerApplication: number;
  /** The pause between two looks at the memory. */
  readonly memoryCheckMs: number;
  /** Code versions of one app that share a JobHost. */
  readonly versionsPerJobHost: number;
}

/** What an app can notice is as in the official host; the rest bounds what one app can take from the others. */
export const defaultLimits: RuntimeLimits = {
  streams: 10_000,
  connectMs: 60_000,
  startStreamMs: 30_000,
  metadataMs: 60_000,
  loadMs: 60_000,
  heartbeatMs: 15_000,
  heartbeatMisses: 3,
  replacementMs: 1_000,
  restartAnswerMs: 10_000,
  restartMs: 45_000,
  exitReportMs: 3_000,
  handOverMs: 2_000,
  terminateGraceMs: 5_000,
  departedMs: 300_000,
  inFlightPerWorker: 4_096,
  inFlightPerTenant: 20_000,
  startsPerTurn: 1,
  busyShare: 0.5,
  contentionMs: 10_000,
  heldPerApplication: 1_000,
  workerWaitMs: 30_000,
  backPressureMs: 5_000,
  requestsBeforeIndex: 1_000,
  requestBodyBytes: 104_857_600,
  bufferedBodyBytes: 512 * 1_048_576,
  retriedBodyBytes: 1_048_576,
  bodyWaitMs: 30_000,
  waitingBodies: 1_000,
  requestBodyPauseMs: 60_000,
  unreadBodyMs: 5_000,
  stderrLines: 20,
  customMetricNames: 200,
  functionsPerApplication: 10_000,
  placeholders: 1_000,
  placeholderInitMs: 120_000,
  announceMs: 60_000,
  specializeMs: 30_000,
  parkedMessages: 256,
  memoryCheckMs: 10_000,
  versionsPerJobHost: 20,
};
