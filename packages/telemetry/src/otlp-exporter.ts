/**
 * Sends spans and metrics to an OpenTelemetry collector, over HTTP in JSON.
 *
 * Phases: Exporting -> Closed. Ownership: one per process; the composition root opens and closes it.
 *
 * I1 Whoever reports never waits and never sees a fault: what finds no place is dropped, and counted.
 * I2 At most one request for spans and one for metrics are under way.
 * I3 What could not be sent is tried again, later and later; a collector that refuses it for good makes it dropped.
 * I4 `close` sends what is left, for a bounded time.
 */
import {
  type BackoffOptions,
  backoffMs,
  type Clock,
  type Log,
  messageOf,
  type Random,
  type Span,
  type SpanSink,
  settlesWithin,
  type Timer,
} from '@switchyard/kernel';
import type { MemoryMeter } from './memory-meter.ts';
import { type OtlpResource, toOtlpMetrics, toOtlpTraces } from './otlp-json.ts';

/** Makes a POST with a JSON body; rejects when there is no answer. */
export type OtlpPost = (url: string, body: string, signal: AbortSignal) => Promise<{ readonly status: number }>;

export interface OtlpExporterDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly meter: Pick<MemoryMeter, 'snapshot'>;
  readonly post: OtlpPost;
}

export interface OtlpExporterOptions {
  /** Where the collector is; `/v1/traces` and `/v1/metrics` are appended. */
  readonly endpoint: string;
  readonly resource: OtlpResource;
}

export const otlpLimits = {
  /** Spans that wait to be sent. */
  maxSpans: 8_192,
  maxSpansPerRequest: 512,
  spansEveryMs: 2_000,
  metricsEveryMs: 30_000,
  requestMs: 10_000,
  closeMs: 3_000,
} as const;

const retryBackoff: BackoffOptions = { minimumMs: 1_000, maximumMs: 60_000, factor: 2, jitter: 0.2 };

export class OtlpExporter implements SpanSink {
  readonly #deps: OtlpExporterDeps;
  readonly #options: OtlpExporterOptions;
  readonly #startMs: number;
  readonly #stop = new AbortController();
  readonly #timers = new Map<'spans' | 'metrics', Timer>();
  #spans: Span[] = [];
  #sending: Promise<void> = Promise.resolve();
  #isSending = false;
  #failures = 0;
  #dropped = 0;

  /** Starts at once. */
  constructor(deps: OtlpExporterDeps, options: OtlpExporterOptions) {
    this.#deps = deps;
    this.#options = { ...options, endpoint: options.endpoint.replace(/\/+$/, '') };
    this.#startMs = deps.clock.now();
    this.#plan('spans', otlpLimits.spansEveryMs);
    this.#plan('metrics', otlpLimits.metricsEveryMs);
  }

  /** Spans that were lost. */
  get dropped(): number {
    return this.#dropped;
  }

  ended(span: Span): void {
    if (this.#stop.signal.aborted || this.#spans.length >= otlpLimits.maxSpans) this.#dropped += 1;
    else this.#spans.push(span);
  }

  /** Sends what is left, and stops. */
  async close(): Promise<void> {
    for (const timer of this.#timers.values()) timer.cancel();
    const { clock } = this.#deps;
    await settlesWithin(
      clock,
      otlpLimits.closeMs,
      this.#sending.then(() => this.#sendAll()),
    );
    this.#stop.abort();
  }

  #plan(what: 'spans' | 'metrics', delayMs: number): void {
    if (this.#stop.signal.aborted) return;
    const send = what === 'spans' ? () => this.#beginSpans() : () => void this.#sendMetrics();
    this.#timers.set(what, this.#deps.clock.schedule(delayMs, send));
  }

  #beginSpans(): void {
    if (this.#isSending) return;
    this.#isSending = true;
    this.#sending = this.#sendSpans().finally(() => {
      this.#isSending = false;
      const { spansEveryMs } = otlpLimits;
      const waitMs = this.#failures === 0 ? 0 : backoffMs(retryBackoff, this.#failures - 1, this.#deps.random);
      this.#plan('spans', Math.max(spansEveryMs, waitMs));
    });
  }

  async #sendAll(): Promise<void> {
    await this.#sendSpans();
    await this.#sendMetrics();
  }

  /** Sends batches until nothing waits or one fails. */
  async #sendSpans(): Promise<void> {
    while (this.#spans.length > 0) {
      const batch = this.#spans.slice(0, otlpLimits.maxSpansPerRequest);
      const outcome = await this.#post('traces', toOtlpTraces(batch, this.#options.resource));
      if (outcome === 'again') return;
      if (outcome === 'refused') this.#dropped += batch.length;
      this.#spans = this.#spans.slice(batch.length);
    }
  }

  async #sendMetrics(): Promise<void> {
    const { series } = this.#deps.meter.snapshot();
    const times = { startMs: this.#startMs, nowMs: this.#deps.clock.now() };
    if (series.length > 0) await this.#post('metrics', toOtlpMetrics(series, this.#options.resource, times));
    this.#plan('metrics', otlpLimits.metricsEveryMs);
  }

  /** `refused`: the collector does not want it, now or later. */
  async #post(path: 'traces' | 'metrics', body: unknown): Promise<'sent' | 'refused' | 'again'> {
    const abort = new AbortController();
    const timer = this.#deps.clock.schedule(otlpLimits.requestMs, () => abort.abort());
    try {
      const url = `${this.#options.endpoint}/v1/${path}`;
      const { status } = await this.#deps.post(url, JSON.stringify(body), abort.signal);
      if (status >= 200 && status < 300) {
        this.#failures = 0;
        return 'sent';
      }
      return this.#failed(`it answered ${status}`, status >= 400 && status < 500 && status !== 429 && status !== 408);
    } catch (thrown) {
      return this.#failed(messageOf(thrown), false);
    } finally {
      timer.cancel();
    }
  }

  /** An outage is told of once, until something was sent again. */
  #failed(reason: string, isFinal: boolean): 'refused' | 'again' {
    const { endpoint } = this.#options;
    this.#failures += 1;
    if (this.#failures === 1) {
      this.#deps.log.write('warning', 'The collector takes no telemetry', {
        category: 'Host.Telemetry',
        endpoint,
        reason,
      });
    }
    return isFinal ? 'refused' : 'again';
  }
}
