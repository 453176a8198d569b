/**
 * Takes the HTTP requests for workers that serve HTTP themselves, so that their own ports are reached from nowhere else:
 * the library behind them binds every interface. One proxy serves all workers of a pod host; the token says which one a
 * request is for.
 *
 * Ownership: the composition root opens the server that calls `handle`; each sidecar owns its route.
 *
 * I1 A request without the token of an open route is answered 407, and nothing of it reaches a worker.
 * I2 Bodies are streams in both directions: neither side is read faster than the other takes it.
 * I3 What belongs to a single connection, the token among it, is not passed on.
 * I4 A worker that does not listen yet is tried again for a while, before any of the body was read; then 502.
 * I5 When one side breaks off, the other one is broken off, too.
 */
import { createHash } from 'node:crypto';
import type { ClientRequest, IncomingMessage, RequestOptions, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { type Clock, messageOf, type Random, TransientMap } from '@switchyard/kernel';

/** Makes routes to workers. */
export interface HttpProxy {
  /** Opens a route to a worker's HTTP port, for the Runtime at `runtimeEndpoint`. */
  open(httpUri: string, runtimeEndpoint?: string): ProxyRoute;
}

/** What the Runtime needs to reach a worker: the address, and the token that every request must show. */
export interface ProxyRoute {
  readonly uri: string;
  readonly token: string;
  close(): void;
}

/** `request` of node:http. */
export type WorkerHttpRequester = (url: string, options: RequestOptions) => ClientRequest;

export interface WorkerHttpProxy extends HttpProxy {
  /** Serves one request of a Runtime. */
  handle(request: IncomingMessage, response: ServerResponse): void;
}

export interface WorkerHttpProxyDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly request: WorkerHttpRequester;
}

export interface WorkerHttpProxyOptions {
  /** Where the server of this proxy is reached, for example `http://127.0.0.1:4711`. */
  readonly uri: string;
  /** Where the Runtime at an endpoint reaches it, when that is another address. */
  readonly uriFor?: (runtimeEndpoint: string) => string | undefined;
  /** How often a worker that does not listen is tried; ten times unless named. */
  readonly connectTries?: number;
  /** The pause between two tries; 50 ms unless named. */
  readonly retryMs?: number;
}

/** 256 bits: nobody guesses them. */
const tokenBytes = 32;

/** Headers of one connection (RFC 9110, section 7.6.1). */
const connectionHeaders: ReadonlySet<string> = new Set([
  'connection',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export function createWorkerHttpProxy(deps: WorkerHttpProxyDeps, options: WorkerHttpProxyOptions): WorkerHttpProxy {
  /** By the hash of the token: comparing hashes tells nothing about the token. */
  const targets = new TransientMap<string, string>();
  const tries = options.connectTries ?? 10;
  const retryMs = options.retryMs ?? 50;
  return {
    open(httpUri, runtimeEndpoint) {
      const token = Buffer.from(deps.random.bytes(tokenBytes)).toString('base64url');
      const key = hashOf(token);
      targets.set(key, httpUri.replace(/\/$/, ''));
      const uri = (runtimeEndpoint && options.uriFor?.(runtimeEndpoint)) ?? options.uri;
      return { uri, token, close: () => targets.delete(key) };
    },
    handle(request, response) {
      const target = targets.get(hashOf(tokenOf(request)));
      if (target === undefined) refuse(request, response, 407, 'proxy authentication is required');
      else forward(deps, { request, response, target, tries, retryMs });
    },
  };
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: string;
  /** How many more times to try. */
  readonly tries: number;
  readonly retryMs: number;
}

function forward(deps: WorkerHttpProxyDeps, exchange: Exchange): void {
  const { request, response, target } = exchange;
  if (response.destroyed || request.destroyed) return;
  const upstream = deps.request(`${target}${request.url ?? '/'}`, {
    method: request.method,
    headers: endToEnd(request.rawHeaders, ['host', new URL(target).host]),
    setHost: false,
  });
  let isSent = false;
  const send = (): void => {
    isSent = true;
    pipeline(request, upstream, () => {});
  };
  upstream.once('socket', (socket) => (socket.connecting ? socket.once('connect', send) : send()));
  upstream.once('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, endToEnd(answer.rawHeaders, []));
    response.flushHeaders();
    pipeline(answer, response, () => {});
  });
  upstream.once('error', (error: NodeJS.ErrnoException) => {
    if (!isSent && error.code === 'ECONNREFUSED' && exchange.tries > 1) {
      deps.clock.schedule(exchange.retryMs, () => forward(deps, { ...exchange, tries: exchange.tries - 1 }));
    } else if (response.headersSent) response.destroy();
    else refuse(request, response, 502, `the worker was not reached: ${messageOf(error)}`);
  });
  response.once('close', () => {
    if (!response.writableFinished) upstream.destroy();
  });
}

function refuse(request: IncomingMessage, response: ServerResponse, status: number, text: string): void {
  if (response.headersSent || response.destroyed) return;
  const challenge = status === 407 ? { 'proxy-authenticate': 'Bearer' } : {};
  response.writeHead(status, { ...challenge, 'content-type': 'text/plain', connection: 'close' });
  response.end(text);
  request.resume();
}

function tokenOf(request: IncomingMessage): string {
  const value = request.headers['proxy-authorization'] ?? '';
  return /^Bearer (\S+)$/i.exec(value)?.[1] ?? '';
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}

function endToEnd(rawHeaders: readonly string[], added: readonly string[]): string[] {
  const named = new Set<string>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() !== 'connection') continue;
    for (const name of (rawHeaders[index + 1] ?? '').split(',')) named.add(name.trim().toLowerCase());
  }
  const headers: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    const key = name.toLowerCase();
    if (!connectionHeaders.has(key) && !named.has(key)) headers.push(name, rawHeaders[index + 1] ?? '');
  }
  return [...headers, ...added];
}
