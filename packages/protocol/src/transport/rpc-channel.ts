/**
 * The client end of the transport: one HTTP/2 connection to one endpoint, shared by any number of EventStreams and
 * unary calls. It connects when it is first used, and again when it is used after the connection was lost or the server
 * said goodbye. It never retries a call: whoever opened the stream knows whether that is safe.
 *
 * I1 Streams share a connection while it is usable; a new one is opened only when it no longer is.
 * I2 Opening a stream never waits and never throws for the network's sake: what goes wrong ends the link.
 * I3 After `close` no connection is opened; streams that outlive its deadline end with UNAVAILABLE.
 */
import type { OutgoingHttpHeaders } from 'node:http2';
import { type Clock, type Log, messageOf, settlesWithin, silentLog } from '@switchyard/kernel';
import { grpcStatus, type Link, type LinkStatus } from '../link.ts';
import { AssemblyBudget } from './assembly-budget.ts';
import { ClientConnection, type ClientTlsOptions, toClientTls } from './client-connection.ts';
import { createEndedLink } from './ended-link.ts';
import { parseEndpoint } from './endpoint.ts';
import { formatGrpcTimeout } from './grpc-timeout.ts';
import { Http2Link } from './http2-link.ts';
import { createOpenerSide, grpcContentType } from './link-sides.ts';
import { type Metadata, toHeaders } from './metadata.ts';
import { checkTls } from './tls-check.ts';
import {
  defaultKeepAlive,
  defaultTransportLimits,
  type KeepAliveOptions,
  type TransportLimits,
} from './transport-limits.ts';
import { callUnary, type UnaryOutcome } from './unary.ts';

/** The path of the one bidirectional method of FunctionRpc. */
export const eventStreamPath = '/AzureFunctionsRpcMessages.FunctionRpc/EventStream';

export interface RpcChannelDeps {
  readonly clock: Clock;
  readonly log?: Log;
}

export interface RpcChannelOptions {
  /** `http://host:port` (plaintext HTTP/2), `https://host:port`, or `host:port`. */
  readonly endpoint: string;
  readonly tls?: ClientTlsOptions;
  readonly limits?: Partial<TransportLimits>;
  /** How often the connection is probed; every 5 s unless named. `off` for none. */
  readonly keepAlive?: KeepAliveOptions | 'off';
  /** How long the connection may take, TLS and HTTP/2 settings included; 10 s unless named. */
  readonly connectTimeoutMs?: number;
}

export interface StreamOptions {
  readonly metadata?: Metadata;
  /** Aborting it cancels the stream. */
  readonly signal?: AbortSignal;
  /** The method; EventStream unless named. */
  readonly path?: string;
}

export interface UnaryOptions {
  readonly metadata?: Metadata;
  readonly signal?: AbortSignal;
  /** The deadline, which also travels to the server; the transport's `unaryTimeoutMs` unless named. */
  readonly timeoutMs?: number;
}

export interface RpcChannel {
  /**
   * Opens a stream. Frames may be sent at once; they wait for the connection. Throws only RPC_METADATA_INVALID.
   * Whatever else goes wrong ends the link: `closed` says why.
   */
  eventStream(options?: StreamOptions): Link;
  /** Calls a unary method. Rejects only with RPC_METADATA_INVALID. */
  unary(path: string, request: Uint8Array, options?: UnaryOptions): Promise<UnaryOutcome>;
  /** Lets open streams end for at most `deadlineMs`, then ends them. */
  close(deadlineMs: number): Promise<void>;
}

/** Makes a channel; nothing is connected yet. Throws RPC_ENDPOINT_INVALID and RPC_TLS_INVALID. */
export function createRpcChannel(deps: RpcChannelDeps, options: RpcChannelOptions): RpcChannel {
  return new Http2Channel(deps, options);
}

const defaultConnectTimeoutMs = 10_000;

class Http2Channel implements RpcChannel {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #limits: TransportLimits;
  readonly #budget: AssemblyBudget;
  readonly #peer: string;
  readonly #connect: () => ClientConnection;
  /** All that are not gone; only the newest one takes new streams. */
  readonly #connections = new Set<ClientConnection>();
  #state: 'open' | 'closed' = 'open';

