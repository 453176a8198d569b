import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RouteMatch, RouteParams } from '@switchyard/model';
import { type NullableString, RpcHttp } from '@switchyard/protocol';
import { type HttpTriggerRequest, type TriggerEvent, toHttpEvent } from '@switchyard/triggers';
import type { EventSource } from '../invocation/executor.ts';
import type { FunctionRoute } from '../job-host/function-catalog.ts';
import type { FunctionEntry } from '../job-host/function-entry.ts';
import type { JobHost } from '../job-host/job-host.ts';
import type { ResolvedApplication } from '../job-host/resolve-application.ts';
import type { WorkerCapabilities } from '../worker-registry/capabilities.ts';
import type { HttpForward } from './http-forward.ts';

/** Why an HTTP function runs, in the official host's words. */
const httpReason = 'This function was programmatically called via the host APIs.';

/** The gateway cancels invocations itself, so the events of requests need no signal of their own. */
const noSignal = new AbortController().signal;

const noBody = new Uint8Array();

/** How the caller addressed the function. */
export interface Address {
  /** Absolute. */
  readonly url: string;
  /** The query without its question mark. */
  readonly search: string;
  readonly authority: string;
  readonly scheme: 'http' | 'https';
}

/** Starts to hand the request to a worker that takes HTTP itself. */
export type OpenForward = (exchange: HttpExchange, httpUri: string, invocationId: string) => HttpForward;

/** One request for a function and its response: one object for the whole way through the gateway. */
export class HttpExchange implements EventSource, HttpTriggerRequest {
  readonly reason = httpReason;
  readonly signal: AbortSignal = noSignal;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly application: ResolvedApplication;
  readonly entry: FunctionEntry;
  readonly params: RouteParams;
  readonly #address: Address;
  readonly #openForward: OpenForward;
  body: Uint8Array = noBody;
  /** True when the body was left unread, to be streamed. */
  isStreaming = false;
  /** The way of the request to a worker that takes HTTP itself. */
  forward: HttpForward | undefined;

  constructor(
    visit: { readonly request: IncomingMessage; readonly response: ServerResponse; readonly jobHost: JobHost },
    match: RouteMatch<FunctionRoute>,
    address: Address,
    openForward: OpenForward,
  ) {
    this.request = visit.request;
    this.response = visit.response;
    this.application = visit.jobHost.application;
    this.entry = match.entry.entry;
    this.params = match.params;
    this.#address = address;
    this.#openForward = openForward;
  }

  get method(): string {
    return this.request.method ?? 'GET';
  }

  get url(): string {
    return this.#address.url;
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

  event(capabilities: WorkerCapabilities, invocationId: string): TriggerEvent {
    const event = toHttpEvent(this, capabilities.http, this.entry.metadata.trigger.name);
    if (capabilities.httpUri === undefined) return event;
    this.forward = this.#openForward(this, capabilities.httpUri, invocationId);
    const value = emptyRequest(capabilities.routeParameters ? this.params : undefined);
    return { ...event, data: { data: { $case: 'http', value } } };
  }
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
