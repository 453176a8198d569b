/**
 * One HTTP/2 connection of a channel, from the first SYN to its loss.
 *
 * Phases: connecting (streams may be opened; they wait) -> ready -> draining (no new streams; open ones go on) -> lost.
 *
 * I1 A connection whose peer has not sent its HTTP/2 settings within `connectTimeoutMs` is lost.
 * I2 A connection that is lost says why, once and for all.
 * I3 After a GOAWAY no stream is opened, and open streams go on.
 */
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type SecureContextOptions } from 'node:tls';
import { type Clock, createDeferred, type Edges, StateMachine, type Timer } from '@switchyard/kernel';
import { grpcStatus, type LinkStatus } from '../link.ts';
import type { Endpoint } from './endpoint.ts';
import { type KeepAlive, startKeepAlive } from './keep-alive.ts';
import type { Carrier } from './link-sides.ts';
import { toProbe } from './session-probe.ts';
import { maxSessionMemoryMib, sessionSettings } from './session-settings.ts';
import { explainTlsFailure } from './tls-check.ts';
import type { KeepAliveOptions, TransportLimits } from './transport-limits.ts';

/** How a client checks the server and shows itself; PEM texts. */
export interface ClientTlsOptions {
  /** The authorities to trust instead of the machine's own. */
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
  /** The name to check in the server's certificate, when it is not the endpoint's host. */
  readonly serverName?: string;
}

export interface ClientConnectionOptions {
  readonly endpoint: Endpoint;
  readonly tls: ClientTlsOptions;
  readonly limits: TransportLimits;
  readonly keepAlive: KeepAliveOptions | 'off';
  readonly connectTimeoutMs: number;
}

type State =
  | { readonly kind: 'connecting'; readonly deadline: Timer }
  | { readonly kind: 'ready' | 'draining'; readonly keepAlive: KeepAlive | undefined }
  | { readonly kind: 'lost'; readonly reason: LinkStatus };

const edges: Edges<State['kind']> = {
  connecting: ['ready', 'draining', 'lost'],
  ready: ['draining', 'lost'],
  draining: ['lost'],
  lost: [],
};

export class ClientConnection implements Carrier {
  readonly session: ClientHttp2Session;
  readonly peer: string;
  readonly #options: ClientConnectionOptions;
  readonly #clock: Clock;
  readonly #state: StateMachine<State>;
  readonly #socket: Socket;
  readonly #gone = createDeferred<void>();

  constructor(clock: Clock, options: ClientConnectionOptions) {
    const { endpoint, connectTimeoutMs, limits } = options;
    this.#clock = clock;
    this.#options = options;
    this.peer = `${endpoint.host}:${endpoint.port}`;
    const deadline = clock.schedule(connectTimeoutMs, () =>
      this.#lose(`no HTTP/2 connection to ${this.peer} was up within ${connectTimeoutMs} ms`),
    );
    this.#state = new StateMachine<State>({ kind: 'connecting', deadline }, edges);
    this.#socket = openSocket(endpoint, options.tls);
    this.#watchSocket();
    const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host;
    this.session = connect(`${endpoint.secure ? 'https' : 'http'}://${host}:${endpoint.port}`, {
      createConnection: () => this.#socket,
      maxSessionMemory: maxSessionMemoryMib,
      settings: { ...sessionSettings(limits), enablePush: false },
    });
    this.#watchSession();
  }

  /** True while streams may be opened. */
  get isUsable(): boolean {
    const { kind } = this.#state;
    return (kind === 'connecting' || kind === 'ready') && !this.session.closed && !this.session.destroyed;
  }

  /** Resolves when the connection is gone. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  lost(error: Error | undefined): LinkStatus | undefined {
    const { state } = this.#state;
    if (state.kind === 'lost') return state.reason;
    return this.session.destroyed ? this.#reason(error) : undefined;
  }

  /** Opens no more streams; the connection goes when the open ones are over. */
  drain(): void {
    if (!this.#state.allows('draining')) return;
    this.#leaveConnecting('draining');
    this.session.close();
  }

  /** Ends the connection and every stream on it now. */
  destroy(message: string): void {
    this.#lose(message);
  }

  /** The socket's own events: a session whose TLS handshake fails late never tells. */
  #watchSocket(): void {
    this.#socket.on('error', (error) => this.#lose(this.#reason(error).message));
    this.#socket.on('close', () => {
      this.#lose(this.#reason(undefined).message);
      this.#gone.resolve();
    });
  }

  #watchSession(): void {
    const { session } = this;
    session.once('connect', () => session.setLocalWindowSize(this.#options.limits.connectionWindowBytes));
    session.once('remoteSettings', () => {
      if (this.#state.kind === 'connecting') this.#leaveConnecting('ready');
    });
    session.on('goaway', () => {
      if (this.#state.allows('draining')) this.#leaveConnecting('draining');
    });
    session.on('error', (error) => this.#lose(this.#reason(error).message));
    session.on('close', () => this.#lose(this.#reason(undefined).message));
  }

  #leaveConnecting(kind: 'ready' | 'draining'): void {
    const { state } = this.#state;
    if (state.kind === 'connecting') {
      state.deadline.cancel();
      this.#state.transition({ kind, keepAlive: this.#startKeepAlive() });
    } else if (state.kind === 'ready') this.#state.transition({ kind, keepAlive: state.keepAlive });
  }

  #startKeepAlive(): KeepAlive | undefined {
    const { keepAlive } = this.#options;
    if (keepAlive === 'off') return undefined;
    return startKeepAlive(this.#clock, keepAlive, toProbe(this.session), () =>
      this.#lose(`${this.peer} has sent nothing, not even an answer to a PING, for ${keepAlive.timeoutMs} ms`),
    );
  }

  #lose(message: string): void {
    const { state } = this.#state;
    if (state.kind === 'lost') return;
    if (state.kind === 'connecting') state.deadline.cancel();
    else state.keepAlive?.stop();
    this.#state.transition({ kind: 'lost', reason: { code: grpcStatus.unavailable, message } });
    this.session.destroy(undefined, constants.NGHTTP2_CANCEL);
    this.#socket.destroy();
  }

  #reason(error: Error | undefined): LinkStatus {
    const what =
      this.#state.kind === 'connecting' ? `cannot connect to ${this.peer}` : `the connection to ${this.peer} was lost`;
    const first = error?.cause instanceof Error ? error.cause : error;
    const why = first && explainTlsFailure(first);
    return { code: grpcStatus.unavailable, message: why ? `${what}: ${why}` : what };
  }
}

function openSocket(endpoint: Endpoint, tls: ClientTlsOptions): Socket {
  const { host, port } = endpoint;
  if (!endpoint.secure) return connectTcp({ host, port, noDelay: true });
  return connectTls({
    host,
    port,
    ALPNProtocols: ['h2'],
    servername: tls.serverName ?? (/[:]|^[\d.]+$/.test(host) ? '' : host),
    ...toClientTls(tls),
  });
}

/** The keys and certificates among the options, as Node's TLS takes them. */
export function toClientTls({ ca, certificate: cert, key }: ClientTlsOptions): SecureContextOptions {
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}
