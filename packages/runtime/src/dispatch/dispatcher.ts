/**
 * Sends the calls of one app to its workers and matches their answers.
 *
 * Phases of a call: submitted, then held (no lane is open) or in flight (sent), then settled. Ownership: a JobHost owns its
 * dispatcher; a call belongs to the dispatcher from `submit` until it is settled.
 *
 * I1 Every submitted call is settled exactly once, whatever happens to workers, time and the app.
 * I2 Only lanes of Ready workers that take frames and have room get calls.
 * I3 A call is in flight on at most one worker; an answer for any other id is dropped.
 * I4 A call runs no longer than the function timeout; then it is lost and its worker is given up.
 * I5 No call is held longer than its deadline, and no more calls than the queue's capacity.
 * I6 After `close` nothing is held or sent.
 * I7 A call is sent only with the leave of the dispatcher's share, which hears of the end of every call that was sent.
 * I8 No worker gets more calls at once than `limitPerWorker` says; what is beyond that is held as for a first worker. A soft
 *    limit is given up before anybody is refused for it.
 * I9 A worker whose lane is closed gets no call until it is opened again, and the end of its last call is told.
 * I10 Calls go out in the order in which they came; under partition affinity this holds for the calls of each partition.
 */
import { type Clock, type Log, type Meter, messageOf } from '@switchyard/kernel';
import { formatTimeSpan } from '@switchyard/model';
import { type InvocationResponse, StreamingMessage } from '@switchyard/protocol';
import type { InvocationError, LossReason } from '@switchyard/triggers';
import { type RuntimeErrorCode, runtimeErrors, toInvocationError } from '../errors.ts';
import type { RuntimeLimits } from '../limits.ts';
import type { Call, CallResult } from '../worker-registry/call.ts';
import type { Worker, WorkerChannel } from '../worker-registry/worker.ts';
import type { OnTurn, Share } from './fair-turns.ts';
import { HoldQueue } from './hold-queue.ts';
import { Lane } from './lane.ts';
import { type DispatchStrategy, dispatchStrategies, type Picker } from './strategies.ts';

export interface DispatcherDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  /** The dispatcher's part of the Runtime's event loop. */
  readonly share: (onTurn: OnTurn) => Share;
}

export interface DispatcherOptions {
  readonly applicationId: string;
  readonly strategy: DispatchStrategy;
  /** How long an invocation may run; undefined for no limit. */
  readonly functionTimeoutMs: number | undefined;
  /** How long a call waits for the app's first worker. */
  readonly holdMs: number;
  readonly limits: RuntimeLimits;
  /** Called when a call waits and no worker is connected. */
  readonly onStarving: () => void;
  /** Called when a call ran out of time on the worker, after the call was settled. */
  readonly onTimeout: (worker: Worker) => void;
  /** Called when a worker took no frame for as long as a call may wait for that. */
  readonly onStalled: (worker: Worker) => void;
  /** Called when a blocked worker takes frames again. */
  readonly onRelieved: (worker: Worker) => void;
  /** Called when a worker whose lane is closed has nothing more in flight. */
  readonly onDrained?: (worker: Worker) => void;
}

export class Dispatcher {
  readonly #deps: DispatcherDeps;
  readonly #options: DispatcherOptions;
  readonly #picker: Picker;
  readonly #held: HoldQueue<Call>;
  readonly #share: Share;
  #lanes: Lane[] = [];
  #limitPerWorker = Number.POSITIVE_INFINITY;
  #isLimitSoft = false;
  #refused = 0;
  #isClosed = false;

  constructor(deps: DispatcherDeps, options: DispatcherOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#picker = dispatchStrategies[options.strategy]();
    this.#share = deps.share(() => this.#sendNext());
    this.#held = new HoldQueue(deps.clock, options.limits.heldPerApplication, (call) => this.#expireHeld(call));
  }

  /** Calls that wait for a worker. */
  get heldCount(): number {
    return this.#held.size;
  }

