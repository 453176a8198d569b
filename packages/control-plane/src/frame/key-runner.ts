/**
 * Runs a worker on one key until there is nothing left to do.
 *
 * Ownership: the worker host makes one per worker. The lease of a key belongs to the run that acquired it.
 *
 * I1 A run that finds nothing to do takes no lease, writes nothing and tells nothing.
 * I2 Whatever is done is planned under the lease: what was found before it is looked at again.
 * I3 Nothing is done in the name of a tenant that the environment is not bound to.
 * I4 A run whose lease was lost commits nothing, and its signal aborts.
 * I5 Every event, span and log line of a run carries its traceId and correlationId.
 */
import { messageOf, settlesWithin, type Timer } from '@switchyard/kernel';
import type { EventEnvelope } from '@switchyard/protocol';
import type { Trace } from '@switchyard/protocol/control-api';
import type { ActingRun, Batch, Finding, FrameDeps, Lease, Run, Work, Worker } from './contract.ts';
import { workerErrors } from './errors.ts';
import { guardTenant } from './tenant-guard.ts';
import { toEnvelope, traceFields } from './trace.ts';
import { frameLimits } from './worker-table.ts';

export type KeyOutcome =
  | { readonly kind: 'rested'; readonly actions: number; readonly wakeAtMs: number | undefined }
  /** Another holder has the key. */
  | { readonly kind: 'busy'; readonly wakeAtMs: number }
  | { readonly kind: 'refused'; readonly reason: string };

export interface KeyRunOptions {
  readonly trace: Trace;
  readonly cause: EventEnvelope | undefined;
  readonly isReplay: boolean;
  readonly signal: AbortSignal;
}

interface Held {
  readonly lease: Lease;
  readonly lost: AbortController;
  /** Undefined once the run has ended. */
  timer: Timer | undefined;
}

export class KeyRunner {
  readonly #deps: FrameDeps;
  readonly #worker: Worker;
  readonly #holder: string;

  constructor(deps: FrameDeps, worker: Worker, holder: string) {
    this.#deps = deps;
    this.#worker = worker;
    this.#holder = holder;
  }

  /** Throws what the worker throws; the tries are counted by the caller. */
  async run(key: string, options: KeyRunOptions): Promise<KeyOutcome> {
    const first = await this.#worker.look(this.#runOf(key, options));
    if (first.kind === 'rest') return { kind: 'rested', actions: 0, wakeAtMs: first.wakeAtMs };
    const { clock, state } = this.#deps;
    const lease = await state.acquire(`${this.#worker.name}:${key}`, this.#holder, frameLimits.leaseMs);
    if (lease === undefined) return { kind: 'busy', wakeAtMs: clock.now() + frameLimits.leaseMs / 3 };
    const held: Held = { lease, lost: new AbortController(), timer: undefined };
    this.#renewLater(held);
    try {
      return await this.#act(key, options, held);
    } finally {
      held.timer?.cancel();
      held.timer = undefined;
      await state.release(lease).catch(() => {});
    }
  }

  /** Lets the worker keep and tell that its tries of a key are over. Nothing, when somebody else has the key. */
  async giveUp(key: string, options: KeyRunOptions, reason: string): Promise<void> {
    if (this.#worker.giveUp === undefined) return;
    const { state } = this.#deps;
    const lease = await state.acquire(`${this.#worker.name}:${key}`, this.#holder, frameLimits.leaseMs);
    if (lease === undefined) return;
    const held: Held = { lease, lost: new AbortController(), timer: undefined };
    try {
      const run = this.#runOf(key, options);
      await this.#commit(await this.#worker.giveUp(run, reason), options.trace, held, run);
    } finally {
      await state.release(lease).catch(() => {});
    }
  }

  async #act(key: string, options: KeyRunOptions, held: Held): Promise<KeyOutcome> {
    for (let actions = 0; actions < frameLimits.actionsPerRun; actions += 1) {
      const run = this.#runOf(key, options);
      const found: Finding = await this.#worker.look(run);
      if (found.kind === 'rest') return { kind: 'rested', actions, wakeAtMs: found.wakeAtMs };
      const verdict = await guardTenant(this.#deps.state, found);
      if (verdict.kind === 'refused') return { kind: 'refused', reason: verdict.reason };
      await this.#do(run, found, held, options.signal);
    }
    throw workerErrors.create('WORKER_RESTLESS', {
      worker: this.#worker.name,
      key,
      actions: frameLimits.actionsPerRun,
    });
  }

  async #do(run: Run, work: Work, held: Held, stop: AbortSignal): Promise<void> {
    const { clock, spans, meter } = this.#deps;
    const trace = work.trace ?? run.trace;
    const log = this.#deps.log.child({ worker: this.#worker.name, key: run.key, ...traceFields(trace) });
    const startMs = clock.now();
    const signal = AbortSignal.any([held.lost.signal, stop]);
    const acting: ActingRun = { ...run, trace, signal, log, commit: (batch) => this.#commit(batch, trace, held, run) };
    const attributes = { worker: this.#worker.name, key: run.key, tenantId: work.tenantId };
    const name = `${this.#worker.name} ${work.what}`;
    try {
      const done = work.act(acting);
      done.catch(() => {});
      if (!(await settlesWithin(clock, frameLimits.actionMs, done))) {
        held.lost.abort();
        throw workerErrors.create('WORKER_ACTION_TIMED_OUT', { worker: this.#worker.name, what: work.what });
      }
      await this.#commit(await done, trace, held, run);
      log.write('debug', 'A worker has acted', { what: work.what });
      meter.count('control_worker_actions_total', 1, { worker: this.#worker.name, what: work.what });
      spans.record({ name, trace, startMs, endMs: clock.now(), attributes });
    } catch (thrown) {
      spans.record({ name, trace, startMs, endMs: clock.now(), attributes, error: messageOf(thrown) });
      throw thrown;
    }
  }

  async #commit(batch: Batch, trace: Trace, held: Held, run: Run): Promise<void> {
    const { puts = [], removes = [], events = [] } = batch;
    if (puts.length + removes.length + events.length === 0) return;
    if (held.lost.signal.aborted) throw this.#fenced(run.key);
    const { clock, random, state } = this.#deps;
    const of = { trace, source: `switchyard/${this.#worker.name}`, nowMs: clock.now(), random };
    const outcome = await state.commit({
      puts,
      removes,
      events: events.map((draft) => toEnvelope(draft, of)),
      lease: held.lease,
    });
    if (outcome === 'committed') return;
    held.lost.abort();
    throw this.#fenced(run.key);
  }

  #fenced(key: string): Error {
    return workerErrors.create('WORKER_FENCED', { worker: this.#worker.name, key });
  }

  #runOf(key: string, { trace, cause, isReplay }: KeyRunOptions): Run {
    return { key, nowMs: this.#deps.clock.now(), trace, cause, isReplay, view: this.#deps.state };
  }

  #renewLater(held: Held): void {
    held.timer = this.#deps.clock.schedule(frameLimits.leaseMs / 3, () => {
      this.#deps.state.renew(held.lease, frameLimits.leaseMs).then(
        (isHeld) => {
          if (!isHeld) held.lost.abort();
          else if (held.timer !== undefined) this.#renewLater(held);
        },
        // The next try may succeed; the fence refuses what comes too late.
        () => {
          if (held.timer !== undefined) this.#renewLater(held);
        },
      );
    });
  }
}
