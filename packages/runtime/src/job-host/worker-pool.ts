/**
 * The workers of one code version of an app: lets them in, watches them, and asks the supply for others.
 *
 * Ownership: the code version owns its pool; the pool owns a seat for every worker that the supply announced, and moves the
 * worker through its states. The Runtime starts and kills nothing: the pool only asks.
 *
 * I1 The supply is told how many workers the app wants when the pool opens, unless that is none, and that it wants none
 *    when it closes.
 * I2 A worker that dropped may come back within `replacementMs`; after that it is released and another one is asked for,
 *    urgently when none is left. One that the supply never had is taken back whenever it comes.
 * I3 A worker that was never ready counts as a failed start, reported once, with its last output; only the supply's own
 *    pace decides when the next one starts.
 * I4 A worker in which an invocation hung is abandoned: it is told to end, released and never used again.
 * I5 A silent worker is lost when it is idle, and only gets nothing new when it is busy; any frame brings it back.
 * I6 `rest` leaves the standing workers; the others are told to end and given back, and no new one is asked for until the
 *    pool is woken. A pool that is woken meanwhile asks for one at once.
 * I7 `scaleTo` ends what is too many without a loss: a worker that runs something gets nothing new and ends when it is done,
 *    answers on their way to callers included.
 */
import type { Clock, Log, PlatformError, Random, Timer } from '@switchyard/kernel';
import type { ApplicationDefinition } from '@switchyard/model';
import {
  grpcStatus,
  type ReleaseReason,
  type SupplyEvent,
  type SupplyReason,
  type WorkerSupply,
} from '@switchyard/protocol';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import { runtimeErrors } from '../errors.ts';
import type { LogRelay } from '../invocation/log-relay.ts';
import type { RuntimeLimits } from '../limits.ts';
import { quoteStderr } from '../stderr-quote.ts';
import type { Worker, WorkerChannel } from '../worker-registry/worker.ts';
import type { HandshakePlan } from '../worker-stream/handshake.ts';
import type { StreamSession } from '../worker-stream/worker-stream.ts';
import type { Scaling } from './resolve-application.ts';
import { Seat } from './seat.ts';
import { StartFailures } from './start-failures.ts';
import { surplusSeats } from './surplus-seats.ts';
import { WorkerSession } from './worker-session.ts';

export interface WorkerPoolDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Carries the app's fields. */
  readonly log: Log;
  readonly supply: WorkerSupply;
  readonly dispatcher: Dispatcher;
  readonly relay: LogRelay;
}

export interface WorkerPoolOptions {
  readonly application: ApplicationDefinition;
  /** How many workers the app keeps, and how many it gets when it is woken. */
  readonly scaling: Pick<Scaling, 'standing' | 'active'>;
  readonly plan: HandshakePlan;
  /** Only the supply can end its workers: they are given back without a wait. */
  readonly ignoresTermination: boolean;
  readonly limits: RuntimeLimits;
  /** A worker became Ready, or one that was left. */
  readonly onChange: () => void;
  /** A worker failed before it was ever ready. */
  readonly onStartFailed: (error: PlatformError) => void;
  /** An invocation waits, nobody was there to take it, and workers were asked for. */
  readonly onWake?: () => void;
  /** Resolves when answers that are on their way to callers now have gone out. */
  readonly whenSettled?: () => Promise<void>;
}

export class WorkerPool {
  readonly #deps: WorkerPoolDeps;
  readonly #options: WorkerPoolOptions;
  readonly #seats = new Map<Worker, Seat>();
  readonly #failures: StartFailures;
  /** Set while an urgent wish for a first worker is on its way. */
  #wakeUp: Timer | undefined;
  /** Set from the end of a serving process until it is known whether somebody took its place. */
  #succession: Timer | undefined;
  /** How many workers the app wants now. */
  #wished: number;
  /** How many it keeps when nothing happens. */
  #standing: number;
  #failedStarts = 0;
  #isClosed = false;

  constructor(deps: WorkerPoolDeps, options: WorkerPoolOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#failures = new StartFailures(deps.log);
    this.#standing = options.scaling.standing;
    this.#wished = this.#standing;
  }