  /** Those of them that a worker has room for: they wait for a turn of this Runtime, and no further worker would help them. */
  get pacedCount(): number {
    if (this.#nextHeld() === undefined) return 0;
    return Math.min(
      this.#held.size,
      this.#lanes.reduce((room, lane) => room + lane.room, 0),
    );
  }

  /** Connected workers. */
  get laneCount(): number {
    return this.#lanes.length;
  }

  /** Ready workers that take nothing at the moment. */
  get blockedCount(): number {
    let count = 0;
    for (const { isBlocked, worker } of this.#lanes) if (isBlocked || worker.inFlight.isFull) count += 1;
    return count;
  }

  /** Calls that were refused because no worker had room for them. */
  get refusedCount(): number {
    return this.#refused;
  }

  /** From now on no worker gets more calls at once; what it has stays. A soft limit only keeps calls for workers to come. */
  limitPerWorker(limit: number, isSoft = false): void {
    this.#limitPerWorker = limit;
    this.#isLimitSoft = isSoft;
    for (const lane of this.#lanes) lane.limit = limit;
    this.#flush();
  }

  /** Takes the call over; it is settled sooner or later, perhaps before this returns. */
  submit(call: Call): void {
    if (this.#isClosed) {
      settleLost(call, 'stopping', 'INVOCATION_STOPPING');
      return;
    }
    if (this.#isLimitSoft && this.#held.size >= this.#held.capacity / 2) this.limitPerWorker(Number.POSITIVE_INFINITY);
    const lane = this.#mayPass(call) ? this.#picker.pick(this.#lanes, call) : undefined;
    if (lane === undefined || !this.#share.take()) this.#hold(call);
    else this.#send(lane, call);
  }

  /** The caller lost interest: a held call is settled, a running one is cancelled if its worker can. */
  cancel(invocationId: string): void {
    const held = this.#held.remove(invocationId);
    if (held !== undefined) {
      held.settle({ kind: 'cancelled' });
      return;
    }
    const lane = this.#lanes.find(({ worker }) => worker.inFlight.has(invocationId));
    if (lane !== undefined) this.#cancelOn(lane, invocationId);
  }

  /** A worker became Ready. */
  addWorker(worker: Worker, channel: WorkerChannel): void {
    const lane = new Lane(worker, channel);
    lane.limit = this.#limitPerWorker;
    this.#lanes = [...this.#lanes, lane];
    this.#flush();
  }

  /** The worker gets no more calls; it keeps those that it has. */
  closeLane(worker: Worker): void {
    for (const lane of this.#lanes) if (lane.worker === worker) lane.isClosing = true;
  }

  /** The worker gets calls again. */
  openLane(worker: Worker): void {
    for (const lane of this.#lanes) if (lane.worker === worker) lane.isClosing = false;
    this.#flush();
  }

  /** A worker may take calls again, for another reason than an answer. */
  wake(): void {
    this.#flush();
  }

  /** The worker answered. */
  answer(worker: Worker, response: InvocationResponse): void {
    if (!this.#settleOn(worker, response.invocationId, { kind: 'answered', response })) {
      this.#deps.log.write('debug', 'An answer came for an invocation that is not in flight; it is dropped.', {
        workerId: worker.workerId,
        invocationId: response.invocationId,
      });
    }
  }

  /** A call that was sent can never be whole for its worker: it fails now, and an answer to it is dropped. */
  giveUp(invocationId: string, error: InvocationError): void {
    const lane = this.#lanes.find(({ worker }) => worker.inFlight.has(invocationId));
    if (lane === undefined) return;
    this.#cancelOn(lane, invocationId);
    this.#settleOn(lane.worker, invocationId, { kind: 'refused', error });
  }

  /** The worker is gone: what ran on it is lost, and nothing more goes to it. */
  removeWorker(worker: Worker, reason: string): void {
    for (const lane of this.#lanes) if (lane.worker === worker) lane.deadline?.cancel();
    this.#lanes = this.#lanes.filter((lane) => lane.worker !== worker);
    for (const call of worker.inFlight.drain()) {
      this.#share.give();
      settleLost(call, 'worker-lost', 'INVOCATION_WORKER_LOST', { workerId: worker.workerId, reason });
    }
    if (this.#held.size > 0 && this.#isStarving) this.#options.onStarving();
  }

  /** No worker is to be expected soon: what waits is settled as lost. */
  disappoint(): void {
    for (const call of this.#held.drain()) settleLost(call, 'no-worker', 'INVOCATION_START_FAILED');
  }

  /** Settles everything that waits as lost. What is in flight goes on until its worker is removed. */
  close(): void {
    this.#isClosed = true;
    for (const call of this.#held.drain()) settleLost(call, 'stopping', 'INVOCATION_STOPPING');
    this.#share.leave();
  }

  /** Ends a call that is in flight on the worker; false when it is not. */
  #settleOn(worker: Worker, invocationId: string, result: CallResult): boolean {
    const call = worker.inFlight.take(invocationId);
    if (call === undefined) return false;
    this.#share.give();
    call.settle(result);
    if (this.#held.size > 0) this.#flush();
    if (worker.inFlight.size === 0 && this.#isClosing(worker)) this.#options.onDrained?.(worker);
    return true;
  }

  #hold(call: Call): void {
    const { limits, holdMs } = this.#options;
    const waitMs = this.#isUnderPressure ? limits.backPressureMs : holdMs;
    if (!this.#held.offer(call.invocationId, call, waitMs)) {
      this.#refuse(call);
      return;
    }
    this.#deps.meter.count('invocations_held', 1, { app: this.#options.applicationId });
    if (this.#isStarving) this.#options.onStarving();
  }

  /** True when no worker is there that could take a call, now or later. */
  get #isStarving(): boolean {
    return this.#lanes.every(({ isClosing }) => isClosing);
  }

  #isClosing(worker: Worker): boolean {
    return this.#lanes.some((lane) => lane.worker === worker && lane.isClosing);
  }

  /** Too many wait: for the app to wake up, or for its workers to have room. */
  #refuse(call: Call): void {
    const limit = this.#options.limits.heldPerApplication;
    if (this.#lanes.length === 0) {
      settleLost(call, 'no-worker', 'INVOCATION_HELD_LIMIT', { limit });
      return;
    }
    const reason = `${limit} invocations wait already`;
    if (this.pacedCount > 0) {
      settleLost(call, 'overloaded', 'INVOCATION_NO_TURN', { reason });
      return;
    }
    this.#refused += 1;
    settleLost(call, 'overloaded', 'INVOCATION_OVERLOADED', { reason });
  }

  #expireHeld(call: Call): void {
    const { limits, holdMs } = this.#options;
    if (this.#lanes.some(({ isOpen }) => isOpen)) {
      settleLost(call, 'overloaded', 'INVOCATION_NO_TURN', { reason: `no turn came within ${holdMs} ms` });
      return;
    }
    if (!this.#isUnderPressure) {
      settleLost(call, 'no-worker', 'INVOCATION_NO_WORKER', { timeoutMs: holdMs });
      return;
    }
    const reason = `none took the invocation within ${limits.backPressureMs} ms`;
    this.#refused += 1;
    settleLost(call, 'overloaded', 'INVOCATION_OVERLOADED', { reason });
    for (const lane of this.#lanes) if (lane.isBlocked) this.#options.onStalled(lane.worker);
  }

  /** True when a worker is connected and well, and has no room: waiting for long would only hide that. */
  get #isUnderPressure(): boolean {
    return this.#lanes.some(({ isBlocked, worker }) => isBlocked || worker.inFlight.isFull);
  }

  /** True when the call goes before nobody that it ought to follow. */
  #mayPass({ partitionKey }: Call): boolean {
    if (this.#held.size === 0) return true;
    if (!this.#picker.isPerCall) return false;
    for (const held of this.#held.items()) if (held.partitionKey === partitionKey) return false;
    return true;
  }

  #flush(): void {
    while (this.#held.size > 0) {
      const next = this.#nextHeld();
      if (next === undefined || !this.#share.take()) return;
      this.#sendHeld(next);
    }
  }

  /** It is the dispatcher's turn. */
  #sendNext(): boolean {
    const next = this.#nextHeld();
    if (next === undefined) return false;
    this.#sendHeld(next);
    return true;
  }

  /** The call that has waited longest of those that a lane is open for. */
  #nextHeld(): { readonly lane: Lane; readonly call: Call } | undefined {
    for (const call of this.#held.items()) {
      const lane = this.#picker.pick(this.#lanes, call);
      if (lane !== undefined) return { lane, call };
      if (!this.#picker.isPerCall) return undefined;
    }
    return undefined;
  }

  #sendHeld({ lane, call }: { readonly lane: Lane; readonly call: Call }): void {
    this.#held.remove(call.invocationId);
    this.#send(lane, call);
  }

  #send(lane: Lane, call: Call): void {
    const { worker } = lane;
    const failure = worker.loadFailures.get(call.functionId);
    if (failure !== undefined) {
      this.#share.give();
      call.settle({ kind: 'refused', error: failure });
      return;
    }
    let frame: Uint8Array;
    try {
      frame = call.encode(worker.capabilities);
    } catch (thrown) {
      this.#share.give();
      call.settle({ kind: 'refused', error: { message: messageOf(thrown), stack: '', type: 'InvalidRequest' } });
      return;
    }
    call.sentAtMs = this.#deps.clock.monotonic();
    worker.inFlight.add(call);
    if (lane.deadline === undefined && this.#options.functionTimeoutMs !== undefined) {
      this.#armDeadline(lane, this.#options.functionTimeoutMs);
    }
    this.#write(lane, frame);
  }

  #cancelOn(lane: Lane, invocationId: string): void {
    if (!lane.worker.capabilities.cancel) return;
    const content = { $case: 'invocationCancel', value: { invocationId, gracePeriod: undefined } } as const;
    this.#write(lane, StreamingMessage.encode({ requestId: '', content }).finish());
  }

  #write(lane: Lane, frame: Uint8Array): void {
    if (lane.channel.send(frame) || lane.isBlocked) return;
    lane.isBlocked = true;
    this.#deps.meter.count('worker_back_pressure', 1, { app: this.#options.applicationId });
    lane.channel.drained().then(
      () => this.#relieve(lane),
      () => this.#relieve(lane),
    );
  }

  #relieve(lane: Lane): void {
    lane.isBlocked = false;
    if (!this.#lanes.includes(lane)) return;
    this.#options.onRelieved(lane.worker);
    this.#flush();
  }

  #armDeadline(lane: Lane, delayMs: number): void {
    lane.deadline = this.#deps.clock.schedule(delayMs, () => this.#checkDeadline(lane));
  }

  /** One timer per lane watches the call that has run longest, so a call costs no timer of its own. */
  #checkDeadline(lane: Lane): void {
    lane.deadline = undefined;
    const timeoutMs = this.#options.functionTimeoutMs;
    const oldest = lane.worker.inFlight.oldest();
    if (timeoutMs === undefined || oldest === undefined) return;
    const remainingMs = oldest.sentAtMs + timeoutMs - this.#deps.clock.monotonic();
    if (remainingMs > 0) {
      this.#armDeadline(lane, remainingMs);
      return;
    }
    lane.worker.inFlight.take(oldest.invocationId);
    this.#share.give();
    const { functionName, invocationId } = oldest;
    const timeout = formatTimeSpan(timeoutMs);
    // The function hears of it first, so that it can use the grace period of its worker to clean up.
    this.#cancelOn(lane, invocationId);
    settleLost(oldest, 'timeout', 'INVOCATION_TIMEOUT', { timeout, functionName, invocationId });
    this.#options.onTimeout(lane.worker);
  }
}

function settleLost(
  call: Call,
  reason: LossReason,
  code: RuntimeErrorCode,
  details: Readonly<Record<string, string | number>> = {},
): void {
  const result: CallResult = { kind: 'lost', reason, error: toInvocationError(runtimeErrors.create(code, details)) };
  call.settle(result);
}
