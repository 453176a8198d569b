/**
 * One HTTP/2 connection of a server, from the accepted socket's first settings to its end.
 *
 * I1 A peer whose HTTP/2 settings have not arrived within `handshakeTimeoutMs` is disconnected.
 * I2 A peer that goes silent is disconnected, and its links end with UNAVAILABLE.
 */
import { constants, type ServerHttp2Session } from 'node:http2';
import { type Clock, createDeferred, type Log, messageOf, type Timer } from '@switchyard/kernel';
import { grpcStatus, type Link, type LinkStatus } from '../link.ts';
import { type KeepAlive, startKeepAlive } from './keep-alive.ts';
import type { Carrier } from './link-sides.ts';
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

export class ServerConnection implements Carrier {
  readonly peer: string;
  readonly #session: ServerHttp2Session;
  readonly #options: ServerConnectionOptions;
  readonly #deps: ServerConnectionDeps;
  readonly #links = new Set<Link>();
  readonly #gone = createDeferred<void>();
  readonly #handshake: Timer;
  #keepAlive: KeepAlive | undefined;
  #reason: string | undefined;
  #isCut = false;

  constructor(deps: ServerConnectionDeps, options: ServerConnectionOptions, session: ServerHttp2Session) {
    const { socket } = session;
    this.peer = `${socket.remoteAddress ?? 'unknown'}:${socket.remotePort ?? 0}`;
    this.#deps = deps;
    this.#options = options;
    this.#session = session;
    session.setLocalWindowSize(options.limits.connectionWindowBytes);
    this.#handshake = deps.clock.schedule(options.limits.handshakeTimeoutMs, () =>
      this.destroy(`sent no HTTP/2 settings for ${options.limits.handshakeTimeoutMs} ms`),
    );
    session.once('remoteSettings', () => this.#onSettings());
    session.on('error', (error) => {
      this.#reason ??= messageOf(error);
    });
    session.on('close', () => this.#onClose());
  }

  /** Resolves when the connection is gone. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  lost(error?: Error): LinkStatus | undefined {
    if (!this.#session.destroyed) return undefined;
    const why = this.#reason ?? error?.message;
    const what = `the connection from ${this.peer} was lost`;
    return { code: grpcStatus.unavailable, message: why ? `${what}: ${why}` : what };
  }

  /** Counts a link as one of this connection's until it is closed. */
  add(link: Link): void {
    this.#links.add(link);
    link.closed.then(() => this.#links.delete(link));
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
    this.#isCut = true;
    this.#reason = reason;
    this.#session.destroy(undefined, constants.NGHTTP2_CANCEL);
  }

  #onSettings(): void {
    this.#handshake.cancel();
    const { keepAlive } = this.#options;
    if (keepAlive === 'off' || this.#session.destroyed) return;
    this.#keepAlive = startKeepAlive(this.#deps.clock, keepAlive, toProbe(this.#session), () =>
      this.destroy(`it sent nothing, not even an answer to a PING, for ${keepAlive.timeoutMs} ms`),
    );
  }

  #onClose(): void {
    this.#handshake.cancel();
    this.#keepAlive?.stop();
    if (this.#reason !== undefined) {
      // A peer that just goes is the matter of whoever holds its links; one that we cut is news.
      const level = this.#isCut ? 'warning' : 'debug';
      this.#deps.log.write(level, 'a connection ended', { peer: this.peer, reason: this.#reason });
    }
    this.#gone.resolve();
  }
}
