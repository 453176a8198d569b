import { protocolErrors } from '../errors.ts';

/** Where a channel connects to. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
}

/** Reads `http://host:port`, `https://host:port` or `host:port`. Throws RPC_ENDPOINT_INVALID. */
export function parseEndpoint(text: string): Endpoint {
  const invalid = (reason: string, shown = text): Error =>
    protocolErrors.create('RPC_ENDPOINT_INVALID', { endpoint: shown, reason });
  const withScheme = text.includes('://') ? text : `http://${text}`;
  if (!URL.canParse(withScheme)) throw invalid('it cannot be read as an address');
  const url = new URL(withScheme);
  if (url.username !== '' || url.password !== '') throw invalid('credentials belong in the metadata', url.host);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw invalid(`its scheme is '${url.protocol}'`);
  const secure = url.protocol === 'https:';
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port);
  if (port === 0) throw invalid('nothing listens on port 0');
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port, secure };
}
