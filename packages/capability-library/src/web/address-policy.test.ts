import fc from 'fast-check';
import { expect, test } from 'vitest';
import { reasonAgainstAddress } from './address-policy.ts';

test.each([
  '127.0.0.1',
  '127.255.255.254',
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '192.0.2.1',
  '198.18.0.1',
  '203.0.113.9',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:8.8.8.8',
  '::127.0.0.1',
  '64:ff9b::7f00:1',
  'fe80::1',
  'fe80::1%eth0',
  'fc00::1',
  'fd00:ec2::254',
  'ff02::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::',
  'not an address',
])('%s is refused', (address) => {
  expect(reasonAgainstAddress(address)).toEqual(expect.any(String));
});

test.each(['8.8.8.8', '1.1.1.1', '172.15.0.1', '172.32.0.1', '192.0.1.1', '2606:4700:4700::1111', '2a00:1450::1'])(
  '%s is public',
  (address) => {
    expect(reasonAgainstAddress(address)).toBeUndefined();
  },
);

test('every private IPv4 address is refused, as itself and in IPv6 clothes', () => {
  const octet = fc.integer({ min: 0, max: 255 });
  const networks = fc.constantFrom('10', '127', '169.254', '192.168', '172.20');
  fc.assert(
    fc.property(networks, octet, octet, octet, (network, a, b, c) => {
      const address = `${network}.${a}.${b}.${c}`.split('.').slice(0, 4).join('.');
      expect(reasonAgainstAddress(address)).toBeDefined();
      expect(reasonAgainstAddress(`::ffff:${address}`)).toBeDefined();
    }),
  );
});
