/**
 * Runs a function on its schedule.
 *
 * Phases: Idle until `start`; then Waiting for the next occurrence and Running the function by turns; Draining while the
 * last run ends; Stopped. The wait's timer and the run belong to the state that owns them.
 * Ownership: the JobHost owns the listener. Nothing here keeps the process alive.
 *
 * I1 The function never runs twice at the same time.
 * I2 It never runs before its occurrence; a run that takes too long delays the next one, and of several missed
 *    occurrences one is made up for.
 * I3 The status is written after every run, failed ones too, but not while nobody knows whether the run took place.
 * I4 A run that was lost is tried again, as past due, until the next occurrence or until its tries are spent.
 * I5 After `drain` or `close` no run begins.
 * I6 A status that cannot be read or written costs a warning, never a run.
 */
import {
  type BackoffOptions,
  backoffMs,
  createDeferred,
  type Edges,
  messageOf,
  StateMachine,
  type Timer,
  withDeadline,
} from '@switchyard/kernel';
import { isSubMinute, type Schedule, type TimeZone } from '@switchyard/model';
import { aborted } from '../aborted.ts';
import type { ListenerContext, TriggerEvent, TriggerListener } from '../contract.ts';
import { triggerErrors } from '../errors.ts';
import { describeFiring, timerDetails, toTimerData } from './timer-payload.ts';
import { firstTry, planAfterRun, type TimerRun } from './timer-run.ts';
import { planTimerStart, type TimerStatus } from './timer-status.ts';
import type { TimerKey, TimerStatusStore } from './timer-status-store.ts';

/** A timerTrigger binding, parsed. */
export interface TimerOptions {
  readonly schedule: Schedule;
  readonly zone: TimeZone;
  readonly runOnStartup: boolean;
  /** False, or a schedule of more than one occurrence a minute: no status is kept. */
  readonly useMonitor: boolean;
}

/** What the listener works with. */
export interface TimerListenerDeps {
  readonly context: ListenerContext;
  readonly status: TimerStatusStore;
}

/** Waits are cut so that a machine that slept or whose clock was set finds out within this time. */
const maxWaitMs = 600_000;

/** A store that takes longer counts as out of order. */
const statusTimeoutMs = 10_000;

/** How a lost run is tried again. */
const retryBackoff: BackoffOptions = { minimumMs: 1_000, maximumMs: 60_000, factor: 2, jitter: 0.2 };

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'waiting'; readonly timer: Timer }
  | { readonly kind: 'running'; readonly ended: Promise<void> }
  /** The schedule has no further occurrence. */
  | { readonly kind: 'exhausted' }
  | { readonly kind: 'draining'; readonly ended: Promise<void> }
  | { readonly kind: 'stopped' };

const edges: Edges<State['kind']> = {
  idle: ['waiting', 'exhausted', 'stopped'],
  waiting: ['waiting', 'running', 'stopped'],
  running: ['waiting', 'exhausted', 'draining', 'stopped'],
  exhausted: ['stopped'],
  draining: ['stopped'],
  stopped: [],
};

export class TimerListener implements TriggerListener {
  readonly #deps: TimerListenerDeps;
  readonly #options: TimerOptions;
  readonly #key: TimerKey;
  readonly #state = new StateMachine<State>({ kind: 'idle' }, edges);
  #keepsStatus = false;
  #status: TimerStatus = { lastMs: undefined, nextMs: undefined, lastUpdatedMs: undefined };

  constructor(deps: TimerListenerDeps, options: TimerOptions) {
    this.#deps = deps;
    this.#options = options;
    const { applicationId, hostId, functionName } = deps.context;
    this.#key = { applicationId, hostId, functionName };
  }

