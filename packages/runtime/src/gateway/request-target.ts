/** What a request addresses, from its first line and its Host header. */
export interface RequestTarget {
  /** The Host header, or the authority of an absolute target; undefined when the request names none (HTTP/1.0). */
  readonly authority: string | undefined;
  /** The path as it was sent, escapes and all; begins with a slash. */
  readonly path: string;
  /** The query without its question mark. */
  readonly search: string;
}

/** `http://host/path`: legal in any request, usual only towards proxies (RFC 9112, section 3.2.2). */
const absoluteForm = /^https?:\/\/([^/?#]*)([^#]*)/i;

/**
 * Takes the target of a request apart. Undefined when it is neither a path nor an absolute URL: the authority form of
 * CONNECT and the asterisk of OPTIONS address no function.
 */
export function parseTarget(url: string, host: string | undefined): RequestTarget | undefined {
  if (url.charCodeAt(0) === slash) return split(url, host);
  const match = absoluteForm.exec(url);
  if (match === null) return undefined;
  const [, authority, rest = ''] = match;
  return split(rest.startsWith('/') ? rest : `/${rest}`, authority);
}

const slash = 0x2f;

function split(target: string, authority: string | undefined): RequestTarget {
  // A client never sends a fragment; one that came anyway is no part of the target.
  const fragment = target.indexOf('#');
  const url = fragment < 0 ? target : target.slice(0, fragment);
  const question = url.indexOf('?');
  if (question < 0) return { authority, path: url, search: '' };
  return { authority, path: url.slice(0, question), search: url.slice(question + 1) };
}
