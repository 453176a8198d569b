/** Where workers of other machines may be, as people name it. */
import { BlockList, isIP } from 'node:net';

/** Answers whether a host of an address, as `URL` has it, is in one of the networks. */
export type WorkerNetworks = (hostname: string) => boolean;

/** What is wrong with a text that names no network; quoted in a message. */
export type NetworksReading =
  | { readonly kind: 'networks'; readonly networks: WorkerNetworks }
  | { readonly kind: 'invalid'; readonly text: string };

const hostName = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;

/** Reads addresses, networks (`10.0.0.0/8`) and host names. */
export function parseWorkerNetworks(texts: readonly string[]): NetworksReading {
  const list = new BlockList();
  const names = new Set<string>();
  for (const text of texts) {
    const [address = '', prefix, ...rest] = text.split('/');
    const family = isIP(address);
    const bits = prefix === undefined ? undefined : readBits(prefix, family);
    if (rest.length > 0 || (prefix !== undefined && bits === undefined)) return { kind: 'invalid', text };
    if (family === 0) {
      if (prefix !== undefined || !hostName.test(address)) return { kind: 'invalid', text };
      names.add(address.toLowerCase());
    } else if (bits === undefined) list.addAddress(address, familyOf(family));
    else list.addSubnet(address, bits, familyOf(family));
  }
  const networks: WorkerNetworks = (hostname) => {
    const address = hostname.replace(/^\[|\]$/g, '');
    const family = isIP(address);
    return family === 0 ? names.has(address.toLowerCase()) : list.check(address, familyOf(family));
  };
  return { kind: 'networks', networks };
}

function familyOf(family: number): 'ipv4' | 'ipv6' {
  return family === 6 ? 'ipv6' : 'ipv4';
}

function readBits(text: string, family: number): number | undefined {
  const bits = Number(text);
  const maximum = family === 6 ? 128 : 32;
  return /^\d{1,3}$/.test(text) && family !== 0 && bits <= maximum ? bits : undefined;
}
