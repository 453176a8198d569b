/**
 * Runs one worker: takes its events, ticks, wakes keys when their time has come, and counts tries.
 *
 * Ownership: the composition root owns it and gives it the deliveries of the worker's subscription.
 *
 * I1 An event of a tenant that the environment is not bound to is refused before anything is looked at, and never retried.
 * I2 An event that the worker handled before is done without a look.
 * I3 An event that stands too deep in its chain of causes is refused: a loop ends.
 * I4 A failing key is tried with growing waits, at most as often as the table says; then the worker gives up on it once.
 * I5 A tick that comes while the one before still runs is left out.
 * I6 After `stop` nothing is looked at, and no timer is left.
 */
import { backoffMs, isPlatformError, type Log, messageOf, type PlatformError, type Timer } from '@switchyard/kernel';
import type { EventEnvelope } from '@switchyard/protocol';
import type { Trace } from '@switchyard/protocol/control-api';
import type { HandlerVerdict } from '../bus/contract.ts';
import type { EventType } from '../domain/events.ts';
import type { FrameDeps, Worker, WorkerRule } from './contract.ts';
import { KeyQueue } from './key-queue.ts';
import { type KeyOutcome, KeyRunner } from './key-runner.ts';
import { guardTenant } from './tenant-guard.ts';
import { newTrace, traceFields, traceOf } from './trace.ts';
import { frameLimits, retryBackoff } from './worker-table.ts';

export interface HostOptions {
  /** Who holds the leases: one name for each process. */
  readonly holder: string;
  readonly rule: WorkerRule;
}

/** An event as the bus hands it over. */
export interface HostDelivery {
  readonly envelope: EventEnvelope;
  /** From 1. */
  readonly deliveryCount: number;
  readonly replayOf?: string;
}

/** Tries of a key that failed one after the other. */
interface Failures {
  readonly attempts: number;
  /** Until then ticks and other events leave the key to the try that is on its way. */
  readonly heldUntilMs: number;
  /** The event that comes again; undefined when the key wakes by itself. */
  readonly eventId: string | undefined;
}

interface Wake {
  readonly atMs: number;
  readonly timer: Timer;
}

export class WorkerHost {
  readonly #deps: FrameDeps;
  readonly #worker: Worker;
  readonly #rule: WorkerRule;
  readonly #runner: KeyRunner;
  readonly #queue = new KeyQueue(frameLimits.concurrency);
  readonly #wakes = new Map<string, Wake>();
  readonly #failures = new Map<string, Failures>();
  readonly #stop = new AbortController();
  readonly #log: Log;
  #ticking: Promise<void> | undefined;
  #timer: Timer | undefined;

  constructor(deps: FrameDeps, worker: Worker, { holder, rule }: HostOptions) {
    this.#deps = deps;
    this.#worker = worker;
    this.#rule = rule;
    this.#runner = new KeyRunner(deps, worker, holder);
    this.#log = deps.log.child({ category: 'Host.ControlPlane', worker: worker.name });
  }

  /** Ticks now, and then as often as the table says. */
  start(): void {
    this.#tickLater(0);
  }

