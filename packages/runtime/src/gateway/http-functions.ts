/**
 * A request on its way through its function: when it is its turn, with its body, to a worker and back.
 *
 * Phases of an exchange: Waiting (for its turn) -> Reading (its body, unless it is streamed) -> Running -> Answered.
 * Ownership: the gateway hands a request over once it is known which function it is for and that its caller may call it.
 *
 * I1 A request takes its turn before its body is read, and gives it back when everything of it is over.
 * I2 A body is held in memory only for workers that cannot take it as a stream or that may need it again, only up to the app's limit, and only where the
 *    Runtime has room for it; it waits on the wire for that, and beyond a while its caller is told to come back.
 * I3 A caller that goes away ends what the request waits for, and its worker hears of it if it can.
 * I4 An app that is being drained waits for the requests that it has let in, also while they wait or are read.
 */
import { type Clock, messageOf } from '@switchyard/kernel';
import type { RouteMatch } from '@switchyard/model';
import { type HttpReply, type InvocationOutcome, toHttpReply } from '@switchyard/triggers';
import type { ProcessHealth } from '../health/process-health.ts';
import { defaultForwardLimits } from '../http-stream/forward-limits.ts';
import { type ForwardEnd, HttpForward } from '../http-stream/http-forward.ts';
import type { WorkerHttp } from '../http-stream/worker-http.ts';
import type { FunctionRoute } from '../job-host/function-catalog.ts';
import type { JobHost } from '../job-host/job-host.ts';
import type { RuntimeLimits } from '../limits.ts';
import { BodyBudget, type BodyPlace } from './body-budget.ts';
import { inviteBody } from './expectation.ts';
import { type FunctionCall, HttpExchange, type OpenForward } from './http-exchange.ts';
import { HttpThrottle } from './http-throttle.ts';
import { type BodyResult, bodyLength, readBody } from './request-body.ts';
import { writeReply } from './write-reply.ts';

export interface HttpFunctionsDeps {
  readonly clock: Clock;
  readonly workerHttp: WorkerHttp;
  readonly limits: RuntimeLimits;
  readonly processHealth?: ProcessHealth | undefined;
}

/** Smaller bodies are bounded by the number of connections, and not worth a place in the budget. */
const smallBodyBytes = 65_536;

const httpRun = { keepsId: false, retries: true } as const;

const noBody = new Uint8Array();

export class HttpFunctions {
  readonly #deps: HttpFunctionsDeps;
  readonly #throttles = new WeakMap<JobHost, HttpThrottle>();
  readonly #bodies: BodyBudget;

  constructor(deps: HttpFunctionsDeps) {
    this.#deps = deps;
    const { bufferedBodyBytes, bodyWaitMs, waitingBodies } = deps.limits;
    const options = { limitBytes: bufferedBodyBytes, waitMs: bodyWaitMs, maxWaiting: waitingBodies };
    this.#bodies = new BodyBudget(deps.clock, options);
  }

  /** Answers the request with its function. */
  serve(call: FunctionCall, match: RouteMatch<FunctionRoute>): void {
    const exchange = new HttpExchange(call, match, this.#openForward);
    const { response, jobHost, version } = exchange;
    if (version.outage !== undefined) {
      this.#reply(exchange, emptyReply(503));
      return;
    }
    if (this.#isTooBusy(jobHost)) {
      this.#reply(exchange, busyReply);
      return;
    }
    response.once('close', () => {
      if (!response.writableFinished) exchange.cancel();
    });
    const throttle = this.#throttleOf(jobHost);
    if (throttle === undefined) this.#begin(exchange);
    else this.#takeTurn(throttle, exchange);
  }

  #takeTurn(throttle: HttpThrottle, exchange: HttpExchange): void {
    const release = exchange.version.executor.hold();
    const turn = throttle.enter((begun) => {
      exchange.turn = begun;
      this.#guarded(exchange, () => this.#begin(exchange));
      release();
    });
    if (turn === undefined) {
      release();
      this.#reply(exchange, busyReply);
    } else if (exchange.turn === undefined) {
      exchange.stage = {
        cancel() {
          turn.leave();
          release();
        },
      };
    }
  }

