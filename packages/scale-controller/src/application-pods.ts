/**
 * Keeps the wished number of workers of one app alive, taken from the pools.
 *
 * Phases: Supervising <-> BackingOff (after a failure, until the wait is over) -> Closed.
 * Ownership: the supply owns one of these per app version; this one owns the pods that serve the app. A pod is *wanted* from
 * its assignment until it is released or ends by itself; only wanted ones count.
 *
 * I1 Pods that are wanted or on their way never outnumber the wish.
 * I2 While the wish is not met, either a start is under way or a timer runs that leads to one: it never gives up.
 * I3 `expected` is announced before the assignment, and `exited` follows for every announced worker, once.
 * I4 Waits grow with every failure in a row, up to their maximum; a healthy period starts them anew.
 * I5 A pod that has seen the app never goes back to a pool.
 * I6 After `close` nothing starts.
 */
import {
  backoffMs,
  type Clock,
  type Log,
  type Meter,
  messageOf,
  type PlatformError,
  type Random,
  StateMachine,
  type Timer,
  withDeadline,
} from '@switchyard/kernel';
import type { ApplicationDefinition, Stack } from '@switchyard/model';
import type {
  AssignmentSource,
  AssignOutcome,
  Pod,
  PodEnd,
  ReleaseReason,
  StackAssignment,
  SupplyEvent,
  SupplyRequest,
} from '@switchyard/protocol';
import { scaleErrors } from './errors.ts';
import type { SupplyLimits } from './limits.ts';
import { type StackPool, stackLabel } from './stack-pool.ts';

export interface ApplicationPodsDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly meter: Meter;
  readonly assignments: AssignmentSource;
  readonly poolOf: (stack: Stack) => StackPool;
}

export interface ApplicationPodsOptions {
  readonly application: ApplicationDefinition;
  /** The Runtime that its workers serve, where several share the supply. */
  readonly runtimeId?: string | undefined;
  readonly limits: SupplyLimits;
  readonly emit: (event: SupplyEvent) => void;
}

type State =
  | { readonly kind: 'Supervising' }
  | { readonly kind: 'BackingOff'; readonly timer: Timer; readonly untilMs: number }
  | { readonly kind: 'Closed' };

const edges = {
  Supervising: ['BackingOff', 'Closed'],
  BackingOff: ['BackingOff', 'Supervising', 'Closed'],
  Closed: [],
} as const;

/** Releases for these reasons say that the worker did not do its job: a replacement at once would fare no better. */
const failureReasons: ReadonlySet<ReleaseReason> = new Set(['start-failed', 'protocol-error', 'unresponsive']);

/** Releases for these reasons leave the worker no time: it hangs. */
const hungReasons: ReadonlySet<ReleaseReason> = new Set(['invocation-timeout', 'unresponsive']);

interface Seat {
  readonly pod: Pod;
  readonly sinceMs: number;
  isWanted: boolean;
  /** True when a `failed` event has told why it did not come up. */
  isExplained: boolean;
}

export class ApplicationPods {
  readonly #deps: ApplicationPodsDeps;
  readonly #options: ApplicationPodsOptions;
  readonly #machine = new StateMachine<State>({ kind: 'Supervising' }, edges);
  readonly #seats = new Map<string, Seat>();
  #starting = 0;
  #wished = 0;
  #failures = 0;