  get workers(): readonly Worker[] {
    return [...this.#seats.keys()];
  }

  /** How many workers the supply is asked for. */
  get wantedCount(): number {
    return this.#wished;
  }

  get readyCount(): number {
    return this.#count(({ isWanted, worker }) => isWanted && worker.state.kind === 'ready');
  }

  get startingCount(): number {
    return this.#count(({ isWanted, wasReady }) => isWanted && !wasReady);
  }

  get drainingCount(): number {
    return this.#count(({ isDraining }) => isDraining);
  }

  /** Starts that failed since a worker became ready. */
  get failedStarts(): number {
    return this.#failedStarts;
  }

  /** From now on the app has so many workers. Those that are too many end, the least busy first. */
  scaleTo(count: number, standing = this.#standing): void {
    if (this.#isClosed) return;
    this.#standing = standing;
    const seats = [...this.#seats.values()];
    const draining = seats.filter(({ isDraining }) => isDraining);
    const present = this.readyCount + this.startingCount;
    for (const seat of draining.slice(0, Math.max(0, count - present))) this.#takeBack(seat);
    if (count !== this.#wished) this.#ensure('normal', 'scale', count);
    const surplus = surplusSeats(seats, count);
    for (const seat of surplus) this.#drain(seat);
    if (surplus.length > 0) this.#options.onChange();
  }

  /** A worker that was told to take nothing new has answered the last of what it had. */
  drained(worker: Worker): void {
    const seat = this.#seats.get(worker);
    if (seat === undefined || !seat.isDraining) return;
    const retire = (): void => {
      if (!seat.isDraining || worker.inFlight.size > 0) return;
      seat.isDraining = false;
      this.#retire(seat, 'idle', 'it is not needed');
    };
    const settled = this.#options.whenSettled?.();
    if (settled === undefined) retire();
    else void settled.then(retire);
  }

  /** Asks for the first workers. */
  open(reason: SupplyReason, count: number): void {
    if (count > 0) this.#ensure('normal', reason, count);
  }

  /** An invocation waits and nobody is there to take it. */
  wake(): void {
    if (this.#isClosed || this.#wakeUp !== undefined) return;
    // Those that are still ending would count as workers that the app has.
    for (const seat of this.#seats.values()) if (!this.#takeBack(seat)) this.#giveBack(seat);
    this.#ensure('urgent', 'activate', Math.max(this.#options.scaling.active, this.#wished));
    this.#wakeUp = this.#deps.clock.schedule(this.#options.limits.replacementMs, () => {
      this.#wakeUp = undefined;
    });
    this.#options.onWake?.();
  }

  /** Nothing runs and nothing has for long: the app needs no more than its standing workers. */
  rest(): void {
    const standing = this.#standing;
    if (this.#isClosed) return;
    this.#ensure('normal', 'scale', standing);
    const ready = [...this.#seats.values()].filter((seat) => seat.isWanted && seat.wasReady);
    for (const seat of ready.slice(standing)) this.#retire(seat, 'idle', 'the app is idle');
    this.#wakeUp?.cancel();
    this.#wakeUp = undefined;
    this.#options.onChange();
  }

  /** Nobody waits for a worker any more that did not come: the supply need not go on trying. */
  giveUp(): void {
    const standing = this.#standing;
    if (!this.#isClosed && this.#wished > standing) this.#ensure('normal', 'scale', standing);
    this.#wakeUp?.cancel();
    this.#wakeUp = undefined;
  }

  /** Says again how many workers are wanted: another pool of the same version has said that it wants none. */
  renew(): void {
    if (!this.#isClosed && this.#wished > 0) this.#ensure('normal', 'replace');
  }

  /** The worker ends what it runs, and another one takes its place. */
  exchange(worker: Worker): void {
    const seat = this.#seats.get(worker);
    if (seat?.isWanted !== true) return;
    this.#drain(seat);
    this.renew();
  }

  /** True when there are more workers that serve than the app keeps. */
  get hasSpare(): boolean {
    const serving = [...this.#seats.values()].filter((seat) => seat.isWanted && seat.wasReady);
    return serving.length > this.#standing;
  }

  /** The supply announced a worker. */
  expect(worker: Worker): void {
    const { connectMs } = this.#options.limits;
    const seat = new Seat(worker);
    seat.deadline = this.#deps.clock.schedule(connectMs, () => {
      const error = this.#error(worker, 'WORKER_CONNECT_TIMEOUT', { timeoutMs: connectMs });
      this.startFailed(seat, error, 'start-failed');
    });
    this.#seats.set(worker, seat);
  }

  /** A stream of the worker opened. */
  admit(worker: Worker, channel: WorkerChannel): StreamSession {
    const seat = this.#seats.get(worker) ?? new Seat(worker);
    this.#seats.set(worker, seat);
    if (worker.channel !== undefined) this.#supersede(seat, worker.channel);
    seat.deadline = undefined;
    if (worker.state.kind === 'lost') worker.transition({ kind: 'initializing' });
    // Nobody ends the process of a worker that came by itself, so it is as good as before.
    if (!worker.isSupplied) seat.isWanted = true;
    worker.connect(channel);
    return new WorkerSession(this, this.#deps, this.#options, seat, channel);
  }

  /** The worker has dialled again: what is left of its older stream is over. */
  supersede(worker: Worker): void {
    const seat = this.#seats.get(worker);
    if (seat !== undefined && worker.channel !== undefined) this.#supersede(seat, worker.channel);
  }

  /** The process is gone. */
  exited(worker: Worker, event: Extract<SupplyEvent, { kind: 'exited' }>): void {
    const seat = this.#seats.get(worker);
    if (seat === undefined) return;
    const isWanted = seat.isWanted;
    seat.isDraining = false;
    worker.channel?.abort({ code: grpcStatus.unavailable, message: 'the worker process ended' });
    this.detach(seat, 'its process ended');
    seat.deadline = undefined;
    this.#seats.delete(worker);
    if (isWanted) this.#reportExit(seat, event);
  }

  /** A worker that departed long ago: nobody will report the end of a process that the supply does not know. */
  forget(worker: Worker): void {
    const seat = this.#seats.get(worker);
    if (seat !== undefined) seat.deadline = undefined;
    this.#seats.delete(worker);
  }

  /** No process could be started. */
  supplyFailed(event: Extract<SupplyEvent, { kind: 'failed' }>): void {
    const { applicationId } = event.application;
    const details = { applicationId, reason: event.message, retryInMs: event.retryInMs };
    this.#report(runtimeErrors.create('WORKER_NOT_STARTED', details));
  }

  /** The worker did not come as far as Ready: it is given back, and the JobHost hears why. */
  startFailed(seat: Seat, error: PlatformError, reason: ReleaseReason): void {
    const wasReady = seat.wasReady;
    seat.isWanted = false;
    this.detach(seat, error.message);
    this.#deps.supply.release(seat.worker.workerId, reason);
    if (wasReady) this.#deps.log.write('error', error.message, { ...this.#fields(seat.worker), code: error.code });
    else this.#report(error);
  }

  /** The stream of a worker that is still wanted dropped: it may come back, or is replaced. */
  dropped(seat: Seat, reason: string): void {
    const { worker, wasReady } = seat;
    this.detach(seat, reason);
    if (worker.state.kind === 'stopped' || seat.isDraining) this.#giveBack(seat);
    if (!seat.isWanted) return;
    if (wasReady) {
      this.#deps.log.write('warning', 'The stream of a worker dropped.', { ...this.#fields(worker), reason });
    }
    const { replacementMs, exitReportMs, restartMs } = this.#options.limits;
    const waitMs = worker.restart?.isAccepted === true ? restartMs : wasReady ? replacementMs : exitReportMs;
    seat.deadline = this.#deps.clock.schedule(waitMs, () => {
      seat.deadline = undefined;
      if (worker.channel !== undefined || !seat.isWanted) return;
      if (wasReady) this.#replace(seat, 'unresponsive');
      else this.startFailed(seat, this.#error(worker, 'WORKER_STREAM_ENDED', { reason }), 'start-failed');
    });
  }

  /** An invocation ran out of time on the worker. */
  abandon(worker: Worker): void {
    const seat = this.#seats.get(worker);
    if (seat === undefined || !worker.allows('abandoned')) return;
    const { channel } = worker;
    worker.transition({ kind: 'abandoned' });
    this.detach(seat, 'another invocation ran out of time on it');
    channel?.terminate();
    this.#replace(seat, 'invocation-timeout');
  }

  /** The worker answers nothing. */
  silent(seat: Seat): void {
    const { worker } = seat;
    if (worker.inFlight.size > 0) {
      if (worker.state.kind === 'ready') this.#setUnhealthy(worker, 'silent');
      return;
    }
    const { channel } = worker;
    const message = 'the worker answered no status request';
    this.#deps.log.write('error', 'A worker is silent and counts as lost.', this.#fields(worker));
    this.detach(seat, message);
    channel?.abort({ code: grpcStatus.deadlineExceeded, message });
    this.#replace(seat, 'unresponsive');
  }

  stalled(worker: Worker): void {
    if (worker.state.kind === 'ready') this.#setUnhealthy(worker, 'back-pressure');
  }

  /** The cause of its bad health is over. */
  recovered(worker: Worker, cause: 'silent' | 'back-pressure'): void {
    const { state } = worker;
    if (state.kind !== 'unhealthy' || state.cause !== cause) return;
    worker.transition({ kind: 'ready' });
    this.#deps.dispatcher.wake();
  }

  /**
   * Tells every worker to end, and the supply that none is wanted. A worker that ends by itself is given back once its
   * stream is over, so that its own clean-up is not cut short.
   */
  close(): void {
    this.#isClosed = true;
    this.#wakeUp?.cancel();
    this.#succession?.cancel();
    this.#ensure('normal', 'scale', 0);
    for (const seat of this.#seats.values()) this.#retire(seat, 'application-stopped', 'the app is being stopped');
  }

  #retire(seat: Seat, reason: ReleaseReason, why: string): void {
    const { worker } = seat;
    const { channel } = worker;
    seat.isWanted = false;
    seat.deadline = undefined;
    seat.leaving = reason;
    if (worker.allows('draining')) worker.transition({ kind: 'draining' });
    this.#deps.dispatcher.removeWorker(worker, why);
    seat.stopHeartbeat();
    const endsItself = worker.capabilities.terminate && !this.#options.ignoresTermination;
    if (channel === undefined || !endsItself) this.#giveBack(seat);
    channel?.terminate();
  }

  /** It gets nothing new; it ends as soon as nothing runs on it. */
  #drain(seat: Seat): void {
    const { worker } = seat;
    if (!seat.wasReady || worker.channel === undefined) {
      this.#retire(seat, 'idle', 'it is not needed');
      return;
    }
    seat.isWanted = false;
    seat.isDraining = true;
    seat.leaving = 'idle';
    this.#deps.dispatcher.closeLane(worker);
    if (worker.inFlight.size === 0) this.drained(worker);
  }

  /** A worker that was about to end is wanted again. False when it was not, or when it is too late. */
  #takeBack(seat: Seat): boolean {
    if (!seat.isDraining) return false;
    seat.isWanted = true;
    seat.isDraining = false;
    seat.leaving = undefined;
    this.#deps.dispatcher.openLane(seat.worker);
    return true;
  }

  #count(matches: (seat: Seat) => boolean): number {
    let count = 0;
    for (const seat of this.#seats.values()) if (matches(seat)) count += 1;
    return count;
  }

  /** True while a worker is on its way that may become ready. */
  get isStarting(): boolean {
    return [...this.#seats.values()].some((seat) => seat.isWanted && !seat.wasReady);
  }

  /** A worker became ready. */
  started(seat: Seat): void {
    seat.wasReady = true;
    this.#failedStarts = 0;
    this.#failures.forget();
  }

  /** True when a stream is still open. */
  get isConnected(): boolean {
    return this.workers.some((worker) => worker.channel !== undefined);
  }

  /** Takes the worker out of service; what ran on it is lost. */
  detach(seat: Seat, reason: string): void {
    const { worker } = seat;
    seat.stopHeartbeat();
    worker.disconnect();
    if (worker.state.kind === 'draining') worker.transition({ kind: 'stopped' });
    else if (worker.state.kind !== 'abandoned' && worker.allows('lost')) worker.transition({ kind: 'lost' });
    this.#deps.dispatcher.removeWorker(worker, reason);
    this.#options.onChange();
  }

  /** Gives a worker back that was told to end. */
  #giveBack(seat: Seat): void {
    if (seat.leaving === undefined) return;
    this.#deps.supply.release(seat.worker.workerId, seat.leaving);
    seat.leaving = undefined;
    seat.isDraining = false;
  }

  #supersede(seat: Seat, channel: WorkerChannel): void {
    const { workerId } = seat.worker;
    const error = runtimeErrors.create('WORKER_SUPERSEDED', { workerId });
    channel.abort({ code: error.definition.grpc, message: error.message });
    this.detach(seat, error.message);
  }

  #replace(seat: Seat, reason: ReleaseReason): void {
    seat.isWanted = false;
    seat.isDraining = false;
    this.#deps.supply.release(seat.worker.workerId, reason);
    if (!this.#isClosed) this.#ensure(this.#deps.dispatcher.laneCount === 0 ? 'urgent' : 'normal', 'replace');
  }

  #reportExit(seat: Seat, event: Extract<SupplyEvent, { kind: 'exited' }>): void {
    const { worker } = seat;
    const how = event.exitCode === null ? `signal ${event.signal}` : `exit code ${event.exitCode}`;
    if (seat.wasReady) {
      const isOrderly = event.exitCode === 0 || event.exitCode === intentionalRestart;
      // Nobody asked for an end with 0: the app has called process.exit, and what it had in hand is lost.
      const level = event.exitCode === intentionalRestart ? 'information' : isOrderly ? 'warning' : 'error';
      this.#deps.log.write(level, 'A worker process ended; another one is started.', {
        ...this.#fields(worker),
        how,
        ...(isOrderly || event.stderrTail.length === 0 ? {} : { output: event.stderrTail.join('\n') }),
      });
      this.#watchSuccession();
      return;
    }
    // Without a code and a signal there was no process; the supply says why in an event of its own.
    if (event.exitCode === null && event.signal === null) return;
    this.#report(this.#error(worker, 'WORKER_EXITED', { how, stderr: quoteStderr(event.stderrTail) }));
  }

  #watchSuccession(): void {
    if (this.#isClosed || this.#succession !== undefined) return;
    this.#succession = this.#deps.clock.schedule(this.#options.limits.replacementMs, () => {
      this.#succession = undefined;
      if (this.#deps.dispatcher.laneCount === 0) this.#ensure('urgent', 'replace');
    });
  }

