/**
 * Whether the listeners of an app listen: they pause for an administrator's drain and while the app is offline, and start
 * anew afterwards.
 *
 * Phases: Idle -> On duty <-> Paused -> Closed. Ownership: the JobHost; every set of listeners belongs to one stretch of duty.
 *
 * I1 Listeners run exactly while somebody started them and no reason to pause holds.
 * I2 A pause lets what runs end, and cancels nothing.
 * I3 After `drain` nothing starts again, and all sets of listeners are closed when it resolves.
 * I4 With a gate, each listener runs only while the gate lets that function listen; the others do not notice.
 */
import type { Clock, Timer } from '@switchyard/kernel';
import type { ListenerGate } from '../contract.ts';
import type { FunctionBacklog } from '../load/function-backlog.ts';
import type { FunctionEntry } from './function-entry.ts';
import type { ListenerSet } from './listener-set.ts';

/**
 * Why listeners pause: an administrator drains the host, or took the app offline; app_offline.htm is there; memory is short; the
 * app's health monitor finds the host unhealthy.
 */
export type PauseReason = 'drain' | 'state' | 'file' | 'memory' | 'health';

export interface ListenerDutyDeps {
  readonly clock: Clock;
  readonly createSet: () => Set_;
  /** Where several Runtimes host the app: which functions may listen here. Left out, all of them may. */
  readonly gate?: FunctionGate | undefined;
  /** True while app_offline.htm is there; asked once a second. Left out, nobody looks. */
  readonly isOffline?: (() => boolean) | undefined;
}

/** Says which functions may listen, and when that has changed. */
export interface FunctionGate {
  mayListen(entry: FunctionEntry): boolean;
  /** Returns the unsubscriber. */
  watch(observer: () => void): () => void;
}

type Set_ = Pick<ListenerSet, 'start' | 'drain' | 'backlogs'>;

/** Functions whose listeners start and pause together. */
interface Group {
  readonly entries: readonly FunctionEntry[];
  readonly mayListen: () => boolean;
  listening: Set_ | undefined;
}

const offlineCheckMs = 1_000;

export class ListenerDuty {
  readonly #deps: ListenerDutyDeps;
  readonly #pauses = new Set<PauseReason>();
  /** Sets that are not closed yet: those that listen, and those that end what they have begun. */
  readonly #sets = new Set<Set_>();
  #groups: readonly Group[] | undefined;
  #isClosed = false;
  #leaveGate: (() => void) | undefined;
  #check: Timer | undefined;

  constructor(deps: ListenerDutyDeps) {
    this.#deps = deps;
  }

  /** Starts the listeners, unless a pause holds. Again: changes nothing. */
  start(entries: readonly FunctionEntry[]): void {
    if (this.#groups !== undefined || this.#isClosed) return;
    const { gate } = this.#deps;
    this.#groups = toGroups(entries, gate);
    this.#leaveGate = gate?.watch(() => this.#settle());
    this.#look();
    this.#settle();
  }

  isPausedBy(reason: PauseReason): boolean {
    return this.#pauses.has(reason);
  }

  /** True while listeners that were told to pause have something under way. */
  get isPausing(): boolean {
    const listening = (this.#groups ?? []).filter((group) => group.listening !== undefined);
    return this.#sets.size > listening.length;
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
    const listening = (this.#groups ?? []).flatMap((group) => group.listening ?? []);
    return (await Promise.all(listening.map((set) => set.backlogs(signal)))).flat();
  }

  /** Ends it all; `deadlineMs` limits the time for what runs. */
  async drain(deadlineMs?: number): Promise<void> {
    this.#isClosed = true;
    for (const group of this.#groups ?? []) group.listening = undefined;
    this.#check?.cancel();
    this.#leaveGate?.();
    await Promise.all([...this.#sets].map((set) => set.drain(deadlineMs)));
  }

  #settle(): void {
    if (this.#isClosed) return;
    for (const group of this.#groups ?? []) this.#settleGroup(group);
  }

  #settleGroup(group: Group): void {
    const listens = this.#pauses.size === 0 && group.mayListen();
    if (listens && group.listening === undefined) {
      const set = this.#deps.createSet();
      group.listening = set;
      this.#sets.add(set);
      set.start(group.entries);
    } else if (!listens && group.listening !== undefined) {
      const set = group.listening;
      group.listening = undefined;
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

/** Without a gate all listeners share one set; with one, each of them comes and goes by itself. */
function toGroups(entries: readonly FunctionEntry[], gate: FunctionGate | undefined): readonly Group[] {
  if (gate === undefined) return [{ entries, mayListen: () => true, listening: undefined }];
  return entries.map((entry) => ({ entries: [entry], mayListen: () => gate.mayListen(entry), listening: undefined }));
}

/** The part of the gate that one app sees. */
export function toFunctionGate(listeners: ListenerGate, applicationId: string): FunctionGate {
  return {
    mayListen: ({ metadata: { name, trigger } }) => listeners.mayListen(applicationId, name, trigger.type),
    watch: (observer) => listeners.watch((changed) => changed === applicationId && observer()),
  };
}
