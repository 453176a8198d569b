import type { IncomingHttpHeaders } from 'node:http';
import { unescape as unescapeLeniently } from 'node:querystring';
import type { AuthLevel } from '@switchyard/triggers';
import type { FunctionKeys } from '../contract.ts';

/** What a caller shows to be let in. */
export interface Credentials {
  readonly headers: IncomingHttpHeaders;
  /** The query without its question mark. */
  readonly search: string;
}

/**
 * True when the caller may run the function. The key stands in the header `x-functions-key`, else in the query as `code`.
 * A level is opened by a key of that level or of `admin`, and by no other: a system key opens no function, as in the
 * official host (AuthUtility). Without keys every caller is let in.
 */
export function isAuthorized(
  keys: FunctionKeys | undefined,
  required: AuthLevel,
  functionName: string,
  credentials: Credentials,
): boolean {
  if (keys === undefined || required === 'anonymous') return true;
  const key = keyOf(credentials);
  if (key === undefined || key === '') return false;
  const granted = keys.levelOf(key, functionName);
  return granted !== undefined && (granted === 'admin' || granted === required);
}

/** The key that a caller shows, in the header or else in the query. */
export function keyOf({ headers, search }: Credentials): string | undefined {
  const header = headers['x-functions-key'];
  if (typeof header === 'string') return header;
  for (const part of search.split('&')) {
    const equals = part.indexOf('=');
    if (equals > 0 && part.slice(0, equals).toLowerCase() === 'code') {
      return unescapeLeniently(part.slice(equals + 1).replaceAll('+', ' '));
    }
  }
  return undefined;
}
