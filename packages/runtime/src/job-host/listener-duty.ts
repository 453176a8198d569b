/**
 * Whether the listeners of an app listen: they pause for an administrator's drain and while the app is offline, and start
 * anew afterwards.
 *
 * Phases: Idle -> On duty <-> Paused -> Closed. Ownership: the JobHost; every set of listeners belongs to one stretch of duty.
 *
 * I1 Listeners run exactly while somebody started them and no reason to pause holds.
 * I2 A pause lets what runs end, and cancels nothing.
 * I3 After `drain` nothing starts again, and all sets of listeners are closed when it resolves.
 */
import type { Clock, Timer } from '@switchyard/kernel';
import type { FunctionBacklog } from '../load/function-backlog.ts';
import type { FunctionEntry } from './function-entry.ts';
import type { ListenerSet } from './listener-set.ts';

/** Why listeners pause: an administrator drains the host, or took the app offline; app_offline.htm is there; memory is short. */
export type PauseReason = 'drain' | 'state' | 'file' | 'memory';

export interface ListenerDutyDeps {
  readonly clock: Clock;
  readonly createSet: () => Set_;
  /** True while app_offline.htm is there; asked once a second. Left out, nobody looks. */
  readonly isOffline?: (() => boolean) | undefined;
}

type Set_ = Pick<ListenerSet, 'start' | 'drain' | 'backlogs'>;

const offlineCheckMs = 1_000;

export class ListenerDuty {
  readonly #deps: ListenerDutyDeps;
  readonly #pauses = new Set<PauseReason>();
  /** Sets that are not closed yet; the last one listens unless a pause holds. */
  readonly #sets = new Set<Set_>();
  #entries: readonly FunctionEntry[] | undefined;
  #listening: Set_ | undefined;
  #isClosed = false;
  #check: Timer | undefined;

  constructor(deps: ListenerDutyDeps) {
    this.#deps = deps;
  }

  /** Starts the listeners, unless a pause holds. Again: changes nothing. */
  start(entries: readonly FunctionEntry[]): void {
    if (this.#entries !== undefined || this.#isClosed) return;
    this.#entries = entries;
    this.#look();
    this.#settle();
  }

  isPausedBy(reason: PauseReason): boolean {
    return this.#pauses.has(reason);
  }

  /** True while listeners that were told to pause have something under way. */
  get isPausing(): boolean {
    return this.#sets.size > (this.#listening === undefined ? 0 : 1);
  }

  pause(reason: PauseReason): void {
    this.#pauses.add(reason);
    this.#settle();
  }

  resume(reason: PauseReason): void {
    this.#pauses.delete(reason);
    this.#settle();
  }

  /** What waits for its functions; nothing while a pause holds. */
  async backlogs(signal: AbortSignal): Promise<readonly FunctionBacklog[]> {
    return (await this.#listening?.backlogs(signal)) ?? [];
  }

  /** Ends it all; `deadlineMs` limits the time for what runs. */
  async drain(deadlineMs?: number): Promise<void> {
    this.#isClosed = true;
    this.#listening = undefined;
    this.#check?.cancel();
    await Promise.all([...this.#sets].map((set) => set.drain(deadlineMs)));
  }

  #settle(): void {
    if (this.#entries === undefined || this.#isClosed) return;
    const listens = this.#pauses.size === 0;
    if (listens && this.#listening === undefined) {
      const set = this.#deps.createSet();
      this.#listening = set;
      this.#sets.add(set);
      set.start(this.#entries);
    } else if (!listens && this.#listening !== undefined) {
      const set = this.#listening;
      this.#listening = undefined;
      void set.drain().then(() => this.#sets.delete(set));
    }
  }

  #look(): void {
    const { isOffline, clock } = this.#deps;
    if (isOffline === undefined || this.#isClosed) return;
    if (isOffline()) this.pause('file');
    else this.resume('file');
    this.#check = clock.schedule(offlineCheckMs, () => this.#look());
  }
}
