/**
 * Turns signals into one request to stop. The first asks the command to end in order; another one ends the process at
 * once. Under `npx` and `npm start` a single Ctrl-C arrives several times, from the terminal and passed on by the
 * processes above: what follows within `echoMs` is an echo of the first.
 *
 * Ownership: run-process.ts feeds it the signals of the process; the running command subscribes.
 *
 * I1 Subscribers are called once, however many signals come; one who comes late is called at once.
 * I2 Echoes do nothing.
 * I3 A second request calls `stopNow`, once.
 */
import { type Clock, StateMachine } from '@switchyard/kernel';

/** Longer than signals take through a chain of processes, shorter than a person takes to press again on purpose. */
const echoMs = 300;

type State =
  | { readonly kind: 'Running' }
  | { readonly kind: 'Stopping'; readonly reason: string; readonly sinceMs: number }
  | { readonly kind: 'Stopped' };

const edges = { Running: ['Stopping'], Stopping: ['Stopped'], Stopped: [] } as const;

export class StopRequests {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #stopNow: () => void;
  readonly #callbacks: ((reason: string) => void)[] = [];
  readonly #machine = new StateMachine<State>({ kind: 'Running' }, edges);

  constructor(clock: Pick<Clock, 'monotonic'>, stopNow: () => void) {
    this.#clock = clock;
    this.#stopNow = stopNow;
  }

  /** A signal, or another reason to end. */
  request(reason: string): void {
    const { state } = this.#machine;
    if (state.kind === 'Running') {
      this.#machine.transition({ kind: 'Stopping', reason, sinceMs: this.#clock.monotonic() });
      for (const callback of this.#callbacks) callback(reason);
    } else if (state.kind === 'Stopping' && this.#clock.monotonic() - state.sinceMs >= echoMs) {
      this.#machine.transition({ kind: 'Stopped' });
      this.#stopNow();
    }
  }

  subscribe(callback: (reason: string) => void): void {
    const { state } = this.#machine;
    if (state.kind === 'Stopping') callback(state.reason);
    else this.#callbacks.push(callback);
  }
}
