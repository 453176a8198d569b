import type { IncomingMessage, ServerResponse } from 'node:http';
import { createDeferred, type Deferred, type FunctionRun, type PlatformError } from '@switchyard/kernel';
import type { RouteMatch, RouteParams } from '@switchyard/model';
import { type InvocationResponse, type NullableString, RpcHttp } from '@switchyard/protocol';
import { type HttpTriggerRequest, isNothing, type TriggerEvent, toHttpEvent } from '@switchyard/triggers';
import type { TrafficOptions } from '../contract.ts';
import type { ForwardEnd, ForwardedExchange, HttpForward } from '../http-stream/http-forward.ts';
import type { EventSource } from '../invocation/executor.ts';
import type { CodeVersion } from '../job-host/code-version.ts';
import type { FunctionRoute } from '../job-host/function-catalog.ts';
import type { FunctionEntry } from '../job-host/function-entry.ts';
import type { JobHost } from '../job-host/job-host.ts';
import type { ResolvedApplication } from '../job-host/resolve-application.ts';
import type { WorkerCapabilities } from '../worker-registry/capabilities.ts';
import { keyOf } from './authorize.ts';
import type { Turn } from './http-throttle.ts';

/** Why an HTTP function runs, in the official host's words. */
const httpReason = 'This function was programmatically called via the host APIs.';

/** The gateway cancels invocations itself, so the events of requests need no signal of their own. */
const noSignal = new AbortController().signal;

const noBody = new Uint8Array();

/** How the caller addressed the function. */
export interface Address {
  /** Absolute. */
  readonly url: string;
  /** Path and query as they were sent. */
  readonly target: string;
  /** The query without its question mark. */
  readonly search: string;
  readonly authority: string;
  readonly scheme: 'http' | 'https';
}

/** Something that an exchange waits for: its turn, room for its body, its invocation. */
export interface Stage {
  cancel(): void;
  giveUp?(error: PlatformError): void;
}

const nowhere: Stage = { cancel: () => {} };

/** A request that may call its function. */
export interface FunctionCall {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly jobHost: JobHost;
  readonly address: Address;
  /** What every response of the app carries, name and value alternating. */
  readonly replyHeaders: readonly string[];
}

/** Makes the way of the request to a worker that takes HTTP itself. */
export type OpenForward = (
  exchange: HttpExchange,
  worker: Pick<WorkerCapabilities, 'httpToken'> & { readonly httpUri: string },
  invocationId: string,
) => HttpForward;

/** One request for a function and its response: one object for the whole way through the gateway. */
export class HttpExchange implements EventSource, HttpTriggerRequest, ForwardedExchange {
  readonly reason = httpReason;
  readonly signal: AbortSignal = noSignal;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly jobHost: JobHost;
  /** The code version that it goes to. */
  readonly version: CodeVersion;
  readonly entry: FunctionEntry;
  readonly params: RouteParams;
  /** What every response of the app carries, name and value alternating. */
  readonly replyHeaders: readonly string[];
  readonly #address: Address;
  readonly #openForward: OpenForward;
  /** The body, once it was read; undefined as long as it is on the wire. */
  bufferedBody: Uint8Array | undefined;
  /** The way of the request to a worker that takes HTTP itself. */
  forward: HttpForward | undefined;
  /** Its place among the requests of an app that limits them. */
  turn: Turn | undefined;
  /** What it waits for. */
  stage: Stage = nowhere;
  /** The end of the forward, for the invocation, which ends with it. */
  #delivery: Deferred<void> | undefined;
  /** Its worker says so when there is no answer. */
  #tellsUnanswered = false;
  /** The request as the worker gets it. */
  #http: RpcHttp | undefined;

  constructor(call: FunctionCall, match: RouteMatch<FunctionRoute>, openForward: OpenForward) {
    this.request = call.request;
    this.response = call.response;
    this.jobHost = call.jobHost;
    this.version = call.jobHost.choose((stickyBy) => sourceOf(call.request, stickyBy));
    this.entry = match.entry.entry;
    this.params = match.params;
    this.replyHeaders = call.replyHeaders;
    this.#address = call.address;
    this.#openForward = openForward;
  }

  /** Ends what it waits for: nobody wants the answer any more. */
  cancel(): void {
    this.stage.cancel();
  }

  /** Fails it, because its worker cannot be reached with the request. */
  giveUp(error: PlatformError): void {
    this.stage.giveUp?.(error);
  }

  get hasErrorStatus(): boolean {
    return this.response.statusCode >= 500;
  }

  get http(): FunctionRun['http'] {
    const { headersSent, statusCode } = this.response;
    return { method: this.method, url: this.url, statusCode: headersSent ? statusCode : 0 };
  }

  get application(): ResolvedApplication {
    return this.jobHost.application;
  }