  constructor(deps: RpcChannelDeps, options: RpcChannelOptions) {
    const limits = { ...defaultTransportLimits, ...options.limits };
    const connection = {
      endpoint: parseEndpoint(options.endpoint),
      tls: options.tls ?? {},
      limits,
      keepAlive: options.keepAlive ?? defaultKeepAlive,
      connectTimeoutMs: options.connectTimeoutMs ?? defaultConnectTimeoutMs,
    };
    checkTls(toClientTls(connection.tls));
    this.#peer = `${connection.endpoint.host}:${connection.endpoint.port}`;
    this.#clock = deps.clock;
    this.#log = deps.log ?? silentLog;
    this.#limits = limits;
    this.#budget = new AssemblyBudget(limits.maxAssemblyBytes);
    const connect = (): ClientConnection => new ClientConnection(deps.clock, connection);
    this.#connect = connect;
  }

  eventStream(options: StreamOptions = {}): Link {
    return this.#open(options.path ?? eventStreamPath, options.metadata ?? new Map(), options.signal, {});
  }

  async unary(path: string, request: Uint8Array, options: UnaryOptions = {}): Promise<UnaryOutcome> {
    const timeoutMs = options.timeoutMs ?? this.#limits.unaryTimeoutMs;
    const timeout = { 'grpc-timeout': formatGrpcTimeout(timeoutMs) };
    const link = this.#open(path, options.metadata ?? new Map(), options.signal, timeout);
    return callUnary(this.#clock, link, request, timeoutMs);
  }

  async close(deadlineMs: number): Promise<void> {
    this.#state = 'closed';
    const connections = [...this.#connections];
    const gone = Promise.all(connections.map((connection) => connection.gone));
    for (const connection of connections) connection.drain();
    if (await settlesWithin(this.#clock, deadlineMs, gone)) return;
    for (const connection of connections) connection.destroy(`the channel to ${this.#peer} was closed`);
    await gone;
  }

  #open(path: string, metadata: Metadata, signal: AbortSignal | undefined, extra: Record<string, string>): Link {
    const headers = {
      ...toHeaders(metadata),
      ...extra,
      ':method': 'POST',
      ':path': path,
      te: 'trailers',
      'content-type': grpcContentType,
      'grpc-accept-encoding': 'identity',
    };
    const link = this.#openOn(headers);
    cancelOnAbort(link, signal);
    return link;
  }

  #usable(): ClientConnection {
    for (const connection of this.#connections) if (connection.isUsable) return connection;
    const connection = this.#connect();
    this.#connections.add(connection);
    void connection.gone.then(() => this.#connections.delete(connection));
    return connection;
  }

  #openOn(headers: OutgoingHttpHeaders): Link {
    const ended = (peer: string, message: string): Link =>
      createEndedLink(peer, { code: grpcStatus.unavailable, message, origin: 'local' });
    if (this.#state === 'closed') return ended(this.#peer, `the channel to ${this.#peer} is closed`);
    const connection = this.#usable();
    try {
      const stream = connection.session.request(headers, { endStream: false });
      const options = {
        peer: connection.peer,
        metadata: noMetadata,
        limits: this.#limits,
        budget: this.#budget,
        log: this.#log,
        onCompressed,
      };
      return new Http2Link(stream, options, (link) => createOpenerSide(stream, connection, link));
    } catch (thrown) {
      return ended(connection.peer, `no stream could be opened to ${connection.peer}: ${messageOf(thrown)}`);
    }
  }
}

const noMetadata: Metadata = new Map();

/** The channel announces no compression, so a server that compresses breaks the protocol. */
const onCompressed: LinkStatus = {
  code: grpcStatus.internal,
  message: 'the server sent a compressed message, although this client accepts none',
};

function cancelOnAbort(link: Link, signal: AbortSignal | undefined): void {
  if (!signal) return;
  const onAbort = (): void => link.cancel({ code: grpcStatus.cancelled, message: 'the caller cancelled the stream' });
  if (signal.aborted) {
    onAbort();
    return;
  }
  signal.addEventListener('abort', onAbort, { once: true });
  void link.closed.then(() => signal.removeEventListener('abort', onAbort));
}
