/**
 * Who may ask. Version 1 of the protocol knows no authentication, so by default whoever reaches the agent may use it; a
 * token is an addition. A web page reaches whatever its reader reaches, so pages are kept out: by the headers that
 * browsers add, and on a loopback address by the name that was asked for, which a page's own name could be bound to.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import type { Secret } from '@switchyard/kernel';
import { refuse } from './reply.ts';

export interface AccessRule {
  readonly token: Secret | undefined;
  /** The agent listens on a loopback address, so only names of this machine are asked for. */
  readonly isLoopback: boolean;
  /** The machine's own name. */
  readonly hostname: string;
}

/** Throws RequestRefused for a request that may not be answered. */
export function requireAccess(headers: IncomingHttpHeaders, rule: AccessRule): void {
  const site = headers['sec-fetch-site'];
  if (headers.origin !== undefined || (site !== undefined && site !== 'none'))
    refuse(
      403,
      'CROSS_ORIGIN',
      'A web page sent this request, and pages must not start or cancel jobs. Use a program.',
    );
  if (rule.token !== undefined) requireToken(headers.authorization, rule.token);
  else if (rule.isLoopback) requireLocalName(headers.host ?? '', rule.hostname);
}

/** True for an address that only this machine reaches. */
export function isLoopbackAddress(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

function requireToken(authorization: string | undefined, token: Secret): void {
  const given = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
  // Digests have one length, so that the comparison says nothing about the token's.
  if (given !== undefined && timingSafeEqual(digestOf(given), digestOf(token.reveal()))) return;
  const what = given === undefined ? 'the request has none' : 'the one of the request is wrong';
  const message = `This agent wants a token, and ${what}. Send the header 'Authorization: Bearer <token>'.`;
  refuse(401, 'UNAUTHORIZED', message, { 'www-authenticate': 'Bearer' });
}

function requireLocalName(host: string, hostname: string): void {
  const name = host.replace(/:\d{1,5}$/, '').toLowerCase();
  const address = name.replace(/^\[(.*)\]$/, '$1');
  // Only HTTP/1.0 has no name: a probe's, and no browser's.
  if (name === '') return;
  if (isIP(address) !== 0 || name === 'localhost' || name === hostname.toLowerCase()) return;
  const message = `This agent listens on this machine alone and does not go by the name '${host.slice(0, 100)}'. Ask for 127.0.0.1, or give the agent a token.`;
  refuse(403, 'CROSS_ORIGIN', message);
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
