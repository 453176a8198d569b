import type { RpcHttpCookie } from '@switchyard/protocol';
import { RpcHttpCookie_SameSite } from '@switchyard/protocol';
import { triggerErrors } from '../errors.ts';

/** A cookie's name is a token of RFC 9110. */
const namePattern = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

/** What an attribute may hold: visible ASCII and spaces, but no semicolon. */
const attributePattern = /^[\x20-\x3a\x3c-\x7e]*$/;

/** The attribute's text for each value of the wire; None means that the attribute is left out. */
const sameSiteTexts = new Map<RpcHttpCookie_SameSite, string>([
  [RpcHttpCookie_SameSite.Lax, 'lax'],
  [RpcHttpCookie_SameSite.Strict, 'strict'],
  [RpcHttpCookie_SameSite.ExplicitNone, 'none'],
]);

/**
 * The value of a `set-cookie` header, with the attributes in the official host's order and its default path `/`. Throws
 * HTTP_REPLY_COOKIE_INVALID when a part cannot stand in a header.
 */
export function toSetCookie(cookie: RpcHttpCookie): string {
  if (!namePattern.test(cookie.name)) throw invalid(cookie, 'name');
  const parts = [`${cookie.name}=${escapeValue(cookie.value)}`];
  const expires = cookie.expires?.timestamp?.value;
  if (expires !== undefined) parts.push(`expires=${toHttpDate(cookie, expires.seconds)}`);
  const maxAge = cookie.maxAge?.double?.value;
  if (maxAge !== undefined && Number.isFinite(maxAge)) parts.push(`max-age=${Math.trunc(maxAge)}`);
  const domain = cookie.domain?.string?.value;
  if (domain !== undefined && domain !== '') parts.push(`domain=${checked(cookie, 'domain', domain)}`);
  parts.push(`path=${checked(cookie, 'path', cookie.path?.string?.value ?? '/')}`);
  if (cookie.secure?.bool?.value === true) parts.push('secure');
  const sameSite = sameSiteTexts.get(cookie.sameSite);
  if (sameSite !== undefined) parts.push(`samesite=${sameSite}`);
  if (cookie.httpOnly?.bool?.value === true) parts.push('httponly');
  return parts.join('; ');
}

/** Escapes all but the unreserved characters of RFC 3986. */
function escapeValue(value: string): string {
  const escaped = encodeURIComponent(value.toWellFormed());
  return escaped.replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function toHttpDate(cookie: RpcHttpCookie, seconds: bigint): string {
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime())) throw invalid(cookie, 'expires');
  return date.toUTCString();
}

function checked(cookie: RpcHttpCookie, part: string, text: string): string {
  if (!attributePattern.test(text)) throw invalid(cookie, part);
  return text;
}

function invalid(cookie: RpcHttpCookie, part: string): Error {
  return triggerErrors.create('HTTP_REPLY_COOKIE_INVALID', { cookie: JSON.stringify(cookie.name), part });
}