  constructor(deps: ApplicationPodsDeps, options: ApplicationPodsOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  get workerIds(): readonly string[] {
    return [...this.#seats.keys()];
  }

  get pods(): readonly Pod[] {
    return [...this.#seats.values()].map(({ pod }) => pod);
  }

  /** Nothing is wished and nothing is left. */
  get isIdle(): boolean {
    return this.#wished === 0 && this.#starting === 0 && this.#seats.size === 0 && this.#machine.kind === 'Supervising';
  }

  wish({ count, urgency }: SupplyRequest): void {
    this.#wished = count;
    const { state } = this.#machine;
    if (state.kind === 'BackingOff' && urgency === 'urgent') this.#hurry(state);
    this.#reconcile();
  }

  /** Ends a worker that is no longer wanted. Returns false when it is none of this app's. */
  release(workerId: string, reason: ReleaseReason): boolean {
    const seat = this.#seats.get(workerId);
    if (seat === undefined) return false;
    if (!seat.isWanted) return true;
    seat.isWanted = false;
    this.#deps.log.write('debug', 'Worker released', { workerId, reason });
    seat.pod.stop(hungReasons.has(reason) ? 0 : this.#options.limits.terminationGraceMs);
    if (failureReasons.has(reason)) this.#backOff(seat);
    this.#reconcile();
    return true;
  }

  close(graceMs: number): void {
    const { state } = this.#machine;
    if (state.kind === 'BackingOff') state.timer.cancel();
    if (state.kind !== 'Closed') this.#machine.transition({ kind: 'Closed' });
    for (const seat of this.#seats.values()) seat.pod.stop(graceMs);
  }

  get #missing(): number {
    let present = this.#starting;
    for (const seat of this.#seats.values()) if (seat.isWanted) present += 1;
    return Math.max(0, this.#wished - present);
  }

  #reconcile(): void {
    if (this.#machine.kind !== 'Supervising') return;
    while (this.#missing > 0) {
      this.#starting += 1;
      this.#start().catch((thrown: unknown) =>
        this.#deps.log.write('critical', 'A worker start broke off', { reason: messageOf(thrown) }),
      );
    }
  }

  async #start(): Promise<void> {
    let taken: { readonly pool: StackPool; readonly pod: Pod; readonly found: StackAssignment };
    try {
      const found = await this.#assignment();
      const pool = this.#deps.poolOf(found.stack);
      taken = { pool, found, pod: await pool.take() };
    } catch (thrown) {
      this.#starting -= 1;
      this.#failed(thrown);
      return;
    }
    this.#starting -= 1;
    const { pool, pod, found } = taken;
    if (this.#machine.kind !== 'Supervising' || this.#missing === 0) {
      pool.giveBack(pod);
      this.#reconcile();
      return;
    }
    await this.#assign(pod, found);
  }

  async #assignment(): Promise<StackAssignment> {
    const { application, runtimeId, limits } = this.#options;
    const { applicationId } = application;
    const late = (): Error => new Error(`no answer within ${limits.assignmentMs} ms`);
    try {
      const asked = this.#deps.assignments.assignmentOf(application, runtimeId);
      return await withDeadline(this.#deps.clock, limits.assignmentMs, asked, late);
    } catch (thrown) {
      throw scaleErrors.create('SCALE_ASSIGNMENT_UNKNOWN', { applicationId, reason: messageOf(thrown) }, thrown);
    }
  }

  async #assign(pod: Pod, found: StackAssignment): Promise<void> {
    const { application, runtimeId, emit } = this.#options;
    const { workerId } = pod;
    const seat: Seat = { pod, sinceMs: this.#deps.clock.monotonic(), isWanted: true, isExplained: false };
    this.#seats.set(workerId, seat);
    void pod.ended.then((end) => this.#ended(seat, end));
    emit({ kind: 'expected', workerId, application, ...(runtimeId === undefined ? {} : { runtimeId }) });
    const outcome = await this.#assignTo(pod, found);
    this.#measure(seat, found, outcome.kind === 'assigned' ? 'assigned' : 'failed');
    if (outcome.kind === 'assigned') return;
    // A pod that was released meanwhile, or has ended, has been accounted for.
    if (!seat.isWanted) return;
    seat.isWanted = false;
    seat.isExplained = true;
    pod.stop(0);
    this.#failed(outcome.error);
  }

  /** How long it took to make a placeholder the worker of the app. */
  #measure({ sinceMs }: Seat, { stack }: StackAssignment, outcome: 'assigned' | 'failed'): void {
    const { clock, meter } = this.#deps;
    const labels = { stack: stackLabel(stack), outcome };
    meter.observe('worker_specialization_ms', clock.monotonic() - sinceMs, labels);
  }

  async #assignTo(pod: Pod, found: StackAssignment): Promise<AssignOutcome | { kind: 'failed'; error: unknown }> {
    const { assignments } = this.#deps;
    try {
      const token = (await assignments.tokenOf?.(found, pod.workerId)) ?? found.assignment.token;
      return await pod.assign({ ...found.assignment, token });
    } catch (error) {
      return { kind: 'failed', error };
    }
  }

  #ended(seat: Seat, end: PodEnd): void {
    const { workerId } = seat.pod;
    const { emit } = this.#options;
    this.#seats.delete(workerId);
    const { exitCode, signal, stderrTail } = end;
    // Without a code and a signal the reader knows that another event tells why.
    emit({ kind: 'exited', workerId, stderrTail, ...(seat.isExplained ? noExit : { exitCode, signal }) });
    if (seat.isWanted) this.#backOff(seat);
    this.#reconcile();
  }

  #failed(thrown: unknown): void {
    if (this.#machine.kind === 'Closed' || this.#missing === 0) return;
    const { application, runtimeId, emit } = this.#options;
    const { applicationId } = application;
    const isOurs = (thrown as Partial<PlatformError>).code === 'SCALE_ASSIGNMENT_UNKNOWN';
    const reason = messageOf(thrown);
    const message = isOurs ? reason : scaleErrors.create('SCALE_WORKER_FAILED', { applicationId, reason }).message;
    const retryInMs = this.#backOff();
    emit({ kind: 'failed', application, message, retryInMs, ...(runtimeId === undefined ? {} : { runtimeId }) });
  }

  /** Begins a wait after a failure, or joins the one that is on. Returns how long it lasts. */
  #backOff(seat?: Seat): number {
    const { clock, random } = this.#deps;
    const { healthyAfterMs, restartBackoff } = this.#options.limits;
    const { state } = this.#machine;
    const nowMs = clock.monotonic();
    if (state.kind === 'Closed') return 0;
    if (state.kind === 'BackingOff') return Math.max(0, state.untilMs - nowMs);
    if (seat !== undefined && nowMs - seat.sinceMs >= healthyAfterMs) this.#failures = 0;
    const waitMs = backoffMs(restartBackoff, this.#failures, random);
    this.#failures += 1;
    this.#waitFor(waitMs);
    return waitMs;
  }

  #hurry(state: Extract<State, { kind: 'BackingOff' }>): void {
    const { urgentRestartMs } = this.#options.limits;
    if (state.untilMs - this.#deps.clock.monotonic() <= urgentRestartMs) return;
    state.timer.cancel();
    this.#waitFor(urgentRestartMs);
  }

  #waitFor(waitMs: number): void {
    const timer = this.#deps.clock.schedule(waitMs, () => {
      this.#machine.transition({ kind: 'Supervising' });
      this.#reconcile();
    });
    this.#machine.transition({ kind: 'BackingOff', timer, untilMs: this.#deps.clock.monotonic() + waitMs });
  }
}

const noExit = { exitCode: null, signal: null } as const;
