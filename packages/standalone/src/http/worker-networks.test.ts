import { describe, expect, it } from 'vitest';
import { parseWorkerNetworks } from './worker-networks.ts';

const isIn = (texts: readonly string[], hostname: string): boolean | string => {
  const reading = parseWorkerNetworks(texts);
  return reading.kind === 'invalid' ? reading.text : reading.networks(hostname);
};

describe('parseWorkerNetworks', () => {
  it.each([
    [['10.0.0.0/8'], '10.1.2.3', true],
    [['10.0.0.0/8'], '11.1.2.3', false],
    [['10.1.2.3'], '10.1.2.3', true],
    [['10.1.2.3'], '10.1.2.4', false],
    [['fd00::/8', '10.1.2.3'], '[fd12::1]', true],
    [['fd00::/8'], '[fe80::1]', false],
    [['Pods.Example'], 'pods.example', true],
    [['pods.example'], 'a.pods.example', false],
    [[], '10.1.2.3', false],
    // A name is not looked up, so it is in no network.
    [['0.0.0.0/0'], 'pods.example', false],
  ])('of %j is %s: %s', (texts, hostname, expected) => {
    expect(isIn(texts, hostname)).toBe(expected);
  });

  it.each(['', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', 'pods.example/8', 'fd00::/129', 'a b', '-a', '10.0.0.0/-1'])(
    'refuses %j',
    (text) => {
      expect(isIn(['10.1.2.3', text], '10.1.2.3')).toBe(text);
    },
  );
});