  #begin(exchange: HttpExchange): void {
    const { request, version } = exchange;
    const length = bodyLength(request);
    if (length === 0) {
      exchange.bufferedBody = noBody;
      this.#run(exchange);
      return;
    }
    const release = version.executor.hold();
    const take = (): void =>
      this.#takeBody(exchange, (run) => {
        try {
          if (run) this.#run(exchange);
          else exchange.turn?.leave();
        } finally {
          release();
        }
      });
    if (version.isServed) take();
    else this.#whenServed(exchange, take, release);
  }

  /** A body stays on the wire until there is a worker: it may take streams, and those that wait cost no memory. */
  #whenServed(exchange: HttpExchange, take: () => void, release: () => void): void {
    const giveUp = exchange.version.whenServed((isServed) => {
      this.#guarded(exchange, () => {
        if (isServed) {
          take();
          return;
        }
        release();
        exchange.turn?.leave();
        if (!exchange.response.destroyed) this.#reply(exchange, emptyReply(503));
      });
    });
    exchange.stage = {
      cancel() {
        giveUp();
        release();
        exchange.turn?.leave();
      },
    };
  }

  /** Reads the body, or leaves it on the wire for a worker that streams. `done` hears whether the function is to run. */
  #takeBody(exchange: HttpExchange, done: (run: boolean) => void): void {
    const { request, response, jobHost, version, streamLimitBytes } = exchange;
    if (response.destroyed) {
      done(false);
      return;
    }
    if (version.streamsHttp && !this.#keepsBody(exchange)) {
      const isTooLarge = (bodyLength(request) ?? 0) > streamLimitBytes;
      if (isTooLarge) this.#reply(exchange, emptyReply(413));
      done(!isTooLarge);
      return;
    }
    const { bodyLimitBytes } = jobHost.application;
    const length = bodyLength(request);
    if (length !== undefined && length > bodyLimitBytes) {
      this.#reply(exchange, emptyReply(413));
      done(false);
    } else if (length !== undefined && length <= smallBodyBytes) this.#readBody(exchange, undefined, done);
    else this.#whenRoom(exchange, length ?? smallBodyBytes, done);
  }

  /** A function with a retry policy may need its request again, though it goes to the worker as a stream. */
  #keepsBody({ request, entry, streamLimitBytes }: HttpExchange): boolean {
    const length = bodyLength(request);
    const limitBytes = Math.min(this.#deps.limits.retriedBodyBytes, streamLimitBytes);
    return entry.retry !== undefined && length !== undefined && length <= limitBytes;
  }

  /** A body that is worth it waits on the wire until there is room for it. */
  #whenRoom(exchange: HttpExchange, bytes: number, done: (run: boolean) => void): void {
    const { response } = exchange;
    let leaveQueue = (): void => {};
    const onGone = (): void => {
      leaveQueue();
      done(false);
    };
    response.once('close', onGone);
    leaveQueue = this.#bodies.enter(bytes, (place) => {
      response.off('close', onGone);
      this.#guarded(exchange, () => {
        if (place === undefined) {
          this.#reply(exchange, emptyReply(503));
          done(false);
          return;
        }
        response.once('close', () => place.leave());
        this.#readBody(exchange, place, done);
      });
    });
  }

  #readBody(exchange: HttpExchange, place: BodyPlace | undefined, done: (run: boolean) => void): void {
    const { request, response, jobHost } = exchange;
    const limits = {
      limitBytes: jobHost.application.bodyLimitBytes,
      pauseMs: this.#deps.limits.requestBodyPauseMs,
      ...(place === undefined ? {} : { grow: (bytes: number) => place.grow(bytes) }),
    };
    const onRead = (result: BodyResult): void => {
      if (result.kind === 'complete') exchange.bufferedBody = result.bytes;
      if (result.kind === 'too-large') this.#reply(exchange, emptyReply(413));
      if (result.kind === 'stalled') this.#reply(exchange, stalledReply);
      if (result.kind === 'no-room') this.#reply(exchange, emptyReply(503));
      this.#guarded(exchange, () => done(result.kind === 'complete'));
    };
    inviteBody(request, response);
    readBody(this.#deps.clock, request, limits, onRead);
  }

  #run(exchange: HttpExchange): void {
    const { version, entry } = exchange;
    exchange.stage = version.executor.run(entry, exchange, httpRun, (outcome) => this.#ended(exchange, outcome));
  }

  #ended(exchange: HttpExchange, outcome: InvocationOutcome): void {
    const { response, forward } = exchange;
    exchange.turn?.leave();
    const isForwarded = forward !== undefined && outcome.kind === 'succeeded';
    if (isForwarded ? response.headersSent || response.destroyed : forward === undefined && response.destroyed) return;
    this.#guarded(exchange, () => {
      const reply = this.#toReply(exchange, outcome);
      const retry = outcome.kind === 'lost' ? retryHeaders(reply.status) : noHeaders;
      if (forward === undefined || isForwarded) this.#reply(exchange, reply, retry);
      else forward.giveUp(reply);
    });
  }

  #toReply({ request, entry, method, jobHost }: HttpExchange, outcome: InvocationOutcome): HttpReply {
    const { accept } = request.headers;
    const output = { name: entry.httpOutputName, method };
    const reply = toHttpReply(outcome, accept === undefined ? output : { ...output, accept });
    if (reply.problem !== undefined) {
      jobHost.log.write('error', 'The response of a function could not be sent.', {
        category: entry.logCategory,
        functionName: entry.metadata.name,
        invocationId: outcome.invocationId,
        reason: reply.problem.message,
      });
    }
    return reply;
  }

  readonly #openForward: OpenForward = (exchange, worker, invocationId) => {
    const { clock, workerHttp } = this.#deps;
    const target = { ...worker, invocationId, functionName: exchange.entry.metadata.name };
    return new HttpForward({ clock, workerHttp, limits: defaultForwardLimits }, exchange, target, (end) =>
      this.#forwarded(exchange, invocationId, end),
    );
  };

  #forwarded(exchange: HttpExchange, invocationId: string, end: ForwardEnd): void {
    exchange.forwarded(end);
    // A worker that broke off is about to end its invocation too, which tells more.
    if (end.kind === 'failed' && end.error.code !== 'HTTP_STREAM_BROKEN') {
      const { entry, jobHost } = exchange;
      jobHost.log.write('error', end.error.message, {
        category: entry.logCategory,
        functionName: entry.metadata.name,
        invocationId,
        code: end.error.code,
      });
    }
    // The worker waits for a request that will never come.
    if (end.kind === 'failed' && end.error.code === 'HTTP_STREAM_UNREACHABLE') exchange.giveUp(end.error);
    // A caller that left is noticed by `serve`.
    else if (end.kind === 'failed' || end.kind === 'too-large') exchange.cancel();
  }

  /** `dynamicThrottlesEnabled`: the app wants nothing that comes while the host is short of something. */
  #isTooBusy({ application: { host } }: JobHost): boolean {
    if (!host.extensions.http.dynamicThrottlesEnabled) return false;
    return this.#deps.processHealth?.isBusy(host.healthMonitor.counterThreshold) ?? false;
  }

  #throttleOf(jobHost: JobHost): HttpThrottle | undefined {
    const { maxOutstandingRequests, maxConcurrentRequests } = jobHost.application.host.extensions.http;
    if (maxOutstandingRequests < 0 && maxConcurrentRequests < 0) return undefined;
    let throttle = this.#throttles.get(jobHost);
    if (throttle === undefined) {
      throttle = new HttpThrottle({
        maxOutstanding: orUnlimited(maxOutstandingRequests),
        maxConcurrent: orUnlimited(maxConcurrentRequests),
        maxWaiting: this.#deps.limits.heldPerApplication,
      });
      this.#throttles.set(jobHost, throttle);
    }
    return throttle;
  }

  #reply({ response, replyHeaders }: HttpExchange, reply: HttpReply, retry = retryHeaders(reply.status)): void {
    writeReply(response, reply, retry.length === 0 ? replyHeaders : [...retry, ...replyHeaders]);
  }

  #guarded(exchange: HttpExchange, work: () => void): void {
    try {
      work();
    } catch (thrown) {
      const { jobHost, entry, response } = exchange;
      jobHost.log.write('error', 'A request could not be served.', {
        category: entry.logCategory,
        functionName: entry.metadata.name,
        reason: messageOf(thrown),
        ...(thrown instanceof Error ? { stack: thrown.stack } : {}),
      });
      exchange.turn?.leave();
      if (response.headersSent) response.destroy();
      else this.#reply(exchange, emptyReply(500));
    }
  }
}

const noHeaders: readonly string[] = [];

/** What the official host answers when an app has more requests than it wants (its HttpThrottleMiddleware). */
const busyReply: HttpReply = { status: 429, headers: [['X-FUNCTION-SCALEOUT', '1']], body: '' };

const stalledReply: HttpReply = { status: 408, headers: [['Connection', 'close']], body: '' };

/** Seconds after which a caller may try again, where the host itself says that nothing is ready or free. */
const retryAfterSeconds: ReadonlyMap<number, string> = new Map([
  [503, '5'],
  [429, '1'],
]);

/** What a caller needs to try again, for a status of the host's own. */
export function retryHeaders(status: number): readonly string[] {
  const seconds = retryAfterSeconds.get(status);
  return seconds === undefined ? noHeaders : ['Retry-After', seconds];
}

function emptyReply(status: number): HttpReply {
  return { status, headers: [], body: '' };
}

/** host.json says -1 for no limit. */
function orUnlimited(limit: number): number {
  return limit < 0 ? Number.POSITIVE_INFINITY : limit;
}
