import type { Web, WebRequest } from '@switchyard/capabilities';
import type { Clock } from '@switchyard/kernel';
import type { CallContext, CapabilityInstance, CapabilityModule } from '../capability-module.ts';
import { valueAt } from '../json/json-pointer.ts';
import {
  asBytes,
  asInteger,
  asOneOf,
  asRecord,
  asText,
  describe,
  fieldOf,
  refuseParameter,
  shorten,
} from '../parameters.ts';
import { createGuardedAgent, type GuardedAgentDeps } from './guarded-agent.ts';
import { sanitiseHtml } from './html-sanitise.ts';
import { type FoundElement, selectHtml } from './html-select.ts';
import { htmlToText, linksOf } from './html-text.ts';
import { maxHtmlLength } from './html-tree.ts';
import { fetchHttp, type HttpRequest, type HttpResponse } from './http-client.ts';
import { parseWebOptions, type WebOptions } from './web-options.ts';

/** What `web` does beyond the list that every client knows. */
export interface WebTools extends Web {
  /** Fetches and reads JSON; fails when the answer is none. */
  fetchJson(url: string, request?: WebRequest): PromiseLike<{ status: number; url: string; json: unknown }>;
  /** The elements that a simple selector means. */
  select(html: string, selector: string, limit?: number): PromiseLike<FoundElement[]>;
  /** HTML from anybody, made safe to show. */
  sanitise(html: string): PromiseLike<string>;
}

export interface WebDeps extends GuardedAgentDeps {
  readonly clock: Clock;
}

const httpMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/** Headers that frame the message or lead it elsewhere; the client writes those itself. */
const ownHeaders =
  /^(?:host|connection|content-length|transfer-encoding|upgrade|keep-alive|te|trailer|expect|accept-encoding|proxy-.*)$/;

const maxHeaders = 100;
const maxHeaderLength = 8_192;
const maxFound = 1_000;

/** `web`: HTTP to public addresses, with limits, and tools for HTML and JSON. */
export function createWebCapability(deps: WebDeps): CapabilityModule {
  return {
    create(settings): CapabilityInstance {
      const options = parseWebOptions(settings);
      const agent = createGuardedAgent(deps, options);
      const fetch = (call: CallContext, url: unknown, request: unknown): Promise<HttpResponse> =>
        fetchHttp({ clock: deps.clock, agent }, options, asRequest(call, url, request, options));
      return { methods: methodsOf(fetch), dispose: () => agent.destroy() };
    },
  };
}

type Fetch = (call: CallContext, url: unknown, request: unknown) => Promise<HttpResponse>;

function methodsOf(fetch: Fetch): CapabilityInstance['methods'] {
  const html = (value: unknown): string => asText(value, 'The HTML', maxHtmlLength);
  return {
    fetch,
    fetchJson: async (call: CallContext, url: unknown, request: unknown) => {
      const response = await fetch(call, url, request);
      return { status: response.status, url: response.url, json: parseJson(response) };
    },
    htmlToText: (_call: CallContext, page: unknown): string => htmlToText(html(page)),
    links: (_call: CallContext, page: unknown, base: unknown): string[] => linksOf(html(page), asBase(base)),
    select: (_call: CallContext, page: unknown, selector: unknown, limit: unknown): FoundElement[] =>
      selectHtml(html(page), asText(selector, 'The selector'), asInteger(limit ?? maxFound, 'The limit', 1, maxFound)),
    sanitise: (_call: CallContext, page: unknown): string => sanitiseHtml(html(page)),
    jsonPointer: (_call: CallContext, json: unknown, pointer: unknown): unknown =>
      valueAt(json, asText(pointer, 'The pointer')),
  };
}

function asRequest(call: CallContext, url: unknown, value: unknown, options: WebOptions): HttpRequest {
  const request = asRecord(value, 'The request');
  const method = asOneOf(fieldOf(request, 'method') ?? 'GET', 'The method', httpMethods);
  const given = fieldOf(request, 'body');
  const body = given === undefined || given === null ? undefined : asBytes(given, 'The body', options.maxRequestBytes);
  if (body !== undefined && (method === 'GET' || method === 'HEAD')) refuseParameter('The body', `${method} has none`);
  return {
    url: asText(url, 'The address', 8_192),
    method,
    headers: asHeaders(fieldOf(request, 'headers'), call.traceparent),
    body,
    timeoutMs: asInteger(fieldOf(request, 'timeoutMs') ?? options.timeoutMs, 'The timeout', 1, 3_600_000),
    signal: call.signal,
  };
}

function asHeaders(value: unknown, traceparent: string): Record<string, string> {
  const entries = Object.entries(asRecord(value, 'The headers'));
  if (entries.length > maxHeaders) refuseParameter('The headers', `there are more than ${maxHeaders}`);
  const headers: Record<string, string> = traceparent === '' ? {} : { traceparent };
  for (const [given, content] of entries) {
    const name = given.toLowerCase();
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) refuseParameter('The headers', `'${shorten(given)}' is no name`);
    if (ownHeaders.test(name)) refuseParameter('The headers', `'${name}' is written by the client itself`);
    if (typeof content !== 'string' || content.length > maxHeaderLength || !/^[\t\x20-\x7e\x80-\xff]*$/.test(content))
      refuseParameter(`Header '${name}'`, `it is ${describe(content)}, and must be a text without line breaks`);
    headers[name] = content;
  }
  return headers;
}

function asBase(value: unknown): string {
  const base = asText(value, 'The base', 8_192);
  if (!URL.canParse(base)) refuseParameter('The base', `'${shorten(base)}' is no address`);
  return base;
}

function parseJson({ body, url }: HttpResponse): unknown {
  const text = new TextDecoder().decode(body);
  try {
    return JSON.parse(text);
  } catch {
    return refuseParameter(`What '${shorten(url)}' answered`, `'${shorten(text)}' is no JSON`);
  }
}
