import type { CallContext } from '../capability-module.ts';
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
import type { HttpRequest } from './http-client.ts';
import type { WebOptions } from './web-options.ts';

const httpMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/** Headers that frame the message or lead it elsewhere; the client writes those itself. */
const ownHeaders =
  /^(?:host|connection|content-length|transfer-encoding|upgrade|keep-alive|te|trailer|expect|accept-encoding|proxy-.*)$/;

const maxHeaders = 100;
const maxHeaderLength = 8_192;

/** Checks a request of a caller. Fails with PARAMETER_INVALID. */
export function asRequest(
  call: Pick<CallContext, 'signal' | 'traceparent'>,
  url: unknown,
  value: unknown,
  options: WebOptions,
): HttpRequest {
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