  /** Ends what runs at its next commit; resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#timer?.cancel();
    for (const { timer } of this.#wakes.values()) timer.cancel();
    this.#wakes.clear();
    await this.#ticking;
    await this.#queue.idle();
  }

  /** Handles one event. Never throws for what the worker does wrong. */
  async handle({ envelope, deliveryCount, replayOf }: HostDelivery): Promise<HandlerVerdict> {
    const { state, meter } = this.#deps;
    const { name } = this.#worker;
    if (!this.#rule.events.includes(envelope.eventType as EventType)) return { kind: 'done' };
    if (envelope.causationDepth > frameLimits.causationDepth)
      return this.#refuse(envelope, 'CAUSATION_TOO_DEEP', tooDeep);
    const handled = { worker: name, eventId: envelope.eventId };
    if (await state.isHandled(handled)) {
      meter.count('control_events_duplicate_total', 1, { worker: name });
      return { kind: 'done' };
    }
    const { tenantId, environmentId } = envelope;
    const verdict = await guardTenant(state, { tenantId, environmentId });
    if (verdict.kind === 'refused') return this.#refuse(envelope, verdict.code, verdict.reason);
    const asked = [...new Set(await this.#worker.keysOf(envelope, state))];
    // What another event tries again is looked at then, and charged to that event.
    const keys = asked.filter((key) => replayOf !== undefined || !this.#isHeldByOther(key, envelope.eventId));
    const trace = traceOf(envelope);
    const isReplay = replayOf !== undefined;
    const results = await Promise.allSettled(keys.map((key) => this.#run(key, { trace, cause: envelope, isReplay })));
    const refused = results.find((one) => one.status === 'fulfilled' && one.value.kind === 'refused');
    if (refused?.status === 'fulfilled' && refused.value.kind === 'refused') {
      return this.#refuse(envelope, 'TENANT_MISMATCH', refused.value.reason);
    }
    const failed = results.flatMap((one, at) =>
      one.status === 'rejected' ? [{ key: keys[at] ?? '', error: one.reason }] : [],
    );
    if (failed.length > 0 && !this.#stop.signal.aborted) {
      const over = await this.#failedEvent({ envelope, deliveryCount, trace }, failed);
      if (over.kind !== 'done') return over;
    }
    if (this.#stop.signal.aborted)
      return { kind: 'retry', reason: 'STOPPING', description: 'the worker stops', afterMs: 0 };
    await state.commit({ puts: [], removes: [], events: [], handled });
    return { kind: 'done' };
  }

  /** Looks at one key now: something has changed that no event tells of. Never rejects. */
  async look(key: string): Promise<void> {
    if (!this.#stop.signal.aborted) await this.#runByTimer(key);
  }

  /** Looks at every key of a tick. Resolves when all are done. */
  tick(): Promise<void> {
    this.#ticking ??= this.#tick().finally(() => {
      this.#ticking = undefined;
    });
    return this.#ticking;
  }

  async #tick(): Promise<void> {
    const { state, clock } = this.#deps;
    try {
      const keys = await this.#worker.keysOfTick(state, clock.now());
      const nowMs = clock.now();
      const due = keys.filter((key) => nowMs >= (this.#failures.get(key)?.heldUntilMs ?? 0));
      await Promise.all(due.map((key) => this.#runByTimer(key)));
    } catch (thrown) {
      this.#log.write('warning', 'A tick of a worker failed', { reason: messageOf(thrown) });
    }
  }

  #tickLater(delayMs: number): void {
    if (this.#stop.signal.aborted) return;
    this.#timer = this.#deps.clock.schedule(delayMs, () => {
      if (this.#ticking === undefined) void this.tick();
      else this.#deps.meter.count('control_ticks_skipped_total', 1, { worker: this.#worker.name });
      this.#tickLater(this.#rule.everyMs);
    });
  }

  async #runByTimer(key: string): Promise<void> {
    const trace = newTrace(this.#deps.random);
    try {
      const outcome = await this.#run(key, { trace, cause: undefined, isReplay: false });
      if (outcome.kind === 'refused') {
        this.#log.write('error', 'A worker was kept from acting for the wrong tenant', { key, reason: outcome.reason });
      }
    } catch (thrown) {
      if (this.#stop.signal.aborted) return;
      await this.#failedKey(key, trace, thrown);
    }
  }

  async #run(
    key: string,
    of: { readonly trace: Trace; readonly cause: EventEnvelope | undefined; readonly isReplay: boolean },
  ): Promise<KeyOutcome> {
    const outcome = await this.#queue.run(key, async (): Promise<KeyOutcome> => {
      if (this.#stop.signal.aborted) return { kind: 'rested', actions: 0, wakeAtMs: undefined };
      return this.#runner.run(key, { ...of, signal: this.#stop.signal });
    });
    this.#failures.delete(key);
    if (outcome.kind !== 'refused' && outcome.wakeAtMs !== undefined) this.#wakeAt(key, outcome.wakeAtMs);
    this.#deps.meter.count('control_worker_runs_total', 1, { worker: this.#worker.name, outcome: outcome.kind });
    return outcome;
  }

  #wakeAt(key: string, atMs: number): void {
    const known = this.#wakes.get(key);
    if (this.#stop.signal.aborted || (known !== undefined && known.atMs <= atMs)) return;
    // The next tick looks at what finds no room here.
    if (known === undefined && this.#wakes.size >= frameLimits.waitingKeys) return;
    known?.timer.cancel();
    const timer = this.#deps.clock.schedule(Math.max(0, atMs - this.#deps.clock.now()), () => {
      this.#wakes.delete(key);
      void this.#runByTimer(key);
    });
    this.#wakes.set(key, { atMs, timer });
  }

  async #failedKey(key: string, trace: Trace, thrown: unknown): Promise<void> {
    const attempts = (this.#failures.get(key)?.attempts ?? 0) + (isFenced(thrown) ? 0 : 1);
    const { clock, random } = this.#deps;
    const reason = messageOf(thrown);
    if (attempts < this.#rule.maxAttempts) {
      const waitMs = retryAfterOf(thrown) ?? backoffMs(retryBackoff, Math.max(0, attempts - 1), random);
      const heldUntilMs = clock.now() + waitMs;
      this.#failures.set(key, { attempts, heldUntilMs, eventId: undefined });
      this.#log.write('warning', 'A worker will try again', { key, attempts, reason, ...traceFields(trace) });
      this.#wakeAt(key, heldUntilMs);
      return;
    }
    this.#failures.delete(key);
    await this.#giveUp({ key, trace, cause: undefined }, reason);
  }

  #isHeldByOther(key: string, eventId: string): boolean {
    const held = this.#failures.get(key);
    const isOther = held?.eventId !== undefined && held.eventId !== eventId;
    return isOther && this.#deps.clock.now() < held.heldUntilMs;
  }

  /** `done` when the event is handled although a key failed for good. */
  async #failedEvent(
    { envelope, deliveryCount, trace }: HostDelivery & { readonly trace: Trace },
    failed: readonly { readonly key: string; readonly error: unknown }[],
  ): Promise<HandlerVerdict> {
    const [first] = failed;
    const description = messageOf(first?.error);
    const reason = isPlatformError(first?.error) ? first.error.code : 'WORKER_FAILED';
    if (deliveryCount < this.#rule.maxAttempts) {
      // The event comes again: until then it is the one that tries.
      const heldUntilMs = this.#deps.clock.now() + 2 * retryBackoff.maximumMs;
      const { eventId } = envelope;
      for (const { key } of failed) this.#failures.set(key, { attempts: deliveryCount, heldUntilMs, eventId });
      const afterMs = retryAfterOf(first?.error);
      return { kind: 'retry', reason, description, ...(afterMs === undefined ? {} : { afterMs }) };
    }
    for (const { key } of failed) this.#failures.delete(key);
    for (const { key, error } of failed) await this.#giveUp({ key, trace, cause: envelope }, messageOf(error));
    return this.#rule.exhausted === 'dead-letter' ? { kind: 'refuse', reason, description } : { kind: 'done' };
  }

  async #giveUp(
    { key, ...of }: { readonly key: string; readonly trace: Trace; readonly cause: EventEnvelope | undefined },
    reason: string,
  ): Promise<void> {
    this.#log.write('error', 'A worker gives up', { key, reason, ...traceFields(of.trace) });
    const options = { ...of, isReplay: false, signal: this.#stop.signal };
    try {
      await this.#queue.run(key, () => this.#runner.giveUp(key, options, reason));
    } catch (thrown) {
      // The next tick finds the key as it is and begins anew.
      this.#log.write('error', 'What a worker leaves behind could not be kept', { key, reason: messageOf(thrown) });
    }
  }

  #refuse(envelope: EventEnvelope, reason: string, description: string): HandlerVerdict {
    const { eventId, eventType, tenantId } = envelope;
    const fields = { eventId, eventType, tenantId, reason, description, ...traceFields(traceOf(envelope)) };
    this.#log.write('warning', 'An event was refused', fields);
    this.#deps.meter.count('control_events_refused_total', 1, { worker: this.#worker.name, reason });
    return { kind: 'refuse', reason, description };
  }
}

const tooDeep = `more than ${frameLimits.causationDepth} events follow from one another, so they go round in a loop`;

/** The wait that whoever refused has asked for. */
function retryAfterOf(thrown: unknown): number | undefined {
  if (!isPlatformError(thrown)) return undefined;
  const given = (thrown as PlatformError).details.retryAfterMs;
  if (typeof given === 'number') return given;
  return typeof thrown.retry === 'object' ? thrown.retry.afterMs : undefined;
}

/** Another holder took over: no failure of the key. */
function isFenced(thrown: unknown): boolean {
  return isPlatformError(thrown) && thrown.code === 'WORKER_FENCED';
}
