import { describe, expect, it } from 'vitest';
import { toStarted } from './inspection.ts';

describe('toStarted', () => {
  it('finds the address where the engine tells it, and the ports that are published', () => {
    const Ports = { '80/tcp': [{ HostPort: '32768' }, { HostPort: '32769' }], '81/tcp': null, '82/udp': [] };
    expect(toStarted({ NetworkSettings: { IPAddress: '172.17.0.2', Ports } })).toEqual({
      kind: 'started',
      address: '172.17.0.2',
      ports: { '80': 32_768 },
    });
    const Networks = { host: { IPAddress: '' }, mine: { IPAddress: '10.0.0.5' } };
    expect(toStarted({ NetworkSettings: { IPAddress: '', Networks } }).address).toBe('10.0.0.5');
  });

  it('has no address without a network', () => {
    for (const found of [undefined, {}, { NetworkSettings: {} }])
      expect(toStarted(found)).toEqual({ kind: 'started', address: null, ports: {} });
  });
});
