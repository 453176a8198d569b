/**
 * Hands a request to a worker that takes HTTP itself, and its response back to the caller, as streams.
 *
 * A worker with the capability HttpUri gets the invocation over its stream as ever, but without the request; the request
 * goes to its own HTTP server, which matches the two by the invocation id (`@azure/functions`, httpProxy).
 *
 * Phases: Connecting -> Sent (the head, and a body that follows) -> Answering (the worker's head went to the caller) ->
 * Ended; Connecting -> Notifying (nobody waits any more) -> Ended. Ownership: one exchange owns it, from the moment its
 * invocation goes to the worker until `onEnd`.
 *
 * I1 The caller gets one head: the worker's, or that of a failure when the worker gave none.
 * I2 A function that failed ends the forward at once: with the failure's reply before the head, by breaking the connection
 *    after it, so that the caller never takes a part for the whole.
 * I3 A forward on which nothing moves for `activityMs` ends.
 * I4 Bytes go on as they come, both ways at once, and no faster than the other side takes them.
 * I5 A caller that goes away ends the request to the worker; one that the worker has not heard of yet still reaches it,
 *    because its invocation waits for it there.
 * I6 `onEnd` is called exactly once.
 * I7 A function that succeeded without an answer, such as one of Node.js that returns nothing, ends the forward at once where
 *    its worker says so, and `answerMs` later where nobody knows; what its invocation gave is then the reply, and not the
 *    forward's to write.
 */
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, messageOf, type PlatformError, StateMachine, type Timer } from '@switchyard/kernel';
import type { HttpReply } from '@switchyard/triggers';
import { breakOff } from '../gateway/break-off.ts';
import { inviteBody } from '../gateway/expectation.ts';
import { addMissingHeaders, writeReply } from '../gateway/write-reply.ts';
import { httpStreamErrors } from './errors.ts';
import { toCallerHeaders, toWorkerHeaders } from './forward-headers.ts';
import type { ForwardLimits } from './forward-limits.ts';
import { toPairs, Upload } from './upload.ts';
import { WorkerConnector } from './worker-connector.ts';
import type { WorkerHttp } from './worker-http.ts';

export interface HttpForwardDeps {
  readonly clock: Clock;
  readonly workerHttp: WorkerHttp;
  readonly limits: ForwardLimits;
}

/** The exchange with the caller that a forward serves. */
export interface ForwardedExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  /** Path and query as the caller sent them. */
  readonly target: string;
  readonly authority: string;
  readonly scheme: 'http' | 'https';
  /** The body, when it was read already; undefined when it is to be streamed. */
  readonly bufferedBody: Uint8Array | undefined;
  /** The longest body that is streamed; infinite when the app names no limit. */
  readonly streamLimitBytes: number;
  /** What every response of the app carries, name and value alternating. */
  readonly replyHeaders: readonly string[];
}

export interface ForwardTarget {
  readonly httpUri: string;
  /** What the proxy of the worker's sidecar asks for; undefined when the worker itself is at `httpUri`. */
  readonly httpToken?: string | undefined;
  readonly invocationId: string;
  readonly functionName: string;
}

/** How a forward ended. */
export type ForwardEnd =
  /** The caller has the whole response. */
  | { readonly kind: 'delivered' }
  | { readonly kind: 'caller-gone' }
  /** The invocation did not succeed. */
  | { readonly kind: 'given-up' }
  /** The function succeeded, and its worker never answered: the caller still waits. */
  | { readonly kind: 'unanswered' }
  /** The request's body is longer than the app takes. */
  | { readonly kind: 'too-large' }
  /** The worker could not be reached, fell silent or broke off. */
  | { readonly kind: 'failed'; readonly error: PlatformError };

type State =
  | { readonly kind: 'connecting'; readonly connector: WorkerConnector }
  | { readonly kind: 'notifying'; readonly connector: WorkerConnector }
  | { readonly kind: 'sent'; readonly request: ClientRequest }
  | { readonly kind: 'answering'; readonly request: ClientRequest }
  | { readonly kind: 'ended' };

const edges = {
  connecting: ['sent', 'notifying', 'ended'],
  notifying: ['ended'],
  sent: ['connecting', 'answering', 'ended'],
  answering: ['ended'],
  ended: [],
} as const;

type Failure = 'HTTP_STREAM_UNREACHABLE' | 'HTTP_STREAM_IDLE' | 'HTTP_STREAM_BROKEN' | 'HTTP_STREAM_UNREADABLE';

