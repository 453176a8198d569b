/**
 * Who may ask at all. The control API listens on the loopback interface, which every web page that runs on the machine
 * can reach; a page whose name was rebound to 127.0.0.1 sends that name as Host, and others send their Origin.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { controlErrors } from '../errors.ts';
import { RequestRefused } from './problem.ts';

const loopbackNames: readonly string[] = ['127.0.0.1', 'localhost', '[::1]'];

export interface AllowedOrigins {
  readonly hostNames: ReadonlySet<string>;
  readonly origins: ReadonlySet<string>;
}

export function toAllowedOrigins(options: {
  readonly hostNames?: readonly string[];
  readonly origins?: readonly string[];
}): AllowedOrigins {
  const hostNames = [...loopbackNames, ...(options.hostNames ?? [])].map((name) => name.toLowerCase());
  return { hostNames: new Set(hostNames), origins: new Set(options.origins) };
}

/** @throws RequestRefused for a foreign Host, a foreign Origin, or a page of another site. */
export function requireOrigin(headers: IncomingHttpHeaders, allowed: AllowedOrigins): void {
  const host = headers.host ?? '';
  const name = host.replace(/:\d{1,5}$/, '').toLowerCase();
  if (!allowed.hostNames.has(name)) {
    throw new RequestRefused(controlErrors.create('CONTROL_HOST_REFUSED', { host: quote(host) }));
  }
  const { origin } = headers;
  if (origin !== undefined && allowed.origins.has(origin)) return;
  const site = headers['sec-fetch-site'];
  if (origin === undefined && (site === undefined || site === 'none')) return;
  throw new RequestRefused(controlErrors.create('CONTROL_ORIGIN_REFUSED', { origin: quote(origin ?? 'another site') }));
}

/** The headers that let a page of an allowed origin read the answer. */
export function originHeaders(headers: IncomingHttpHeaders, allowed: AllowedOrigins): Record<string, string> {
  const { origin } = headers;
  if (origin === undefined || !allowed.origins.has(origin)) return { vary: 'origin' };
  return { vary: 'origin', 'access-control-allow-origin': origin };
}

/** What the browser asks before it lets such a page send. */
export const preflightHeaders: Readonly<Record<string, string>> = {
  'access-control-allow-methods': 'GET, PUT, POST, PATCH, DELETE',
  'access-control-allow-headers': 'authorization, content-type',
  'access-control-max-age': '600',
};

function quote(text: string): string {
  return text.slice(0, 200);
}
