/**
 * Hands a request to a worker that takes HTTP itself, and its response back to the caller, as streams.
 *
 * A worker with the capability HttpUri gets the invocation over its stream as ever, but without the request; the request
 * goes to its own HTTP server, which matches the two by the invocation id (reference node-worker section 5).
 *
 * Phases: Connecting (again and again for a while) -> Sent -> Answering (the head went to the caller) -> Done; any -> Failed.
 * Ownership: one exchange owns it.
 *
 * I1 The caller gets one head: the worker's, or 500 when there is none.
 * I2 A function that failed ends the exchange at once: 500 before the head, a reset connection after it.
 * I3 An exchange on which nothing moves for `activityMs` ends.
 * I4 What belongs to a single connection is not passed on, in either direction.
 */
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { type Clock, StateMachine, type Timer } from '@switchyard/kernel';
import type { HttpExchange } from './http-exchange.ts';
import { writeReply } from './write-reply.ts';

/** `request` of node:http, or what stands for it; the composition root says which connections it uses. */
export type HttpRequester = (url: string, options: RequestOptions) => ClientRequest;

export interface HttpForwardDeps {
  readonly clock: Clock;
  readonly request: HttpRequester;
  readonly limits: HttpForwardLimits;
}

/** The official host's numbers. */
export interface HttpForwardLimits {
  readonly connectTries: number;
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  readonly activityMs: number;
}

export const defaultForwardLimits: HttpForwardLimits = {
  connectTries: 10,
  firstWaitMs: 50,
  longestWaitMs: 250,
  activityMs: 240_000,
};

type State =
  | { readonly kind: 'waiting'; readonly timer: Timer }
  | { readonly kind: 'connecting'; readonly request: ClientRequest }
  | { readonly kind: 'sent'; readonly request: ClientRequest }
  | { readonly kind: 'answering'; readonly request: ClientRequest }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed' };

const edges = {
  waiting: ['connecting', 'failed'],
  connecting: ['sent', 'waiting', 'answering', 'failed'],
  sent: ['answering', 'failed'],
  answering: ['done', 'failed'],
  done: [],
  failed: [],
} as const;

/** Headers of one connection (RFC 9110, section 7.6.1), and those that the forward writes itself. */
const connectionHeaders: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
const ownHeaders: ReadonlySet<string> = new Set([
  'host',
  'expect',
  'x-ms-invocation-id',
  'x-forwarded-host',
  'x-forwarded-proto',
]);

export interface ForwardTarget {
  /** Where the worker takes requests, with a slash at its end. */
  readonly httpUri: string;
  readonly invocationId: string;
}

export class HttpForward {
  readonly #deps: HttpForwardDeps;
  readonly #exchange: HttpExchange;
  readonly #target: ForwardTarget;
  readonly #machine: StateMachine<State>;
  #watch: Timer;
  #moved = 0;
  #tries = 0;

