/**
 * Header names as ASP.NET spells them. Hosts send them in lower case; handlers that were written against the official
 * host look for `User-Agent`, so the well-known ones get their usual spelling back. Others stay as they come.
 */
const spellings = [
  'Accept',
  'Accept-Charset',
  'Accept-Encoding',
  'Accept-Language',
  'Access-Control-Request-Headers',
  'Access-Control-Request-Method',
  'Authorization',
  'Cache-Control',
  'Connection',
  'Content-Encoding',
  'Content-Language',
  'Content-Length',
  'Content-Location',
  'Content-MD5',
  'Content-Range',
  'Content-Type',
  'Cookie',
  'Date',
  'Expect',
  'Expires',
  'Forwarded',
  'From',
  'Host',
  'If-Match',
  'If-Modified-Since',
  'If-None-Match',
  'If-Range',
  'If-Unmodified-Since',
  'Keep-Alive',
  'Last-Modified',
  'Max-Forwards',
  'Origin',
  'Pragma',
  'Prefer',
  'Proxy-Authorization',
  'Range',
  'Referer',
  'Request-Id',
  'Sec-WebSocket-Key',
  'TE',
  'Trailer',
  'Transfer-Encoding',
  'Upgrade',
  'Upgrade-Insecure-Requests',
  'User-Agent',
  'Via',
  'Warning',
  'X-Forwarded-For',
  'X-Forwarded-Host',
  'X-Forwarded-Proto',
  'X-Requested-With',
];

const byLowerCase: ReadonlyMap<string, string> = new Map(spellings.map((name) => [name.toLowerCase(), name]));

/** The usual spelling of a header's name. */
export function spellHeaderName(name: string): string {
  return byLowerCase.get(name.toLowerCase()) ?? name;
}
