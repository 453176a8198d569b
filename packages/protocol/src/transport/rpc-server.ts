/**
 * The server end of the transport: methods by path, over HTTP/2 with or without TLS.
 *
 * Ownership: a stream belongs to its handler through the Link; the server keeps what it needs to shut down.
 *
 * I1 A request that is not gRPC, or names an unknown method, is answered and disturbs nothing else.
 * I2 What one connection or stream does wrong never ends another.
 * I3 `close` lets open streams end; those that outlive the deadline end with UNAVAILABLE, and then every socket is gone.
 */
import { once } from 'node:events';
import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type Http2Session,
  type IncomingHttpHeaders,
  type SecureServerOptions,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import {
  type Clock,
  type Edges,
  type Log,
  messageOf,
  StateMachine,
  settlesWithin,
  silentLog,
} from '@switchyard/kernel';
import { protocolErrors } from '../errors.ts';
import { grpcStatus, type Link } from '../link.ts';
import { AssemblyBudget } from './assembly-budget.ts';
import { Http2Link } from './http2-link.ts';
import { closeSoon, createAcceptorSide, refuse } from './link-sides.ts';
import { fromHeaders } from './metadata.ts';
import { withPeerCertificate } from './peer-certificate.ts';
import { ServerConnection } from './server-connection.ts';
import { type Admission, admit, type RpcMethod } from './server-methods.ts';
import { maxSessionMemoryMib, sessionSettings } from './session-settings.ts';
import { checkTls } from './tls-check.ts';
import {
  defaultKeepAlive,
  defaultTransportLimits,
  type KeepAliveOptions,
  type TransportLimits,
} from './transport-limits.ts';
import { serveUnary } from './unary.ts';

export interface RpcServerDeps {
  readonly clock: Clock;
  readonly log?: Log;
}

/** How a server shows itself and whom it lets in; PEM texts. */
export interface ServerTlsOptions {
  readonly certificate: string;
  readonly key: string;
  /** When given, clients are asked for a certificate that one of these authorities signed. */
  readonly clientCa?: string;
  /**
   * `required` (the default) lets nobody in without one. `requested` lets everybody in, and tells whose certificate was
   * good by the metadata of the links (`readPeerCertificate`).
   */
  readonly clientCertificate?: 'required' | 'requested';
}

export interface RpcServerOptions {
  /** The methods by path, like `/package.Service/Method`. */
  readonly methods: Readonly<Record<string, RpcMethod>>;
  readonly tls?: ServerTlsOptions;
  readonly limits?: Partial<TransportLimits>;
  /** How often connections are probed; every 5 s unless named. `off` for none. */
  readonly keepAlive?: KeepAliveOptions | 'off';
}

export interface RpcAddress {
  readonly host: string;
  readonly port: number;
}

export interface RpcServer {
  /** Where it listens; undefined before and after. */
  readonly address: RpcAddress | undefined;
  /** Starts listening; port 0 chooses a free one. Rejects with RPC_LISTEN_FAILED. To be called once. */
  listen(address: RpcAddress): Promise<RpcAddress>;
  /** Shows another certificate to connections that come from now on. Throws RPC_TLS_INVALID; of no effect without TLS. */
  renewCertificate(certificate: string, key: string): void;
  /** Stops: no new connections or streams; open ones may end for `deadlineMs`, then they are ended. */
  close(deadlineMs: number): Promise<void>;
}

/** Makes a server; it listens when told to. Throws RPC_TLS_INVALID. */
export function createRpcServer(deps: RpcServerDeps, options: RpcServerOptions): RpcServer {
  return new Http2RpcServer(deps, options);
}

type State =
  | { readonly kind: 'idle' | 'closed' }
  | { readonly kind: 'starting'; readonly listening: Promise<RpcAddress> }
  | { readonly kind: 'listening'; readonly address: RpcAddress }
  | { readonly kind: 'draining'; readonly done: Promise<void> };

const edges: Edges<State['kind']> = {
  idle: ['starting', 'closed'],
  starting: ['listening', 'closed'],
  listening: ['draining'],
  draining: ['closed'],
  closed: [],
};

class Http2RpcServer implements RpcServer {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #limits: TransportLimits;
  readonly #keepAlive: KeepAliveOptions | 'off';
  readonly #methods: ReadonlyMap<string, RpcMethod>;
  readonly #budget: AssemblyBudget;
  readonly #server: Http2Server | Http2SecureServer;
  readonly #tls: ServerTlsOptions | undefined;
  readonly #state = new StateMachine<State>({ kind: 'idle' }, edges);
  readonly #sockets = new Set<Socket>();
  readonly #connections = new Map<Http2Session, ServerConnection>();

  constructor(deps: RpcServerDeps, options: RpcServerOptions) {
    this.#clock = deps.clock;
    this.#log = deps.log ?? silentLog;
    this.#limits = { ...defaultTransportLimits, ...options.limits };
    this.#keepAlive = options.keepAlive ?? defaultKeepAlive;
    this.#methods = new Map(Object.entries(options.methods));
    this.#budget = new AssemblyBudget(this.#limits.maxAssemblyBytes);
    const { maxConnections } = this.#limits;
    this.#tls = options.tls;
    this.#server = createHttp2Server(this.#limits, options.tls);
    this.#server.on('connection', (socket) => this.#onSocket(socket));
    this.#server.on('drop', () => this.#log.write('warning', 'a connection was refused', { maxConnections }));
    this.#server.on('session', (session) => this.#onSession(session));
    this.#server.on('stream', (stream, headers) => this.#onStream(stream, headers));
  }

