/**
 * One HTTP/2 connection of a server, from the accepted socket to its end.
 *
 * Phases: handshaking (until the peer's HTTP/2 settings are there) -> ready -> gone.
 *
 * I1 A peer whose HTTP/2 settings have not arrived within `handshakeTimeoutMs` is disconnected.
 * I2 A peer that goes silent is disconnected, and its links end with UNAVAILABLE.
 */
import { constants, type ServerHttp2Session } from 'node:http2';
import { TLSSocket } from 'node:tls';
import {
  type Clock,
  createDeferred,
  type Edges,
  type Log,
  messageOf,
  StateMachine,
  type Timer,
} from '@switchyard/kernel';
import { grpcStatus, type Link, type LinkStatus } from '../link.ts';
import { type KeepAlive, startKeepAlive } from './keep-alive.ts';
import type { Carrier } from './link-sides.ts';
import { describePeerCertificate } from './peer-certificate.ts';
import { toProbe } from './session-probe.ts';
import type { KeepAliveOptions, TransportLimits } from './transport-limits.ts';

export interface ServerConnectionDeps {
  readonly clock: Clock;
  readonly log: Log;
}

export interface ServerConnectionOptions {
  readonly limits: TransportLimits;
  readonly keepAlive: KeepAliveOptions | 'off';
}

type State =
  | { readonly kind: 'handshaking'; readonly deadline: Timer }
  | { readonly kind: 'ready'; readonly keepAlive: KeepAlive | undefined }
  | { readonly kind: 'gone' };

const edges: Edges<State['kind']> = { handshaking: ['ready', 'gone'], ready: ['gone'], gone: [] };

/** Why the connection ends. A peer that just goes is the matter of whoever holds its links; one that we cut is news. */
interface Cause {
  readonly level: 'debug' | 'warning';
  readonly reason: string;
}

export class ServerConnection implements Carrier {
  readonly peer: string;
  /** Whose client certificate the connection has shown: see `withPeerCertificate`. */
  readonly peerCertificate: string | undefined;
  readonly #session: ServerHttp2Session;
  readonly #options: ServerConnectionOptions;
  readonly #deps: ServerConnectionDeps;
  readonly #state: StateMachine<State>;
  readonly #links = new Set<Link>();
  readonly #gone = createDeferred<void>();
  #cause: Cause | undefined;

  constructor(deps: ServerConnectionDeps, options: ServerConnectionOptions, session: ServerHttp2Session) {
    const { socket } = session;
    const { handshakeTimeoutMs, connectionWindowBytes } = options.limits;
    this.peer = `${socket.remoteAddress ?? 'unknown'}:${socket.remotePort ?? 0}`;
    this.peerCertificate = socket instanceof TLSSocket ? describePeerCertificate(socket) : undefined;
    this.#deps = deps;
    this.#options = options;
    this.#session = session;
    const deadline = deps.clock.schedule(handshakeTimeoutMs, () =>
      this.destroy(`it sent no HTTP/2 settings for ${handshakeTimeoutMs} ms`),
    );
    this.#state = new StateMachine<State>({ kind: 'handshaking', deadline }, edges);
    session.setLocalWindowSize(connectionWindowBytes);
    session.once('remoteSettings', () => this.#onSettings());
    session.on('error', (error) => {
      this.#cause ??= { level: 'debug', reason: messageOf(error) };
    });
    session.on('close', () => this.#onClose());
    // A session whose socket failed in the middle of a write never closes by itself.
    socket.once('close', () => this.#onClose());
  }

  /** Resolves when the connection is gone. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  lost(error: Error | undefined): LinkStatus | undefined {
    if (!this.#session.destroyed) return undefined;
    const why = this.#cause?.reason ?? error?.message;
    const what = `the connection from ${this.peer} was lost`;
    return { code: grpcStatus.unavailable, message: why ? `${what}: ${why}` : what };
  }

  /** Counts a link as one of this connection's until it is closed. */
  add(link: Link): void {
    this.#links.add(link);
    void link.closed.then(() => this.#links.delete(link));
  }

  /** Says goodbye: no new streams, and the connection goes when the open ones are over. */
  drain(): void {
    if (!this.#session.closed) this.#session.close();
  }

  /** Ends every open link with `status`. */
  cancelAll(status: LinkStatus): void {
    for (const link of this.#links) link.cancel(status);
  }

  /** Cuts the connection. */
  destroy(reason: string): void {
    if (this.#session.destroyed) return;
    this.#cause = { level: 'warning', reason };
    this.#session.destroy(undefined, constants.NGHTTP2_CANCEL);
  }

  #onSettings(): void {
    const { state } = this.#state;
    if (state.kind !== 'handshaking' || this.#session.destroyed) return;
    state.deadline.cancel();
    this.#state.transition({ kind: 'ready', keepAlive: this.#startKeepAlive() });
  }

  #startKeepAlive(): KeepAlive | undefined {
    const { keepAlive } = this.#options;
    if (keepAlive === 'off') return undefined;
    return startKeepAlive(this.#deps.clock, keepAlive, toProbe(this.#session), () =>
      this.destroy(`it sent nothing, not even an answer to a PING, for ${keepAlive.timeoutMs} ms`),
    );
  }

  #onClose(): void {
    const { state } = this.#state;
    if (state.kind === 'gone') return;
    if (state.kind === 'handshaking') state.deadline.cancel();
    else state.keepAlive?.stop();
    this.#state.transition({ kind: 'gone' });
    if (this.#cause) {
      const { level, reason } = this.#cause;
      this.#deps.log.write(level, 'a connection ended', { peer: this.peer, reason });
    }
    this.#gone.resolve();
  }
}
