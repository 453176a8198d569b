/**
 * Reminds of the build of an app whose sources change while nobody builds it, where `switchyard dev` cannot: its output comes
 * from a bundler, say.
 *
 * Phases: Waiting -> Suspecting (a source changed) -> Reminded, Spared (the output followed); any -> Stopped. Ownership: one
 * loop of an app.
 *
 * I1 It speaks once at most, and not at all where the output follows the sources.
 */
import { type Clock, StateMachine, type Timer } from '@switchyard/kernel';

export interface BuildReminderOptions {
  /** Where the output stands, relative to the app's folder. */
  readonly outDir: string;
  /** What builds the app. */
  readonly command: string;
  readonly onNote: (text: string) => void;
}

type State =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'suspecting'; readonly timer: Timer }
  | { readonly kind: 'reminded' }
  | { readonly kind: 'spared' }
  | { readonly kind: 'stopped' };

const edges = {
  waiting: ['suspecting', 'spared', 'stopped'],
  suspecting: ['reminded', 'spared', 'stopped'],
  reminded: ['stopped'],
  spared: ['stopped'],
  stopped: [],
} as const;

/** Bundlers that watch have written within this time after a save. */
const suspicionMs = 5_000;

export class BuildReminder {
  readonly #clock: Clock;
  readonly #options: BuildReminderOptions;
  readonly #machine = new StateMachine<State>({ kind: 'waiting' }, edges);

  constructor(clock: Clock, options: BuildReminderOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** A source changed. */
  sourceChanged(path: string): void {
    if (this.#machine.kind !== 'waiting') return;
    const { command, outDir, onNote } = this.#options;
    const timer = this.#clock.schedule(suspicionMs, () => {
      this.#machine.transition({ kind: 'reminded' });
      onNote(`${path} changed, and ${outDir} did not follow: '${command}' builds this app.`);
    });
    this.#machine.transition({ kind: 'suspecting', timer });
  }

  /** A file changed that a version of the app consists of. */
  fileChanged(path: string): void {
    if (path.startsWith(`${this.#options.outDir}/`) && this.#machine.allows('spared')) this.#leave('spared');
  }

  stop(): void {
    if (this.#machine.kind !== 'stopped') this.#leave('stopped');
  }

  #leave(kind: 'spared' | 'stopped'): void {
    const { state } = this.#machine;
    if (state.kind === 'suspecting') state.timer.cancel();
    this.#machine.transition({ kind });
  }
}
