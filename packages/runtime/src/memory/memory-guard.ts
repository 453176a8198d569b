/**
 * Keeps the Runtime from running out of memory: closes the intake in time, and opens it when there is room again.
 *
 * Phases: open <-> closed (nothing new is taken); any -> ended. Ownership: the Runtime owns it; it looks every `memoryCheckMs`.
 * Source of the numbers: the runtime design's table of failures (above 90 % pause, above 85 % after a collection drain the two
 * oldest workers, above 70 % ask for fewer).
 *
 * I1 Above `closeAbove` the intake closes at once, and garbage is collected where that can be asked for.
 * I2 While the intake is closed and more than `drainAbove` is used, the oldest workers are drained, `drainCount` at each look.
 * I3 The intake opens when no more than `drainAbove` is used, and not before.
 * I4 Above `pressureAbove` whoever scales is told, at each look.
 * I5 After `stop` nothing is looked at, and the intake is left as it is.
 */
import { type Clock, type Log, StateMachine, type Timer } from '@switchyard/kernel';

/** The memory of this process. */
export interface MemoryPort {
  /** What is used, as a part of what may be: 0 to 1. */
  utilization(): number;
  /** Collects garbage now; left out where that cannot be asked for. */
  collect?(): void;
}

/** What the guard can do. */
export interface MemoryActions {
  /** Takes nothing new, or takes it again; what runs goes on. */
  closeIntake(isClosed: boolean): void;
  /** Lets so many workers end what they run and be replaced, the oldest first. */
  drainOldest(count: number): void;
  /** The memory runs short: fewer workers, or fewer apps, would help. */
  pressed(utilization: number): void;
}

export interface MemoryGuardDeps {
  readonly clock: Pick<Clock, 'schedule'>;
  readonly log: Log;
  readonly memory: MemoryPort;
  readonly actions: MemoryActions;
}

export interface MemoryGuardOptions {
  readonly memoryCheckMs: number;
}

/** Parts of the memory. */
export const memoryThresholds = { closeAbove: 0.9, drainAbove: 0.85, pressureAbove: 0.7, drainCount: 2 } as const;

type State =
  | { readonly kind: 'open'; readonly timer: Timer }
  | { readonly kind: 'closed'; readonly timer: Timer }
  | { readonly kind: 'ended' };

const edges = { open: ['open', 'closed', 'ended'], closed: ['open', 'closed', 'ended'], ended: [] } as const;

export class MemoryGuard {
  readonly #deps: MemoryGuardDeps;
  readonly #options: MemoryGuardOptions;
  readonly #machine: StateMachine<State>;

  constructor(deps: MemoryGuardDeps, options: MemoryGuardOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#machine = new StateMachine<State>({ kind: 'open', timer: this.#schedule() }, edges);
  }

  /** Nothing is looked at any more. */
  stop(): void {
    const { state } = this.#machine;
    if (state.kind === 'ended') return;
    state.timer.cancel();
    this.#machine.transition({ kind: 'ended' });
  }

  #schedule(): Timer {
    return this.#deps.clock.schedule(this.#options.memoryCheckMs, () => this.#look());
  }

  #look(): void {
    const { memory, actions } = this.#deps;
    const { closeAbove, drainAbove, pressureAbove, drainCount } = memoryThresholds;
    let used = memory.utilization();
    let isClosed = this.#machine.kind === 'closed';
    if (used > pressureAbove) actions.pressed(used);
    if (used > closeAbove) {
      if (!isClosed) this.#closeIntake(used);
      isClosed = true;
      memory.collect?.();
      used = memory.utilization();
    }
    if (isClosed && used > drainAbove) actions.drainOldest(drainCount);
    else if (isClosed) {
      isClosed = false;
      this.#deps.log.write('information', 'There is memory again: the Runtime takes new work.', { used: shown(used) });
      actions.closeIntake(false);
    }
    this.#machine.transition({ kind: isClosed ? 'closed' : 'open', timer: this.#schedule() });
  }

  #closeIntake(used: number): void {
    const fields = { used: shown(used), limit: memoryThresholds.closeAbove };
    this.#deps.log.write('error', 'The memory runs short: the Runtime takes nothing new.', fields);
    this.#deps.actions.closeIntake(true);
  }
}

function shown(used: number): number {
  return Math.round(used * 1_000) / 1_000;
}