  async start(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps.context;
    const { schedule, zone } = this.#options;
    this.#keepsStatus = this.#options.useMonitor && !isSubMinute(schedule, clock.now(), zone);
    const stored = this.#keepsStatus ? await this.#readStatus(signal) : undefined;
    signal.throwIfAborted();
    const nowMs = clock.now();
    const plan = planTimerStart(stored, this.#options, nowMs);
    this.#status = plan.status;
    if (plan.changed) await this.#writeStatus();
    if (this.#state.kind !== 'idle') return;
    log.write('debug', 'Timer started', { schedule: schedule.text, zone: zone.name, nextMs: plan.status.nextMs });
    this.#waitFor(this.#firstRun(plan.missedMs, nowMs));
  }

  async drain(signal: AbortSignal): Promise<void> {
    const state = this.#state.state;
    if (state.kind !== 'running' && state.kind !== 'draining') return this.close();
    if (state.kind === 'running') this.#state.transition({ kind: 'draining', ended: state.ended });
    await Promise.race([state.ended, aborted(signal)]);
    await this.close();
  }

  async close(): Promise<void> {
    const state = this.#state.state;
    if (state.kind === 'waiting') state.timer.cancel();
    if (state.kind !== 'stopped') this.#state.transition({ kind: 'stopped' });
  }

  #firstRun(missedMs: number | undefined, nowMs: number): TimerRun | undefined {
    if (missedMs !== undefined) return firstTry(nowMs, 'IsPastDue', missedMs);
    if (this.#options.runOnStartup) return firstTry(nowMs, 'RunOnStartup');
    return this.#status.nextMs === undefined ? undefined : firstTry(this.#status.nextMs);
  }

  /** Waits slice by slice until the run is due by the wall clock. */
  #wait(run: TimerRun): void {
    const { clock } = this.#deps.context;
    const delayMs = Math.min(maxWaitMs, Math.max(0, run.dueMs - clock.now()));
    const timer = clock.schedule(delayMs, () => {
      if (clock.now() < run.dueMs) this.#wait(run);
      else this.#begin(run);
    });
    this.#state.transition({ kind: 'waiting', timer });
  }

  #begin(run: TimerRun): void {
    const ended = createDeferred<void>();
    this.#state.transition({ kind: 'running', ended: ended.promise });
    this.#run(run).then(ended.resolve, ended.reject);
  }

  async #run(run: TimerRun): Promise<void> {
    const { clock, random } = this.#deps.context;
    const firedMs = clock.now();
    const outcome = await this.#deps.context.invoke(this.#toEvent(run, firedMs));
    if (this.#state.kind === 'stopped') return;
    const delayMs = outcome.kind === 'lost' ? backoffMs(retryBackoff, run.attempt, random) : 0;
    const retryAtMs = clock.now() + delayMs;
    const after = planAfterRun(run, outcome, this.#options, firedMs, retryAtMs);
    if (after.status !== undefined) {
      this.#status = after.status;
      await this.#writeStatus();
    }
    if (this.#state.kind === 'running') this.#waitFor(after.next);
  }

  #waitFor(run: TimerRun | undefined): void {
    if (run === undefined) this.#state.transition({ kind: 'exhausted' });
    else this.#wait(run);
  }

  #toEvent(run: TimerRun, firedMs: number): TriggerEvent {
    const { zone } = this.#options;
    const shown = this.#keepsStatus ? this.#status : undefined;
    const event: TriggerEvent = {
      data: toTimerData(this.#options, shown, run.reason === 'IsPastDue'),
      ...describeFiring(firedMs, zone),
    };
    return run.reason === undefined ? event : { ...event, details: timerDetails(run.reason, run.originalMs, zone) };
  }

  async #readStatus(signal: AbortSignal): Promise<TimerStatus | undefined> {
    try {
      return await this.#inTime(this.#deps.status.read(this.#key, signal));
    } catch (thrown) {
      this.#warn('The status of a timer could not be read; the timer starts afresh', thrown);
      return undefined;
    }
  }

  async #writeStatus(): Promise<void> {
    if (!this.#keepsStatus) return;
    try {
      await this.#inTime(this.#deps.status.write(this.#key, this.#status));
    } catch (thrown) {
      this.#warn('The status of a timer could not be written; a restart may miss or repeat a run', thrown);
    }
  }

  #inTime<T>(promise: Promise<T>): Promise<T> {
    const late = (): Error => triggerErrors.create('TIMER_STATUS_LATE', { timeoutMs: statusTimeoutMs });
    return withDeadline(this.#deps.context.clock, statusTimeoutMs, promise, late);
  }

  #warn(message: string, thrown: unknown): void {
    this.#deps.context.log.write('warning', message, {
      category: 'Host.Triggers.Timer',
      function: this.#deps.context.functionName,
      error: messageOf(thrown),
    });
  }
}
