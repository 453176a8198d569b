import { VirtualClock } from '@switchyard/testkit';
import { expect, test } from 'vitest';
import { StickyAccounts } from './sticky-accounts.ts';

function open() {
  const clock = new VirtualClock();
  return { clock, sticky: new StickyAccounts({ clock }, { ttlMs: 1_000, maxEntries: 3 }) };
}

test('I1: an account is remembered for its time after the last use', async () => {
  const { clock, sticky } = open();
  sticky.use('ml', 'x', 's1');
  await clock.advance(999);
  expect(sticky.shardOf('ml', 'x')).toBe('s1');
  sticky.use('ml', 'x', 's1');
  await clock.advance(999);
  expect(sticky.shardOf('ml', 'x')).toBe('s1');
  await clock.advance(1);
  expect([sticky.shardOf('ml', 'x'), sticky.shardOf('other', 'x')]).toEqual([undefined, undefined]);
});

test('I2: the accounts of a lost shard move on, or are forgotten, and others stay', () => {
  const { sticky } = open();
  sticky.use('ml', 'x', 's1');
  sticky.use('ml', 'y', 's1');
  sticky.use('ml', 'z', 's2');
  sticky.loseShard('s1', (capability, account) => (account === 'x' ? `${capability}-next` : undefined));
  expect(['x', 'y', 'z'].map((account) => sticky.shardOf('ml', account))).toEqual(['ml-next', undefined, 's2']);
});

test('I3: the one that was used longest ago goes first', () => {
  const { sticky } = open();
  for (const account of ['a', 'b', 'c', 'a', 'd']) sticky.use('ml', account, 's');
  expect(sticky.size).toBe(3);
  expect(sticky.shardOf('ml', 'b')).toBeUndefined();
  expect(sticky.shardOf('ml', 'a')).toBe('s');
});
