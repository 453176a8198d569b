import type { ResolvedApplication } from '../job-host/resolve-application.ts';
import type { Address } from './http-exchange.ts';

/** Names of the machine itself, for which no browser should remember that they want TLS. */
const localNames: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * What every response of the app carries, unless it has its own: `customHeaders` of host.json, and over TLS `hsts`, which
 * means nothing without it (RFC 6797, section 7.2). Name and value alternate.
 */
export function replyHeadersOf(application: ResolvedApplication, { scheme, authority }: Address): readonly string[] {
  const { responseHeaders, host } = application;
  const { hsts } = host.extensions.http;
  if (!hsts.isEnabled || scheme !== 'https') return responseHeaders;
  const name = authority.replace(/:\d*$/, '').toLowerCase();
  if (localNames.has(name)) return responseHeaders;
  return [...responseHeaders, 'Strict-Transport-Security', `max-age=${Math.floor(hsts.maxAgeMs / 1_000)}`];
}
