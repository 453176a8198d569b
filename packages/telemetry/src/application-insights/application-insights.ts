/**
 * Sends what one app does to Application Insights: its log as traces and exceptions, its invocations as requests, its metrics.
 *
 * Phases: Idle <-> Waiting (something is queued, a timer runs) <-> Sending -> Closed. Ownership: the JobHost of the app opens and closes
 * one; the connection string is the app's own.
 *
 * I1 Whoever reports never waits and never sees a fault: what finds no place is dropped, counted, and told of once.
 * I2 At most one request is under way; the queue is bounded in items and in bytes, also while nobody answers.
 * I3 What the service wants to see again is sent again, later and later; what it refuses is dropped.
 * I4 Levels of host.json hold; what sampling leaves out is not sent, and what is sent says which share it stands for.
 * I5 The items of an invocation name its operation, also those that were logged before it went to a worker.
 * I6 `close` sends what is left, for a bounded time. Without telemetry there is no timer.
 * I7 The instrumentation key stands in envelopes alone.
 */
import {
  type AppTelemetry,
  assertNever,
  type BackoffOptions,
  backoffMs,
  type Clock,
  type FunctionAggregate,
  type FunctionRun,
  type Log,
  type LogFields,
  type LogRecord,
  messageOf,
  type Random,
  type RunningFunction,
  settlesWithin,
  type TelemetryMetric,
  type Timer,
} from '@switchyard/kernel';
import type { SamplingSettings } from '@switchyard/model';
import type { LevelFilter } from '../level-filter.ts';
import { AdaptiveSampling } from './adaptive-sampling.ts';
import {
  type EnvelopeData,
  type EnvelopeSource,
  type Operation,
  type TelemetryKind,
  toAggregateMetrics,
  toEnvelope,
  toException,
  toMetric,
  toRequest,
} from './envelope.ts';
import { fromLine, kindOfLine } from './from-line.ts';
import { Operations } from './operations.ts';
import { readTrackAnswer, type TrackAnswer, type TrackOutcome } from './track-answer.ts';

/** Makes a POST of JSON lines, compressed on the way; rejects when there is no answer. */
export type TrackPost = (url: string, body: string, signal: AbortSignal) => Promise<TrackAnswer>;

export interface ApplicationInsightsDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** For what the platform has to say of the sending itself; it must not lead back here. */
  readonly log: Log;
  readonly post: TrackPost;
}

export interface ApplicationInsightsOptions {
  readonly ingestionEndpoint: string;
  readonly source: EnvelopeSource;
  /** Undefined: everything is sent. */
  readonly sampling: SamplingSettings | undefined;
  readonly isWanted: LevelFilter;
}

export const insightsLimits = {
  maxItems: 10_000,
  maxBytes: 16 * 1_048_576,
  maxItemsPerRequest: 500,
  /** How long an item waits for others. */
  waitMs: 5_000,
  requestMs: 20_000,
  closeMs: 3_000,
} as const;

const retryBackoff: BackoffOptions = { minimumMs: 2_000, maximumMs: 120_000, factor: 2, jitter: 0.2 };

/** Something that was told, as it was: only what sampling leaves in is made an envelope of. */
interface Item {
  readonly kind: TelemetryKind;
  readonly invocationId: string | undefined;
  /** Where it belongs, when it knows that itself. */
  readonly operation?: Operation;
  /** About what it takes of memory. */
  readonly sizeBytes: number;
  readonly make: () => EnvelopeData;
}

export class ApplicationInsights implements AppTelemetry {
  readonly #deps: ApplicationInsightsDeps;
  readonly #options: ApplicationInsightsOptions;
  readonly #sampling: AdaptiveSampling | undefined;
  readonly #operations = new Operations();
  readonly #stop = new AbortController();
  #items: Item[] = [];
  #itemBytes = 0;
  /** Envelopes that are on their way, or are to be sent again. */
  #batch: readonly string[] = [];
  #timer: Timer | undefined;
  #sending: Promise<void> | undefined;
  #failures = 0;
  #notBeforeMs = 0;
  #dropped = 0;
  /** What was told of: an outage, or a loss. It is told of again once something was taken. */
  #hasTold = false;