  get method(): string {
    return this.request.method ?? 'GET';
  }

  get url(): string {
    return this.#address.url;
  }

  get target(): string {
    return this.#address.target;
  }

  get search(): string {
    return this.#address.search;
  }

  get authority(): string {
    return this.#address.authority;
  }

  get scheme(): 'http' | 'https' {
    return this.#address.scheme;
  }

  get rawHeaders(): readonly string[] {
    return this.request.rawHeaders;
  }

  get body(): Uint8Array {
    return this.bufferedBody ?? noBody;
  }

  get shownKey(): HttpTriggerRequest['shownKey'] {
    const { keys } = this.jobHost.application;
    if (keys === undefined) return undefined;
    const shown = keyOf({ headers: this.request.headers, search: this.search });
    const functionName = this.entry.metadata.name;
    const level = shown ? keys.levelOf(shown, functionName) : undefined;
    return shown && level ? { level, name: keys.nameOf?.(shown, functionName) } : undefined;
  }

  get trustsPrincipal(): boolean {
    return this.application.isAuthenticatedInFront;
  }

  get streamLimitBytes(): number {
    return this.application.streamLimitBytes;
  }

  /** A request that was handed to a worker is gone, unless its body was kept and its caller has nothing of an answer. */
  get isSpent(): boolean {
    if (this.forward === undefined) return false;
    return this.bufferedBody === undefined || !this.forward.isUnanswered || this.response.destroyed;
  }

  /** The next try has a way of its own to its worker. */
  retrying(): void {
    this.forward?.withdraw();
    this.forward = undefined;
    this.#delivery = undefined;
  }

  event(capabilities: WorkerCapabilities): TriggerEvent {
    const triggerName = this.entry.metadata.trigger.name;
    if (capabilities.httpUri === undefined) {
      const buffered = toHttpEvent(this, capabilities.http, triggerName);
      if (buffered.data.data?.$case === 'http') this.#http = buffered.data.data.value;
      return buffered;
    }
    const event = toHttpEvent(this.#withoutBody(), capabilities.http, triggerName);
    const value = emptyRequest(capabilities.routeParameters ? this.params : undefined);
    return { ...event, data: { data: { $case: 'http', value } } };
  }

  /** The body of a forwarded request is the worker's alone: nothing of it becomes metadata. */
  #withoutBody(): HttpTriggerRequest {
    if (this.body.byteLength === 0) return this;
    const { method, url, search, rawHeaders, params, signal, trustsPrincipal, shownKey } = this;
    return { method, url, search, rawHeaders, params, signal, trustsPrincipal, shownKey, body: noBody };
  }

  /** The official order: the request is on its way before the invocation is. */
  sending({ httpUri, httpToken, tellsUnanswered }: WorkerCapabilities, invocationId: string): void {
    if (httpUri === undefined || this.forward !== undefined) return;
    const forward = this.#openForward(this, { httpUri, httpToken }, invocationId);
    forward.start();
    this.forward = forward;
    this.#tellsUnanswered = tellsUnanswered;
    this.#delivery = createDeferred();
    this.#delivery.promise.catch(() => {});
  }

  /** A long body would wait in memory for as long as the function runs, and be needed no more. */
  serialized(): void {
    if (this.entry.retry !== undefined || this.forward !== undefined) return;
    this.bufferedBody = noBody;
    if (this.#http === undefined) return;
    this.#http.body = undefined;
    this.#http.rawBody = undefined;
  }

  /** The function succeeded. Resolves when the forward is over; rejects when the caller cannot get its response. */
  settling({ returnValue }: InvocationResponse): Promise<void> | undefined {
    const isKnown = this.#tellsUnanswered && returnValue !== undefined && isNothing(returnValue);
    this.forward?.functionEnded({ isUnanswered: isKnown });
    return this.#delivery?.promise;
  }

  /** The forward is over. */
  forwarded(end: ForwardEnd): void {
    if (end.kind === 'failed') this.#delivery?.reject(end.error);
    else this.#delivery?.resolve();
  }
}

/** What tells the callers of an app apart, when its versions are to keep theirs. */
function sourceOf({ headers, socket }: IncomingMessage, stickyBy: NonNullable<TrafficOptions['stickyBy']>): string {
  const named = stickyBy === 'address' ? undefined : headers[stickyBy.header.toLowerCase()];
  return named === undefined ? (socket.remoteAddress ?? '') : String(named);
}

/** What a worker that gets the request over HTTP finds in the invocation. */
function emptyRequest(params: RouteParams | undefined): RpcHttp {
  const http = RpcHttp.decode(new Uint8Array());
  for (const [name, value] of params ?? []) {
    if (value === undefined) continue;
    http.params.set(name, value);
    http.nullableParams.set(name, { string: { $case: 'value', value } } satisfies NullableString);
  }
  return http;
}