  get address(): RpcAddress | undefined {
    const { state } = this.#state;
    return state.kind === 'listening' ? state.address : undefined;
  }

  listen(address: RpcAddress): Promise<RpcAddress> {
    const listening = this.#listen(address);
    this.#state.transition({ kind: 'starting', listening });
    return listening;
  }

  renewCertificate(certificate: string, key: string): void {
    if (this.#tls === undefined || !('setSecureContext' in this.#server)) return;
    this.#server.setSecureContext(toServerTls({ ...this.#tls, certificate, key }));
  }

  async close(deadlineMs: number): Promise<void> {
    const { state } = this.#state;
    if (state.kind === 'starting') {
      await Promise.allSettled([state.listening]);
      return this.close(deadlineMs);
    }
    if (state.kind === 'draining') return state.done;
    if (state.kind !== 'listening') return;
    const done = this.#drain(deadlineMs);
    this.#state.transition({ kind: 'draining', done });
    return done;
  }

  async #listen({ host, port }: RpcAddress): Promise<RpcAddress> {
    const server = this.#server;
    server.listen({ host, port });
    try {
      await once(server, 'listening');
    } catch (thrown) {
      this.#state.transition({ kind: 'closed' });
      throw protocolErrors.create('RPC_LISTEN_FAILED', { host, port, reason: messageOf(thrown) }, thrown);
    }
    server.on('error', (error) => this.#log.write('error', 'the gRPC server failed', { error: messageOf(error) }));
    const bound = server.address();
    const address = { host, port: typeof bound === 'object' && bound ? bound.port : port };
    this.#state.transition({ kind: 'listening', address });
    return address;
  }

  async #drain(deadlineMs: number): Promise<void> {
    const stopped = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const connections = [...this.#connections.values()];
    const gone = Promise.all(connections.map((connection) => connection.gone));
    for (const connection of connections) connection.drain();
    if (!(await settlesWithin(this.#clock, deadlineMs, gone))) {
      const status = { code: grpcStatus.unavailable, message: 'the server is shutting down' };
      for (const connection of connections) connection.cancelAll(status);
      await settlesWithin(this.#clock, this.#limits.lingerMs, gone);
    }
    for (const connection of connections) connection.destroy('the server is shutting down');
    for (const socket of this.#sockets) socket.destroy();
    await stopped;
    this.#state.transition({ kind: 'closed' });
  }

  #onSocket(socket: Socket): void {
    this.#sockets.add(socket);
    // A socket may fail before HTTP/2 or TLS has taken it over.
    socket.on('error', () => {});
    socket.once('close', () => this.#sockets.delete(socket));
  }

  #onSession(session: ServerHttp2Session): void {
    const options = { limits: this.#limits, keepAlive: this.#keepAlive };
    const connection = new ServerConnection({ clock: this.#clock, log: this.#log }, options, session);
    this.#connections.set(session, connection);
    void connection.gone.then(() => this.#connections.delete(session));
    if (this.#state.kind !== 'listening') connection.drain();
  }

  #onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const connection = stream.session && this.#connections.get(stream.session);
    stream.on('error', () => {});
    if (!connection || stream.destroyed) return;
    const admission = admit(headers, this.#methods, this.#limits.maxHeaderListBytes);
    if (admission.kind === 'admitted') this.#accept(stream, headers, connection, admission);
    else {
      stream.resume();
      if (admission.kind === 'refused') refuse(stream, admission.status);
      else {
        stream.respond({ ':status': admission.status }, { endStream: true });
        closeSoon(stream);
      }
    }
  }

  #accept(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    connection: ServerConnection,
    admission: Admission & { kind: 'admitted' },
  ): void {
    const side = createAcceptorSide(stream, connection, this.#clock, this.#limits.lingerMs);
    const options = {
      peer: connection.peer,
      metadata: withPeerCertificate(fromHeaders(headers), connection.peerCertificate),
      limits: this.#limits,
      budget: this.#budget,
      log: this.#log,
      onCompressed: admission.onCompressed,
    };
    const link = new Http2Link(stream, options, () => side);
    connection.add(link);
    const { method, timeoutMs } = admission;
    if (method.kind === 'unary') {
      serveUnary(this.#clock, this.#log, link, method.call, timeoutMs ?? this.#limits.unaryTimeoutMs);
      return;
    }
    this.#open(method.open, link);
    // The peer may wait for the response headers before it sends anything.
    side.begin();
  }

  #open(open: (link: Link) => void, link: Link): void {
    try {
      open(link);
    } catch (thrown) {
      this.#log.write('error', 'a stream handler threw', { peer: link.peer, error: messageOf(thrown) });
      link.cancel({ code: grpcStatus.internal, message: 'the stream could not be opened inside the server' });
    }
  }
}

function createHttp2Server(
  limits: TransportLimits,
  tls: ServerTlsOptions | undefined,
): Http2Server | Http2SecureServer {
  const options = { maxSessionMemory: maxSessionMemoryMib, settings: sessionSettings(limits) };
  const server = tls
    ? createSecureServer({ ...options, ...toServerTls(tls), handshakeTimeout: limits.handshakeTimeoutMs })
    : createServer(options);
  server.maxConnections = limits.maxConnections;
  return server;
}

function toServerTls(tls: ServerTlsOptions): SecureServerOptions {
  const { certificate: cert, key, clientCa: ca } = tls;
  const material = { cert, key, ...(ca === undefined ? {} : { ca }) };
  checkTls(material);
  if (ca === undefined) return material;
  return { ...material, requestCert: true, rejectUnauthorized: tls.clientCertificate !== 'requested' };
}
