import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RouteParams } from '@switchyard/model';
import { type HttpCapabilities, type HttpTriggerRequest, type TriggerEvent, toHttpEvent } from '@switchyard/triggers';
import type { EventSource } from '../invocation/executor.ts';
import type { FunctionEntry } from '../job-host/function-entry.ts';

/** Why an HTTP function runs, in the official host's words. */
const httpReason = 'This function was programmatically called via the host APIs.';

/** The gateway cancels invocations itself, so the events of requests need no signal of their own. */
const noSignal = new AbortController().signal;

const noBody = new Uint8Array();

/** One request for a function and its response: one object for the whole way through the gateway. */
export class HttpExchange implements EventSource, HttpTriggerRequest {
  readonly reason = httpReason;
  readonly signal = noSignal;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly entry: FunctionEntry;
  readonly url: string;
  readonly search: string;
  readonly params: RouteParams;
  body: Uint8Array = noBody;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    entry: FunctionEntry,
    params: RouteParams,
    address: { readonly url: string; readonly search: string },
  ) {
    this.request = request;
    this.response = response;
    this.entry = entry;
    this.params = params;
    this.url = address.url;
    this.search = address.search;
  }

  get method(): string {
    return this.request.method ?? 'GET';
  }

  get rawHeaders(): readonly string[] {
    return this.request.rawHeaders;
  }

  event(capabilities: HttpCapabilities): TriggerEvent {
    return toHttpEvent(this, capabilities, this.entry.metadata.trigger.name);
  }
}