  constructor(deps: ApplicationInsightsDeps, options: ApplicationInsightsOptions) {
    this.#deps = deps;
    this.#options = options;
    const { clock, random } = deps;
    const { sampling } = options;
    this.#sampling =
      sampling && new AdaptiveSampling({ nowMs: () => clock.monotonic(), random: () => random.next() }, sampling);
  }

  /** Items that were lost; those that sampling leaves out are not among them. */
  get dropped(): number {
    return this.#dropped;
  }

  line(record: LogRecord): void {
    const { category, invocationId } = record.fields;
    if (!this.#options.isWanted(typeof category === 'string' ? category : '', record.level)) return;
    const kind = kindOfLine(record);
    if (kind === undefined) return;
    this.#add({
      kind,
      invocationId: typeof invocationId === 'string' ? invocationId : undefined,
      sizeBytes: sizeOf(record.message, ...Object.values(record.fields)),
      make: () => fromLine(record),
    });
  }

  began(run: RunningFunction): void {
    this.#operations.begin(run);
  }

  ended(run: FunctionRun): void {
    const { invocationId, functionName, error } = run;
    const { isWanted } = this.#options;
    this.#operations.begin(run);
    if (isWanted('Host.Results', run.isSuccess ? 'information' : 'error')) {
      const operation = { traceId: run.traceId, parentId: run.parentSpanId, name: functionName };
      const sizeBytes = sizeOf(run.reason, run.http?.url);
      this.#add({ kind: 'Request', invocationId, operation, sizeBytes, make: () => toRequest(run) });
    }
    if (error !== undefined && isWanted(`Function.${functionName}`, 'error')) {
      const nowMs = this.#deps.clock.now();
      const properties = { Category: `Function.${functionName}`, LogLevel: 'Error', InvocationId: invocationId };
      const make = (): EnvelopeData => toException(nowMs, error, { level: 'error', properties });
      this.#add({ kind: 'Exception', invocationId, sizeBytes: sizeOf(error.message, error.stack), make });
    }
    this.#operations.end(invocationId);
  }

  measured(metric: TelemetryMetric): void {
    const data = toMetric(this.#deps.clock.now(), metric);
    const sizeBytes = sizeOf(metric.name, ...Object.values(metric.properties));
    this.#add({ kind: 'Metric', invocationId: metric.invocationId, sizeBytes, make: () => data });
  }

  aggregated(aggregate: FunctionAggregate): void {
    if (!this.#options.isWanted('Host.Aggregator', 'information')) return;
    for (const data of toAggregateMetrics(aggregate.sinceMs, aggregate)) {
      this.#add({ kind: 'Metric', invocationId: undefined, sizeBytes: sizeOf(), make: () => data });
    }
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    const last = (this.#sending ?? Promise.resolve()).then(() => this.#sendAll());
    await settlesWithin(this.#deps.clock, insightsLimits.closeMs, last);
    this.#stop.abort();
  }

  #add(item: Item): void {
    const isFull = this.#items.length >= insightsLimits.maxItems;
    if (this.#stop.signal.aborted || isFull || this.#itemBytes + item.sizeBytes > insightsLimits.maxBytes) {
      this.#lose(1, 'more came than could be sent');
      return;
    }
    this.#items.push(item);
    this.#itemBytes += item.sizeBytes;
    if (this.#sending !== undefined) return;
    if (this.#timer === undefined) this.#plan(insightsLimits.waitMs);
    else if (this.#failures === 0 && this.#hasFullRequest()) this.#begin();
  }

  /** True when what waits fills a request, or takes a good part of the queue. */
  #hasFullRequest(): boolean {
    const { maxItems, maxBytes, maxItemsPerRequest } = insightsLimits;
    const expected = (this.#items.length * (this.#sampling?.percentage ?? 100)) / 100;
    return expected >= maxItemsPerRequest || this.#items.length >= maxItems / 2 || this.#itemBytes >= maxBytes / 2;
  }

  #plan(delayMs: number): void {
    if (!this.#stop.signal.aborted) this.#timer = this.#deps.clock.schedule(delayMs, () => this.#begin());
  }

  #begin(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#sending = this.#sendAll().finally(() => {
      this.#sending = undefined;
      if (this.#batch.length + this.#items.length === 0) return;
      const { clock, random } = this.#deps;
      const backMs = this.#failures === 0 ? 0 : backoffMs(retryBackoff, this.#failures - 1, random);
      this.#plan(Math.max(insightsLimits.waitMs, backMs, this.#notBeforeMs - clock.monotonic()));
    });
  }

  /** Sends batches until nothing waits, or one is to be sent again. */
  async #sendAll(): Promise<void> {
    while (this.#batch.length > 0 || this.#items.length > 0) {
      if (this.#batch.length === 0) this.#batch = this.#nextBatch();
      if (this.#batch.length > 0 && !(await this.#sendBatch())) return;
    }
  }

  /** Takes items out of the queue until a request is full; what sampling leaves out is gone. */
  #nextBatch(): readonly string[] {
    const lines: string[] = [];
    let taken = 0;
    for (const { kind, invocationId, operation: own, sizeBytes, make } of this.#items) {
      if (lines.length >= insightsLimits.maxItemsPerRequest) break;
      taken += 1;
      this.#itemBytes -= sizeBytes;
      const operation = own ?? this.#operations.of(invocationId);
      const percent =
        kind === 'Metric' || this.#sampling === undefined ? 100 : this.#sampling.keep(kind, operation?.traceId);
      if (percent === undefined) continue;
      lines.push(JSON.stringify(toEnvelope(make(), operation, this.#options.source, percent)));
    }
    this.#items = this.#items.slice(taken);
    if (this.#items.length === 0) this.#operations.sweep();
    return lines;
  }

  /** False when some of it is to be sent again. */
  async #sendBatch(): Promise<boolean> {
    const batch = this.#batch;
    const outcome = await this.#post(batch);
    switch (outcome.kind) {
      case 'taken':
        this.#batch = outcome.again.map((index) => batch[index] ?? '').filter((line) => line !== '');
        if (outcome.refused > 0) this.#lose(outcome.refused, outcome.reason);
        if (this.#batch.length > 0) return this.#failed(outcome.reason, 0);
        this.#failures = 0;
        if (outcome.refused === 0) this.#hasTold = false;
        return true;
      case 'again':
        return this.#failed(outcome.reason, outcome.waitMs);
      case 'refused':
        this.#batch = [];
        this.#lose(batch.length, outcome.reason);
        return true;
      default:
        return assertNever(outcome);
    }
  }

  async #post(batch: readonly string[]): Promise<TrackOutcome> {
    const { clock, post } = this.#deps;
    const late = new AbortController();
    const timer = clock.schedule(insightsLimits.requestMs, () => late.abort());
    try {
      const url = `${this.#options.ingestionEndpoint}/v2.1/track`;
      const answer = await post(url, batch.join('\n'), AbortSignal.any([this.#stop.signal, late.signal]));
      return readTrackAnswer(answer, batch.length, clock.now());
    } catch (thrown) {
      return { kind: 'again', reason: messageOf(thrown), waitMs: 0 };
    } finally {
      timer.cancel();
    }
  }

  #failed(reason: string, waitMs: number): false {
    this.#failures += 1;
    this.#notBeforeMs = this.#deps.clock.monotonic() + waitMs;
    this.#tell('Application Insights takes no telemetry for now', { reason });
    return false;
  }

  #lose(count: number, reason: string): void {
    this.#dropped += count;
    this.#tell('Telemetry for Application Insights was lost', { reason });
  }

  /** An outage is told of once, until everything was taken again. */
  #tell(message: string, fields: LogFields): void {
    if (this.#hasTold || this.#stop.signal.aborted) return;
    this.#hasTold = true;
    const { ingestionEndpoint: endpoint } = this.#options;
    this.#deps.log.write('warning', message, { category: 'Host.Telemetry', endpoint, ...fields });
  }
}

/** Of an item without its texts. */
const itemBytes = 500;

function sizeOf(...texts: readonly unknown[]): number {
  return texts.reduce<number>((sum, text) => sum + (typeof text === 'string' ? 2 * text.length : 0), itemBytes);
}