export class HttpForward {
  readonly #deps: HttpForwardDeps;
  readonly #exchange: ForwardedExchange;
  readonly #target: ForwardTarget;
  readonly #onEnd: (end: ForwardEnd) => void;
  readonly #machine: StateMachine<State>;
  #watch: Timer | undefined;
  /** Runs from the end of the invocation on. */
  #answerWait: Timer | undefined;
  #movedAtMs: number;
  readonly #upload: Upload;

  constructor(
    deps: HttpForwardDeps,
    exchange: ForwardedExchange,
    target: ForwardTarget,
    onEnd: (end: ForwardEnd) => void,
  ) {
    this.#deps = deps;
    this.#exchange = exchange;
    this.#target = target;
    this.#onEnd = onEnd;
    this.#movedAtMs = deps.clock.monotonic();
    this.#upload = new Upload(exchange.request, () => {
      this.#moved();
      if (this.#upload.sizeBytes > exchange.streamLimitBytes) this.#tooLarge();
    });
    this.#machine = new StateMachine<State>({ kind: 'connecting', connector: this.#createConnector() }, edges);
  }

  /** Begins. Throws a PlatformError when the worker's address may not be called. */
  start(): void {
    const { state } = this.#machine;
    if (state.kind === 'connecting') state.connector.start();
    this.#exchange.response.once('close', this.#callerGone);
    this.#watchActivity(this.#deps.limits.activityMs);
  }

  /** The invocation did not succeed: the caller gets `reply`, if it can still get one. */
  giveUp(reply: HttpReply): void {
    if (this.#machine.kind === 'ended') return;
    this.#end({ kind: 'given-up' });
    this.#refuse(reply);
  }

  /** The function succeeded: the answer is under way, about to come, or was never sent, if its worker did not say which. */
  functionEnded({ isUnanswered }: { readonly isUnanswered: boolean }): void {
    if (!this.isUnanswered) return;
    if (isUnanswered) {
      this.#end({ kind: 'unanswered' });
      return;
    }
    this.#answerWait = this.#deps.clock.schedule(this.#deps.limits.answerMs, () => {
      if (this.isUnanswered) this.#end({ kind: 'unanswered' });
    });
  }

  /** The function is tried again, with a forward of its own: this one ends, and the caller hears nothing of it. */
  withdraw(): void {
    if (this.#machine.kind !== 'ended') this.#end({ kind: 'given-up' });
  }

  /** True while the caller has nothing of an answer. */
  get isUnanswered(): boolean {
    return this.#machine.kind === 'connecting' || this.#machine.kind === 'sent';
  }

  #createConnector(): WorkerConnector {
    const { clock, limits } = this.#deps;
    return new WorkerConnector(
      { clock, limits, open: () => this.#open() },
      {
        connected: (request) => this.#connected(request),
        failed: (reason) => this.#fail('HTTP_STREAM_UNREACHABLE', reason),
      },
    );
  }

  #open(): ClientRequest {
    const { method, target, request: incoming, authority, scheme, bufferedBody: body } = this.#exchange;
    const { httpUri, httpToken, invocationId } = this.#target;
    const headers = toWorkerHeaders(method, incoming.rawHeaders, {
      host: new URL(httpUri).host,
      remoteAddress: incoming.socket.remoteAddress,
      authority,
      scheme,
      invocationId,
    });
    if (httpToken !== undefined) headers.push('proxy-authorization', `Bearer ${httpToken}`);
    const request = this.#deps.workerHttp.open({ httpUri, method, target, headers });
    if (body === undefined) request.flushHeaders();
    else if (body.byteLength === 0) request.end();
    else request.end(body);
    return request;
  }

  #connected(request: ClientRequest): void {
    if (this.#machine.kind === 'notifying') {
      // The head is on its way; nothing else will follow.
      request.on('error', () => {});
      request.socket?.destroySoon();
      this.#end({ kind: 'caller-gone' });
      return;
    }
    this.#machine.transition({ kind: 'sent', request });
    request.once('response', (answer) => this.#answer(request, answer));
    request.on('error', (reason) => this.#broken(request, reason));
    if (this.#exchange.bufferedBody !== undefined) return;
    inviteBody(this.#exchange.request, this.#exchange.response);
    this.#upload.startTo(request);
  }

  #answer(request: ClientRequest, answer: IncomingMessage): void {
    const { request: incoming, response, method, replyHeaders } = this.#exchange;
    if (this.#machine.kind !== 'sent') return;
    this.#machine.transition({ kind: 'answering', request });
    this.#moved();
    const isChunked = answer.headers['transfer-encoding'] !== undefined;
    const sendsChunks = isChunked && method !== 'HEAD' && incoming.httpVersionMinor > 0;
    try {
      const headers = addMissingHeaders(toCallerHeaders(answer.rawHeaders, sendsChunks), replyHeaders);
      response.writeHead(answer.statusCode ?? 500, answer.statusMessage ?? '', headers);
    } catch (thrown) {
      this.#fail('HTTP_STREAM_UNREADABLE', thrown);
      return;
    }
    // A stream may begin long after its head.
    response.flushHeaders();
    answer.on('data', () => this.#moved());
    answer.on('error', (reason) => this.#fail('HTTP_STREAM_BROKEN', reason));
    // What is under way to a caller that is gone has nowhere to go; the end of the connection tells the rest.
    response.on('error', () => answer.unpipe(response));
    answer.once('end', () => {
      if (response.destroyed) return;
      if (sendsChunks) response.addTrailers(toPairs(answer.rawTrailers));
      response.end();
    });
    response.once('finish', () => this.#end({ kind: 'delivered' }));
    answer.pipe(response, { end: false });
  }

  /** The connection to the worker failed. Once the worker answers, the answer itself tells whether it is whole. */
  #broken(request: ClientRequest, reason: Error): void {
    const { state } = this.#machine;
    if (state.kind !== 'sent' || state.request !== request) return;
    if (isUnreadable(reason)) {
      this.#fail('HTTP_STREAM_UNREADABLE', reason);
      return;
    }
    if (!request.reusedSocket || this.#upload.sizeBytes > 0) {
      this.#fail('HTTP_STREAM_BROKEN', reason);
      return;
    }
    // The worker closed a connection that it thought idle, at the moment when it was used again: it never saw the request.
    const connector = this.#createConnector();
    this.#machine.transition({ kind: 'connecting', connector });
    connector.start();
  }

  readonly #callerGone = (): void => {
    const { state } = this.#machine;
    switch (state.kind) {
      case 'connecting':
        this.#machine.transition({ kind: 'notifying', connector: state.connector });
        return;
      case 'sent':
      case 'answering':
        this.#end({ kind: 'caller-gone' });
        return;
      default:
    }
  };

  #tooLarge(): void {
    if (this.#machine.kind === 'ended') return;
    this.#end({ kind: 'too-large' });
    this.#refuse({ status: 413, headers: [], body: '' });
  }

  #fail(code: Failure, reason: unknown): void {
    if (this.#machine.kind === 'ended') return;
    const { httpUri, functionName } = this.#target;
    const { activityMs: timeoutMs, connectTries: tries } = this.#deps.limits;
    const details = { functionName, httpUri, timeoutMs, tries, reason: messageOf(reason) };
    this.#end({ kind: 'failed', error: httpStreamErrors.create(code, details, reason) });
    this.#refuse({ status: 500, headers: [], body: '' });
  }

  /** Tells the caller that there is no response, or no rest of it. */
  #refuse(reply: HttpReply): void {
    const { request, response, replyHeaders } = this.#exchange;
    if (!response.headersSent) writeReply(response, reply, replyHeaders);
    else if (!response.writableEnded) breakOff(request, response);
  }

  #end(end: ForwardEnd): void {
    const { state } = this.#machine;
    if (state.kind === 'ended') return;
    this.#machine.transition({ kind: 'ended' });
    this.#watch?.cancel();
    this.#answerWait?.cancel();
    this.#exchange.response.off('close', this.#callerGone);
    if (state.kind === 'connecting' || state.kind === 'notifying') state.connector.stop();
    else this.#leave(state.request, end);
    this.#onEnd(end);
  }

  /** Ends the request to the worker, unless it ended by itself. */
  #leave(request: ClientRequest, end: ForwardEnd): void {
    if (end.kind === 'delivered' && request.writableFinished) return;
    request.on('error', () => {});
    // What was written before the body goes out first: the worker must hear of the request.
    if (end.kind === 'caller-gone' && this.#upload.sizeBytes === 0) request.socket?.destroySoon();
    else request.destroy();
  }

  #moved(): void {
    this.#movedAtMs = this.#deps.clock.monotonic();
  }

  #watchActivity(delayMs: number): void {
    const { clock, limits } = this.#deps;
    this.#watch = clock.schedule(delayMs, () => {
      const remainingMs = this.#movedAtMs + limits.activityMs - clock.monotonic();
      if (remainingMs > 0) this.#watchActivity(remainingMs);
      else this.#fail('HTTP_STREAM_IDLE', 'nothing moved');
    });
  }
}

/** The worker did answer, with what is no HTTP or too much of it (the codes of Node's parser). */
function isUnreadable(reason: Error): boolean {
  return (reason as NodeJS.ErrnoException).code?.startsWith('HPE_') === true;
}
