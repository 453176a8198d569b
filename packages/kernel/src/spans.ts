/** One finished piece of work in a trace. */
export interface Span {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** The span that caused this one; undefined when it begins the trace. */
  readonly parentSpanId: string | undefined;
  readonly name: string;
  /** `server`: a caller waits for the answer; `consumer`: it took an event from somewhere. */
  readonly kind: 'server' | 'consumer' | 'internal';
  /** Milliseconds since the Unix epoch. */
  readonly startMs: number;
  readonly endMs: number;
  readonly isError: boolean;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Where finished spans go. Never throws and never waits. */
export interface SpanSink {
  ended(span: Span): void;
}
