/**
 * The life of a listener that works in a loop until it is told to stop.
 *
 * Phases: Idle -> Listening -> Draining -> Closed. Ownership: its listener, which closes its lines itself.
 *
 * I1 The loop runs once, and is told to stop by whichever of `drain` and `close` comes first.
 * I2 `drain` ends when the loop and the rest have ended, or at its signal.
 */
import { type BackoffOptions, type Edges, StateMachine } from '@switchyard/kernel';
import { aborted } from './aborted.ts';

/** How long a listener waits before it asks a server again that was away. */
export const reconnectBackoff: BackoffOptions = { minimumMs: 1_000, maximumMs: 60_000, factor: 2, jitter: 0.2 };

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'listening'; readonly stop: AbortController; readonly loop: Promise<unknown> }
  | { readonly kind: 'draining' }
  | { readonly kind: 'closed' };

/** The life of every listener. */
export const listenerEdges: Edges<State['kind']> = {
  idle: ['listening', 'closed'],
  listening: ['draining', 'closed'],
  draining: ['closed'],
  closed: [],
};

export class ListenerLife {
  readonly #state = new StateMachine<State>({ kind: 'idle' }, listenerEdges);

  get isListening(): boolean {
    return this.#state.state.kind === 'listening';
  }

  get isClosed(): boolean {
    return this.#state.state.kind === 'closed';
  }

  /** Starts the loop, which ends once `stop` is aborted. Throws when the signal is aborted already. */
  start(signal: AbortSignal, loop: (stop: AbortSignal) => Promise<unknown>): void {
    signal.throwIfAborted();
    const stop = new AbortController();
    this.#state.transition({ kind: 'listening', stop, loop: loop(stop.signal) });
  }

  /** Tells the loop to stop and waits for its end, and then for the rest. Does nothing unless it listens. */
  async drain(signal: AbortSignal, rest: () => unknown = () => {}): Promise<void> {
    const { state } = this.#state;
    if (state.kind !== 'listening') return;
    this.#state.transition({ kind: 'draining' });
    state.stop.abort();
    await Promise.race([state.loop.then(rest), aborted(signal)]);
  }

  /** Tells the loop to stop, and waits for nothing. Again it does nothing. */
  close(): void {
    const { state } = this.#state;
    if (state.kind === 'listening') state.stop.abort();
    if (state.kind !== 'closed') this.#state.transition({ kind: 'closed' });
  }
}