  #setUnhealthy(worker: Worker, cause: 'silent' | 'back-pressure'): void {
    worker.transition({ kind: 'unhealthy', cause });
    this.#deps.log.write('warning', 'A worker gets no new invocations for now.', { ...this.#fields(worker), cause });
  }

  #report(error: PlatformError): void {
    if (this.#isClosed) return;
    this.#failedStarts += 1;
    this.#failures.report(error);
    this.#options.onStartFailed(error);
  }

  #error(
    worker: Worker,
    code: 'WORKER_CONNECT_TIMEOUT' | 'WORKER_STREAM_ENDED' | 'WORKER_EXITED',
    details: Readonly<Record<string, string | number>>,
  ): PlatformError {
    return runtimeErrors.create(code, {
      workerId: worker.workerId,
      applicationId: worker.application.applicationId,
      stderr: quoteStderr(worker.stderrTail),
      ...details,
    });
  }

  #ensure(urgency: 'normal' | 'urgent', reason: SupplyReason, count = this.#wished): void {
    this.#wished = count;
    this.#deps.supply.ensure({ application: this.#options.application, count, urgency, reason });
  }

  #fields(worker: Worker): Readonly<Record<string, string>> {
    return { category: 'Host.Worker', workerId: worker.workerId };
  }
}

/** The exit code by which a worker asks to be started again; the official host calls it IntentionalRestartExitCode. */
const intentionalRestart = 200;
