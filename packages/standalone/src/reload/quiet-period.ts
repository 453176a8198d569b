/**
 * Gathers changes until nothing more comes for a moment: one save is many events, a checkout thousands.
 *
 * Phases: Quiet -> Gathering -> Quiet; either -> Closed. Ownership: whoever makes it closes it.
 *
 * I1 `onQuiet` comes `quietMs` after the last change, and at most `longestMs` after the first.
 * I2 Every change is reported once: with the first `onQuiet` after it.
 * I3 No more than `maxPaths` paths are remembered; the others only count.
 * I4 After `close` nothing is reported.
 */
import { type Clock, StateMachine, type Timer } from '@switchyard/kernel';

export interface QuietPeriodOptions {
  readonly quietMs: number;
  readonly longestMs: number;
  readonly maxPaths: number;
}

/** An editor's save takes a few milliseconds; a compiler's writes come in bursts. */
export const defaultQuietPeriod: QuietPeriodOptions = { quietMs: 80, longestMs: 300, maxPaths: 100 };

/** What changed since the last report. */
export interface Changes {
  /** Each once, in the order in which they changed first. */
  readonly paths: readonly string[];
  /** Paths that changed beyond those. */
  readonly more: number;
  /** When the first change came, on the monotonic clock. */
  readonly sinceMs: number;
}

type State =
  | { readonly kind: 'quiet' }
  | {
      readonly kind: 'gathering';
      readonly paths: Set<string>;
      readonly sinceMs: number;
      readonly timer: Timer;
      readonly more: number;
    }
  | { readonly kind: 'closed' };

const edges = { quiet: ['gathering', 'closed'], gathering: ['gathering', 'quiet', 'closed'], closed: [] } as const;

export class QuietPeriod {
  readonly #clock: Clock;
  readonly #options: QuietPeriodOptions;
  readonly #onQuiet: (changes: Changes) => void;
  readonly #machine = new StateMachine<State>({ kind: 'quiet' }, edges);

  constructor(clock: Clock, options: QuietPeriodOptions, onQuiet: (changes: Changes) => void) {
    this.#clock = clock;
    this.#options = options;
    this.#onQuiet = onQuiet;
  }

  /** A path changed. */
  note(path: string): void {
    const { state } = this.#machine;
    if (state.kind === 'closed') return;
    const nowMs = this.#clock.monotonic();
    const { paths, sinceMs, more } =
      state.kind === 'gathering' ? state : { paths: new Set<string>(), sinceMs: nowMs, more: 0 };
    if (state.kind === 'gathering') state.timer.cancel();
    const isKnown = paths.has(path);
    const fits = paths.size < this.#options.maxPaths;
    if (fits) paths.add(path);
    const { quietMs, longestMs } = this.#options;
    const waitMs = Math.min(quietMs, Math.max(0, sinceMs + longestMs - nowMs));
    const timer = this.#clock.schedule(waitMs, () => this.#report());
    this.#machine.transition({ kind: 'gathering', paths, sinceMs, timer, more: more + (fits || isKnown ? 0 : 1) });
  }

  close(): void {
    const { state } = this.#machine;
    if (state.kind === 'gathering') state.timer.cancel();
    if (state.kind !== 'closed') this.#machine.transition({ kind: 'closed' });
  }

  #report(): void {
    const { state } = this.#machine;
    if (state.kind !== 'gathering') return;
    this.#machine.transition({ kind: 'quiet' });
    this.#onQuiet({ paths: [...state.paths], more: state.more, sinceMs: state.sinceMs });
  }
}
