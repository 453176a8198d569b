/**
 * Runs the functions of one app: one invocation per event, with inputs, retries and outputs.
 *
 * Ownership: a JobHost owns its executor. An invocation lives from `run` to its outcome; `closeListeners` and `close` hurry
 * those that wait for a retry, `whenIdle` waits for all.
 *
 * I1 Every `run` gives exactly one outcome, and `active` counts the runs without one and what is held.
 * I2 Nothing an app's values or bindings do makes `run` or `invoke` throw: it becomes the outcome.
 */
import {
  type Clock,
  createDeferred,
  type Deferred,
  type FunctionRun,
  type Log,
  type Meter,
  type Random,
  type SpanSink,
  TransientMap,
  TransientSet,
} from '@switchyard/kernel';
import type { InvocationResponse } from '@switchyard/protocol';
import type { InvocationOutcome, TriggerEvent } from '@switchyard/triggers';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { FunctionEntry } from '../job-host/function-entry.ts';
import type { TelemetryTap } from '../job-host/telemetry-tap.ts';
import { FunctionMeasures } from '../load/function-measures.ts';
import type { WorkerCapabilities } from '../worker-registry/capabilities.ts';
import { Invocation } from './invocation.ts';
import { InvocationLog } from './invocation-log.ts';
import type { ResultAggregator } from './result-aggregator.ts';
import { TraceContexts } from './trace-context.ts';

/** Where an invocation's event comes from; it may depend on what the chosen worker can take. */
export interface EventSource {
  readonly reason: string;
  /** The `Trigger Details` line. */
  readonly details?: Readonly<Record<string, string>> | undefined;
  /** See `TriggerEvent`. */
  readonly partitionKey?: string;
  event(capabilities: WorkerCapabilities, invocationId: string): TriggerEvent;
  /** Called when the worker is chosen, right before the invocation goes to it. */
  sending?(capabilities: WorkerCapabilities, invocationId: string): void;
  /** Called when the invocation is serialized, however often it is: what was kept for that alone may go. */
  serialized?(): void;
  /** What else must end well before the invocation counts as succeeded; undefined when there is nothing. */
  settling?(response: InvocationResponse): Promise<void> | undefined;
  /** Asked once the invocation has ended: true when the answer says that it went wrong, though the function did not fail. */
  readonly hasErrorStatus?: boolean;
  /** The request, and what it was answered with as far as that is known; undefined for events of other kinds. */
  readonly http?: FunctionRun['http'];
  /** Called when the function failed and is to be tried again. */
  retrying?(): void;
  /** True once it cannot be given to another worker. */
  readonly isSpent?: boolean;
}

export interface RunOptions {
  /** Retries keep the invocation id when a listener started it, and get a new one over HTTP, as in the official host. */
  readonly keepsId: boolean;
  /** False when the event cannot be given to a worker twice. */
  readonly retries: boolean;
}

export interface ExecutorDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly meter: Meter;
  /** Hears of every try that a worker was given; nobody does when left out. */
  readonly spans?: SpanSink | undefined;
  /** Where the app's own telemetry goes; nowhere when left out. */
  readonly telemetry?: Pick<TelemetryTap, 'isOpen' | 'began' | 'ended'>;
  /** Adds up how invocations ended; nobody does when left out. */
  readonly results?: Pick<ResultAggregator, 'add'>;
  readonly dispatcher: Dispatcher;
  /** What the app's workers can take, for events that are needed before a worker is chosen. */
  readonly capabilities: () => WorkerCapabilities;
}

/** What an invocation uses of its executor. */
export interface InvocationHost extends ExecutorDeps {
  readonly invocationLog: InvocationLog;
  readonly traces: TraceContexts;
  /** The waits between tries: how each is ended, and whether a listener's event waits. */
  readonly waits: TransientMap<() => void, boolean>;
  readonly isClosing: (isOfListener: boolean) => boolean;
  /** What must still end of invocations that their workers have answered. */
  readonly settlings: TransientSet<Promise<void>>;
}

const listenerRun: RunOptions = { keepsId: true, retries: true };

