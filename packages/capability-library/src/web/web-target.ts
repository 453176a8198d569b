import { isIP } from 'node:net';
import { libraryErrors } from '../errors.ts';
import { reasonAgainstAddress } from './address-policy.ts';
import type { WebOptions } from './web-options.ts';

const defaultPort: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** Where an address leads, for the check and for the connection. */
export function hostAndPort(url: URL): { readonly host: string; readonly port: number } {
  const port = url.port === '' ? (defaultPort[url.protocol] ?? 0) : Number(url.port);
  return { host: url.hostname.toLowerCase(), port };
}

/** True for what the operator allows by name. */
export function isAllowed(host: string, port: number, { allow }: Pick<WebOptions, 'allow'>): boolean {
  return allow.has(`${host}:${port}`);
}

/**
 * Parses an address and checks what can be told without asking the name service. Names are checked when they are
 * resolved, at every connection. Fails with WEB_TARGET_REFUSED.
 */
export function parseTarget(text: string, options: Pick<WebOptions, 'allow' | 'ports'>): URL {
  const refuse = (reason: string): never => {
    throw libraryErrors.create('WEB_TARGET_REFUSED', { url: shown(text), reason });
  };
  if (!URL.canParse(text)) refuse('it is no address');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    refuse(`its scheme is '${url.protocol}', not http or https`);
  if (url.username !== '' || url.password !== '') refuse('it holds a name or password; send an Authorization header');
  const { host, port } = hostAndPort(url);
  if (isAllowed(host, port, options)) return url;
  if (!options.ports.has(port)) refuse(`port ${port} is none of ${[...options.ports].join(', ')}`);
  const literal = host.replace(/^\[|\]$/g, '');
  const reason = isIP(literal) === 0 ? reasonAgainstName(host) : reasonAgainstAddress(literal);
  if (reason !== undefined) refuse(reason);
  return url;
}

/** Names that mean this machine or its network by themselves. */
function reasonAgainstName(host: string): string | undefined {
  const name = host.replace(/\.$/, '');
  if (name === 'localhost' || name.endsWith('.localhost')) return `'${host}' is this machine`;
  if (/\.(?:local|internal|home\.arpa|lan)$/.test(name)) return `'${host}' is a name of a private network`;
  if (!name.includes('.')) return `'${host}' is no public name`;
  return undefined;
}

/** An address as messages show it: short, and without what may be secret. */
export function shown(text: string): string {
  const plain = text.replace(/[?#].*$/s, '').replace(/\/\/[^/@]*@/, '//');
  return plain.length > 200 ? `${plain.slice(0, 199)}…` : plain;
}
