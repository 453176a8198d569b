import type { PlatformError } from '@switchyard/kernel';
import { identityErrors } from '../errors.ts';

export interface ClearTokenOptions {
  /** True lets tokens travel in clear, for networks that protect them otherwise. */
  readonly allow: boolean;
}

/**
 * A token never leaves the machine in clear: the error TOKEN_IN_CLEAR for an endpoint without TLS that is not on loopback,
 * undefined for every other one and when it is allowed. The caller throws it or reports it.
 *
 * @param endpoint `http://host:port`, `https://host:port` or `host:port` (in clear)
 */
export function refuseClearTokens(endpoint: string, { allow }: ClearTokenOptions): PlatformError | undefined {
  if (allow || isProtected(endpoint)) return undefined;
  return identityErrors.create('TOKEN_IN_CLEAR', { endpoint: withoutCredentials(endpoint) });
}

/** True for an endpoint over TLS or on loopback. What cannot be read counts as neither. */
export function isProtected(endpoint: string): boolean {
  const withScheme = endpoint.includes('://') ? endpoint : `http://${endpoint}`;
  if (!URL.canParse(withScheme)) return false;
  const { protocol, hostname } = new URL(withScheme);
  if (protocol === 'https:') return true;
  return protocol === 'http:' && isLoopback(hostname);
}

/** Names below `localhost` are not trusted: whether they stay on the machine is up to the resolver. */
function isLoopback(hostname: string): boolean {
  return /^(?:127\.\d+\.\d+\.\d+|\[::1\]|localhost)$/.test(hostname);
}

function withoutCredentials(endpoint: string): string {
  return endpoint.replace(/\/\/[^/@]*@/, '//***@').slice(0, 200);
}
