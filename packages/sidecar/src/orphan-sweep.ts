/**
 * Finds workers whose host was killed together with its guard, and ends them: every host looks, for the workers of all.
 *
 * Ownership: the composition root of a host or wrapper has one; it owns the timer.
 *
 * I1 A process is ended only when it carries a mark of this PID namespace whose owner is gone: no process of that number
 *    is left, or one that was started at another time.
 * I2 Its own start is looked at again right before the end: a number that was given away meanwhile is left alone.
 * I3 It looks at once and then every `intervalMs`, until `close`.
 * I4 A process that carries no mark is read twice and never again: before it runs its own program it has no mark yet.
 */
import { type Clock, type Log, StateMachine, type Timer } from '@switchyard/kernel';
import type { ProcessTable } from './node-processes-table.ts';
import type { ProcessOwner } from './process-owner.ts';

export interface OrphanSweepDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly table: ProcessTable;
}

export interface OrphanSweepOptions {
  readonly intervalMs: number;
}

/** An orphan is found within this time by any host that runs. */
export const defaultOrphanSweepOptions: OrphanSweepOptions = { intervalMs: 10_000 };

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'sweeping'; readonly timer: Timer }
  | { readonly kind: 'closed' };

const edges = { idle: ['sweeping', 'closed'], sweeping: ['sweeping', 'closed'], closed: [] } as const;

/** A process that carried no mark when it was looked at. */
interface Unmarked {
  readonly startTicks: string;
  readonly looks: number;
}

/** Looks after which a process without a mark counts as a stranger. */
const looksAtStrangers = 2;

export class OrphanSweep {
  readonly #deps: OrphanSweepDeps;
  readonly #options: OrphanSweepOptions;
  readonly #machine = new StateMachine<State>({ kind: 'idle' }, edges);
  #unmarked = new Map<number, Unmarked>();

  constructor(deps: OrphanSweepDeps, options: OrphanSweepOptions = defaultOrphanSweepOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Looks now, and from now on. Does nothing where processes cannot be told apart. */
  start(): void {
    if (this.#machine.kind === 'idle' && this.#deps.table.self() !== undefined) this.#next();
  }

  close(): void {
    const { state } = this.#machine;
    if (state.kind === 'sweeping') state.timer.cancel();
    if (state.kind !== 'closed') this.#machine.transition({ kind: 'closed' });
  }

  /** Looks once. Returns how many orphans were ended. */
  sweep(): number {
    const { table, log } = this.#deps;
    const self = table.self();
    if (self === undefined) return 0;
    const unmarked = new Map<number, Unmarked>();
    let ended = 0;
    for (const pid of table.pids()) {
      const found = this.#look(pid, unmarked);
      if (found === undefined || found.owner.namespace !== self.namespace || this.#isThere(found.owner)) continue;
      if (table.identityOf(pid)?.startTicks !== found.startTicks) continue;
      table.kill(pid);
      ended += 1;
      log.write('warning', 'A worker whose host is gone was ended.', { pid, ownerPid: found.owner.pid });
    }
    this.#unmarked = unmarked;
    return ended;
  }

  #next(): void {
    this.sweep();
    const timer = this.#deps.clock.schedule(this.#options.intervalMs, () => this.#next());
    this.#machine.transition({ kind: 'sweeping', timer });
  }

  /** A process with a mark; the others are remembered in `unmarked`. */
  #look(
    pid: number,
    unmarked: Map<number, Unmarked>,
  ): { readonly owner: ProcessOwner; readonly startTicks: string } | undefined {
    const { table } = this.#deps;
    const startTicks = table.identityOf(pid)?.startTicks;
    if (startTicks === undefined) return undefined;
    const before = this.#unmarked.get(pid);
    const looks = before?.startTicks === startTicks ? before.looks : 0;
    const owner = looks >= looksAtStrangers ? undefined : table.ownerOf(pid);
    if (owner !== undefined) return { owner, startTicks };
    unmarked.set(pid, { startTicks, looks: looks + 1 });
    return undefined;
  }

  #isThere({ pid, startTicks }: ProcessOwner): boolean {
    return this.#deps.table.identityOf(pid)?.startTicks === startTicks;
  }
}