export class Executor {
  readonly #host: InvocationHost;
  readonly #waits = new TransientMap<() => void, boolean>();
  /** What its functions have done. */
  readonly measures = new FunctionMeasures();
  readonly #settlings = new TransientSet<Promise<void>>();
  #active = 0;
  #quietSinceMs: number;
  /** For whom there are no more retries. */
  #closing: 'nobody' | 'listeners' | 'all' = 'nobody';
  #idle: Deferred<void> | undefined;

  constructor(deps: ExecutorDeps) {
    this.#quietSinceMs = deps.clock.monotonic();
    this.#host = {
      ...deps,
      invocationLog: new InvocationLog(deps.log),
      traces: new TraceContexts(deps.random),
      waits: this.#waits,
      settlings: this.#settlings,
      isClosing: (isOfListener) => this.#closing === 'all' || (isOfListener && this.#closing === 'listeners'),
    };
  }

  /** Invocations that have no outcome yet, and what is held. */
  get active(): number {
    return this.#active;
  }

  /** Invocations that wait to be tried again; they are among the active ones. */
  get waiting(): number {
    return this.#waits.size;
  }

  /** Since when nothing has run or been held, in milliseconds of the monotonic clock; undefined while something does. */
  get quietSinceMs(): number | undefined {
    return this.#active > 0 ? undefined : this.#quietSinceMs;
  }

  /** Runs the function once for the event, retries included. `done` hears the outcome, perhaps before this returns. */
  run(
    entry: FunctionEntry,
    source: EventSource,
    options: RunOptions,
    done: (outcome: InvocationOutcome) => void,
  ): Invocation {
    this.#active += 1;
    const { clock } = this.#host;
    const { name } = entry.metadata;
    const startedMs = clock.monotonic();
    this.measures.begin(name);
    const invocation = new Invocation(this.#host, entry, source, options, (outcome) => {
      this.#leave();
      try {
        done(outcome);
      } finally {
        const { kind } = outcome;
        const hasFailed = kind === 'failed' || kind === 'lost' || source.hasErrorStatus === true;
        const durationMs = clock.monotonic() - startedMs;
        this.measures.end(name, durationMs, hasFailed);
        this.#host.results?.add(name, durationMs, kind === 'succeeded');
      }
    });
    invocation.start();
    return invocation;
  }

  /** Counts as something that runs until it is let go: a request on its way to its function, or an answer on its way back. */
  hold(): () => void {
    this.#active += 1;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#leave();
    };
  }

  /** Runs the function for an event of a listener. Never rejects. */
  invoke(entry: FunctionEntry, event: TriggerEvent): Promise<InvocationOutcome> {
    return new Promise((resolve) => {
      const onAbort = (): void => invocation.cancel();
      const { reason, details, partitionKey } = event;
      const source: EventSource = {
        reason,
        details,
        ...(partitionKey === undefined ? {} : { partitionKey }),
        event: () => event,
      };
      const invocation = this.run(entry, source, listenerRun, (outcome) => {
        event.signal?.removeEventListener('abort', onAbort);
        resolve(outcome);
      });
      event.signal?.addEventListener('abort', onAbort, { once: true });
      if (event.signal?.aborted) onAbort();
    });
  }

  /** Ends the waits of listeners' events between retries: those are lost, so that their sources deliver them again. */
  closeListeners(): void {
    if (this.#closing === 'nobody') this.#closing = 'listeners';
    for (const [end, isOfListener] of [...this.#waits]) if (isOfListener) end();
  }

  /** Ends every wait between retries. */
  close(): void {
    this.#closing = 'all';
    for (const end of [...this.#waits.keys()]) end();
  }

  /** Resolves when the answers that are on their way to callers at the moment have gone out. */
  async whenSettled(): Promise<void> {
    await Promise.allSettled([...this.#settlings]);
  }

  /** Resolves as soon as nothing runs. */
  whenIdle(): Promise<void> {
    if (this.#active === 0) return Promise.resolve();
    this.#idle ??= createDeferred();
    return this.#idle.promise;
  }

  #leave(): void {
    this.#active -= 1;
    if (this.#active > 0) return;
    this.#quietSinceMs = this.#host.clock.monotonic();
    this.#idle?.resolve();
    this.#idle = undefined;
  }
}
