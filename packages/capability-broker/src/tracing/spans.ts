/**
 * Spans of one process: what the broker does for a request, and what a host does for a call, in the trace of the function
 * that asked (W3C Trace Context).
 *
 * Ownership: broker and host own one each. A host's spans are taken by the broker when it asks the host how it is.
 *
 * I1 A span continues the trace of the `traceparent` it began with, under a span id of its own; without one, or with a broken
 *    one, nothing is recorded and the text is handed on as it is.
 * I2 Spans of traces that are not sampled are handed on and not recorded.
 * I3 No more than `maxKept` finished spans wait to be taken; the oldest goes first.
 */
import type { Clock, Random } from '@switchyard/kernel';

/** A finished span, as it travels from a host to the broker. */
export interface SpanRecord {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  /** `capability.acquire`, or `<capability>.<method>`. */
  readonly name: string;
  /** Epoch milliseconds. */
  readonly startMs: number;
  readonly durationMs: number;
  /** The code of the error that it ended with; empty when it went well. */
  readonly error: string;
}

/** A span that goes on. */
export interface OpenSpan {
  /** What goes on to whoever is asked next. */
  readonly traceparent: string;
  /** `error` is the code that it failed with. */
  end(error?: string): void;
}

/** Finished spans that wait to be taken. */
const maxKept = 1_000;
const spanBytes = 8;
const sampled = 1;
const traceparentPattern = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
const zeros = /^0+$/;

export class Spans {
  readonly #deps: { readonly clock: Clock; readonly random: Pick<Random, 'bytes'> };
  #finished: SpanRecord[] = [];

  constructor(deps: { readonly clock: Clock; readonly random: Pick<Random, 'bytes'> }) {
    this.#deps = deps;
  }

  begin(name: string, traceparent: string): OpenSpan {
    const [, traceId = '', parentSpanId = '', flags = ''] = traceparentPattern.exec(traceparent) ?? [];
    if (traceId === '' || zeros.test(traceId) || zeros.test(parentSpanId)) return { traceparent, end: () => {} };
    const isSampled = (Number.parseInt(flags, 16) & sampled) === sampled;
    if (!isSampled) return { traceparent, end: () => {} };
    const { clock, random } = this.#deps;
    const spanId = Buffer.from(random.bytes(spanBytes)).toString('hex');
    const startMs = clock.now();
    const beganMs = clock.monotonic();
    return {
      traceparent: `00-${traceId}-${spanId}-${flags}`,
      end: (error = '') => {
        const durationMs = clock.monotonic() - beganMs;
        this.#finished.push({ traceId, spanId, parentSpanId, name, startMs, durationMs, error });
        if (this.#finished.length > maxKept) this.#finished.shift();
      },
    };
  }

  /** What has finished since the last time. */
  take(): SpanRecord[] {
    const finished = this.#finished;
    this.#finished = [];
    return finished;
  }
}

/** What a host sent, as far as it is spans: hosts are not trusted to send nothing else. */
export function readSpans(value: unknown): SpanRecord[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, maxKept).filter(isSpan);
}

function isSpan(value: unknown): value is SpanRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { traceId, spanId, parentSpanId, name, startMs, durationMs, error } = value as Partial<SpanRecord>;
  const texts = [traceId, spanId, parentSpanId, name, error];
  return (
    texts.every((text) => typeof text === 'string' && text.length <= 200) &&
    typeof startMs === 'number' &&
    typeof durationMs === 'number'
  );
}
