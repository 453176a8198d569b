/**
 * Opens a request to a worker, again and again for a while: a worker that has just started, or has many connections to
 * accept, may refuse the first ones.
 *
 * Phases: Connecting <-> Pausing -> Ended. Ownership: one forward owns it until it is connected; then the request is the
 * forward's.
 *
 * I1 It reports exactly one of `connected` and `failed`, unless it is stopped before.
 * I2 No more connections are tried than the limit says, with pauses that grow between them.
 * I3 Once stopped it leaves neither a timer nor a request.
 * I4 A connection with TLS stands when both ends have agreed, not before: one that is refused is a try that failed.
 */
import type { ClientRequest } from 'node:http';
import { type Clock, StateMachine, type Timer } from '@switchyard/kernel';
import type { ForwardLimits } from './forward-limits.ts';

export interface ConnectorDeps {
  readonly clock: Clock;
  readonly limits: ForwardLimits;
  /** Begins a request; it may have sent everything that it can send more than once. */
  readonly open: () => ClientRequest;
}

export interface ConnectorObserver {
  /** The connection stands. */
  connected(request: ClientRequest): void;
  /** No connection came about. */
  failed(reason: Error): void;
}

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'connecting'; readonly request: ClientRequest }
  | { readonly kind: 'pausing'; readonly timer: Timer }
  | { readonly kind: 'ended' };

const edges = {
  idle: ['connecting', 'ended'],
  connecting: ['pausing', 'ended'],
  pausing: ['connecting', 'ended'],
  ended: [],
} as const;

export class WorkerConnector {
  readonly #deps: ConnectorDeps;
  readonly #observer: ConnectorObserver;
  readonly #machine = new StateMachine<State>({ kind: 'idle' }, edges);
  #tries = 0;

  constructor(deps: ConnectorDeps, observer: ConnectorObserver) {
    this.#deps = deps;
    this.#observer = observer;
  }

  /** Begins the first try. Throws what `open` throws. */
  start(): void {
    this.#tries += 1;
    const request = this.#deps.open();
    this.#machine.transition({ kind: 'connecting', request });
    request.once('socket', (socket) => {
      // A peer may yet refuse TLS, or be refused: until then nothing of the request has gone out.
      const stands = 'secureConnecting' in socket ? 'secureConnect' : 'connect';
      if (socket.connecting) socket.once(stands, () => this.#connected(request));
      else this.#connected(request);
    });
    request.on('error', (error) => this.#refused(request, error));
  }

  /** Gives up. */
  stop(): void {
    const { state } = this.#machine;
    if (state.kind === 'ended') return;
    this.#machine.transition({ kind: 'ended' });
    if (state.kind === 'connecting') state.request.destroy();
    if (state.kind === 'pausing') state.timer.cancel();
  }

  #connected(request: ClientRequest): void {
    if (!this.#isTrying(request)) return;
    this.#machine.transition({ kind: 'ended' });
    this.#observer.connected(request);
  }

  #refused(request: ClientRequest, reason: Error): void {
    if (!this.#isTrying(request)) return;
    const { clock, limits } = this.#deps;
    if (this.#tries >= limits.connectTries) {
      this.#machine.transition({ kind: 'ended' });
      this.#observer.failed(reason);
      return;
    }
    const pauseMs = Math.min(limits.longestPauseMs, limits.firstPauseMs * 2 ** (this.#tries - 1));
    this.#machine.transition({ kind: 'pausing', timer: clock.schedule(pauseMs, () => this.start()) });
  }

  #isTrying(request: ClientRequest): boolean {
    const { state } = this.#machine;
    return state.kind === 'connecting' && state.request === request;
  }
}