  constructor(deps: HttpForwardDeps, exchange: HttpExchange, target: ForwardTarget) {
    this.#deps = deps;
    this.#exchange = exchange;
    this.#target = target;
    this.#machine = new StateMachine<State>({ kind: 'connecting', request: this.#open() }, edges, (_from, to) => {
      if (to.kind === 'done' || to.kind === 'failed') this.#watch.cancel();
    });
    this.#watch = this.#watchActivity();
  }

  /** The invocation did not succeed, or nobody waits any more. */
  fail(): void {
    const { state } = this.#machine;
    if (state.kind === 'done' || state.kind === 'failed') return;
    this.#machine.transition({ kind: 'failed' });
    if (state.kind === 'waiting') state.timer.cancel();
    else state.request.destroy();
    const { response } = this.#exchange;
    if (response.headersSent) response.destroy();
    else writeReply(response, { status: 500, headers: [], body: '' });
  }

  #open(): ClientRequest {
    const exchange = this.#exchange;
    const { pathname, search } = new URL(exchange.url);
    const request = this.#deps.request(`${this.#target.httpUri.replace(/\/$/, '')}${pathname}${search}`, {
      method: exchange.method,
      headers: this.#headers(),
      setHost: true,
    });
    this.#tries += 1;
    request.on('socket', (socket) => {
      if (socket.connecting) socket.once('connect', () => this.#send(request));
      else this.#send(request);
    });
    request.on('response', (answer) => this.#answer(request, answer));
    request.on('error', (error: NodeJS.ErrnoException) => this.#failed(request, error));
    return request;
  }

  /** The connection stands: what was not sent before is sent now, once. */
  #send(request: ClientRequest): void {
    const { state } = this.#machine;
    if (state.kind !== 'connecting' || state.request !== request) return;
    this.#machine.transition({ kind: 'sent', request });
    const exchange = this.#exchange;
    if (exchange.body.byteLength > 0 || !exchange.isStreaming) {
      request.end(exchange.body);
      return;
    }
    exchange.request.on('data', () => {
      this.#moved += 1;
    });
    exchange.request.pipe(request);
  }

  #answer(request: ClientRequest, answer: IncomingMessage): void {
    const { response, application } = this.#exchange;
    if (!this.#machine.allows('answering') || response.destroyed) {
      answer.destroy();
      return;
    }
    this.#machine.transition({ kind: 'answering', request });
    const headers = [...application.responseHeaders];
    for (const [name, value] of pairs(answer.rawHeaders)) {
      if (!connectionHeaders.has(name.toLowerCase())) headers.push(name, value);
    }
    response.writeHead(answer.statusCode ?? 500, headers);
    answer.on('data', () => {
      this.#moved += 1;
    });
    answer.on('aborted', () => this.fail());
    answer.on('error', () => this.fail());
    answer.on('end', () => {
      if (this.#machine.kind === 'answering') this.#machine.transition({ kind: 'done' });
    });
    answer.pipe(response);
  }

  #failed(request: ClientRequest, error: NodeJS.ErrnoException): void {
    const { state } = this.#machine;
    if (state.kind === 'connecting' && state.request === request && error.code === 'ECONNREFUSED') this.#tryAgain();
    else if ('request' in state && state.request === request) this.fail();
  }

  #tryAgain(): void {
    const { connectTries, firstWaitMs, longestWaitMs } = this.#deps.limits;
    if (this.#tries >= connectTries) {
      this.fail();
      return;
    }
    const waitMs = Math.min(longestWaitMs, firstWaitMs * 2 ** (this.#tries - 1));
    const timer = this.#deps.clock.schedule(waitMs, () => {
      this.#machine.transition({ kind: 'connecting', request: this.#open() });
    });
    this.#machine.transition({ kind: 'waiting', timer });
  }

  #watchActivity(): Timer {
    const seen = this.#moved;
    return this.#deps.clock.schedule(this.#deps.limits.activityMs, () => {
      if (this.#moved === seen) this.fail();
      else this.#watch = this.#watchActivity();
    });
  }

  #headers(): string[] {
    const { request, authority, scheme } = this.#exchange;
    const headers: string[] = [];
    let forwardedFor = request.socket.remoteAddress ?? '';
    for (const [name, value] of pairs(request.rawHeaders)) {
      const key = name.toLowerCase();
      if (key === 'x-forwarded-for') forwardedFor = forwardedFor === '' ? value : `${value}, ${forwardedFor}`;
      else if (!connectionHeaders.has(key) && !ownHeaders.has(key)) headers.push(name, value);
    }
    if (forwardedFor !== '') headers.push('x-forwarded-for', forwardedFor);
    const { host } = new URL(this.#target.httpUri);
    headers.push('host', host, 'x-forwarded-host', authority, 'x-forwarded-proto', scheme);
    headers.push('x-ms-invocation-id', this.#target.invocationId);
    return headers;
  }
}

function* pairs(raw: readonly string[]): Generator<readonly [name: string, value: string]> {
  for (let index = 0; index + 1 < raw.length; index += 2) yield [raw[index] ?? '', raw[index + 1] ?? ''];
}
