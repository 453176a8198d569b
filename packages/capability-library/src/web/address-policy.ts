import { BlockList, isIP } from 'node:net';

/** IPv4 ranges that are not the public internet (RFC 6890 and its registry). */
const specialIpv4: readonly (readonly [string, number, string])[] = [
  ['0.0.0.0', 8, 'this network'],
  ['10.0.0.0', 8, 'private'],
  ['100.64.0.0', 10, 'shared by carriers'],
  ['127.0.0.0', 8, 'loopback'],
  ['169.254.0.0', 16, 'link-local, where clouds keep their metadata'],
  ['172.16.0.0', 12, 'private'],
  ['192.0.0.0', 24, 'reserved for protocols'],
  ['192.0.2.0', 24, 'for documentation'],
  ['192.88.99.0', 24, 'reserved'],
  ['192.168.0.0', 16, 'private'],
  ['198.18.0.0', 15, 'for benchmarks'],
  ['198.51.100.0', 24, 'for documentation'],
  ['203.0.113.0', 24, 'for documentation'],
  ['224.0.0.0', 4, 'multicast'],
  ['240.0.0.0', 4, 'reserved'],
];

/** What of global unicast IPv6 is special all the same: some of it carries an IPv4 address inside. */
const specialIpv6: readonly (readonly [string, number, string])[] = [
  ['2001::', 23, 'reserved for protocols, tunnels among them'],
  ['2001:db8::', 32, 'for documentation'],
  ['2002::', 16, 'a tunnel to an IPv4 address'],
  ['3fff::', 20, 'for documentation'],
];

const rules = [
  ...specialIpv4.map(([network, prefix, what]) => ({ what, list: listOf(network, prefix, 'ipv4'), version: 4 })),
  ...specialIpv6.map(([network, prefix, what]) => ({ what, list: listOf(network, prefix, 'ipv6'), version: 6 })),
];

const globalIpv6 = listOf('2000::', 3, 'ipv6');

/**
 * Why an IP address is not a public one, or undefined. IPv6 is public within 2000::/3 only, so that IPv4 addresses in
 * IPv6 clothes (`::ffff:10.0.0.1`, `64:ff9b::a00:1`) are refused, whatever they stand for.
 */
export function reasonAgainstAddress(address: string): string | undefined {
  const version = isIP(address);
  if (version === 0) return `'${address}' is no IP address`;
  const family = version === 4 ? 'ipv4' : 'ipv6';
  if (version === 6 && !globalIpv6.check(address, family)) return `${address} is no public IPv6 address`;
  const rule = rules.find((one) => one.version === version && one.list.check(address, family));
  return rule === undefined ? undefined : `${address} is ${rule.what}`;
}

function listOf(network: string, prefix: number, family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  list.addSubnet(network, prefix, family);
  return list;
}
