import { lookup } from 'node:dns/promises';
import type { ResolvedAddress } from './web/guarded-agent.ts';

/** Asks the name service of the system for all addresses of a host. */
export function resolveHost(host: string): Promise<ResolvedAddress[]> {
  return lookup(host, { all: true });
}
