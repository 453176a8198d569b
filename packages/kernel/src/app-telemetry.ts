import type { LogRecord } from './log.ts';

/** Where the telemetry of one app goes. Nothing of it throws, and nobody waits for it, but for `close`. */
export interface AppTelemetry {
  /** A line of the app's log. */
  line(record: LogRecord): void;
  /** A worker is about to get an invocation: what is told of it from now on belongs to this part of a trace. */
  began(run: RunningFunction): void;
  /** One try of an invocation is over. */
  ended(run: FunctionRun): void;
  /** What a function measured itself. */
  measured(metric: TelemetryMetric): void;
  /** What the runs of a function were, added up. */
  aggregated(aggregate: FunctionAggregate): void;
  /** Sends what is left, for a bounded time. */
  close(): Promise<void>;
}

export interface RunningFunction {
  readonly invocationId: string;
  readonly functionName: string;
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
}

export interface FunctionRun extends RunningFunction {
  /** The caller's span; undefined when this one begins the trace. */
  readonly parentSpanId: string | undefined;
  /** Why it ran, in the official host's words. */
  readonly reason: string;
  /** Milliseconds since the Unix epoch. */
  readonly startMs: number;
  readonly durationMs: number;
  readonly error: { readonly message: string; readonly stack: string; readonly type: string } | undefined;
  /** False also where it was cancelled, or lost with its worker. */
  readonly isSuccess: boolean;
  /** The request and what it was answered with; undefined for events of other kinds. */
  readonly http: { readonly method: string; readonly url: string; readonly statusCode: number } | undefined;
}

export interface TelemetryMetric {
  readonly name: string;
  readonly value: number;
  readonly functionName: string;
  readonly invocationId: string;
  readonly properties: Readonly<Record<string, string>>;
}

export interface FunctionAggregate {
  readonly functionName: string;
  /** Milliseconds since the Unix epoch: when it began to be added up. */
  readonly sinceMs: number;
  readonly count: number;
  readonly successes: number;
  readonly failures: number;
  /** Percent. */
  readonly successRate: number;
  readonly averageDurationMs: number;
  readonly minimumDurationMs: number;
  readonly maximumDurationMs: number;
}
