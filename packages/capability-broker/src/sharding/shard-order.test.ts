import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hashCode } from './hash-text.ts';
import { getShardId, rolloutBucket, shardOrder } from './shard-order.ts';

const accounts = Array.from({ length: 10_000 }, (_, index) => `account-${index}`);

function firstShards(strategy: 'rendezvous' | 'modulo', count: number): string[] {
  return accounts.map((account) => shardOrder(strategy, 'ml', account, count)[0] ?? '');
}

test('the modulo formula is the one of the founding document, and takes negative hashes', () => {
  expect(hashCode('ml:abc')).toBe([...'ml:abc'].reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) | 0, 0));
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 50 }), (account, count) => {
      const [, number] = getShardId('ml', account, count).split(':shard-');
      expect(Number(number)).toBeGreaterThanOrEqual(0);
      expect(Number(number)).toBeLessThan(count);
      expect(shardOrder('modulo', 'ml', account, count)[0]).toBe(getShardId('ml', account, count));
    }),
  );
});

test('every order names every shard once', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.integer({ min: 1, max: 30 }),
      fc.constantFrom('rendezvous' as const, 'modulo' as const),
      (account, count, strategy) => {
        const order = shardOrder(strategy, 'ml', account, count);
        expect(new Set(order).size).toBe(count);
        expect(shardOrder(strategy, 'ml', account, count)).toEqual(order);
      },
    ),
  );
});

test('accounts spread evenly, and an eleventh shard moves a tenth of them with rendezvous, nearly all with modulo', () => {
  const moved = (strategy: 'rendezvous' | 'modulo'): number => {
    const [before, after] = [firstShards(strategy, 10), firstShards(strategy, 11)];
    return before.filter((shard, index) => shard !== after[index]).length / accounts.length;
  };
  const counts = new Map<string, number>();
  for (const shard of firstShards('rendezvous', 10)) counts.set(shard, (counts.get(shard) ?? 0) + 1);
  expect(Math.max(...counts.values()) / (accounts.length / 10)).toBeLessThan(1.1);
  expect(moved('rendezvous')).toBeLessThan(0.12);
  expect(moved('modulo')).toBeGreaterThan(0.8);
});

test('what a new shard takes comes from all, and nothing moves between the old ones', () => {
  for (const account of accounts.slice(0, 2_000)) {
    const [before, after] = [10, 11].map((count) => shardOrder('rendezvous', 'ml', account, count));
    expect(after?.filter((id) => id !== 'ml:shard-10')).toEqual(before);
  }
});

test('roll-out buckets are even, and differ between capabilities', () => {
  const below = (name: string): number => accounts.filter((account) => rolloutBucket(name, account) < 10).length;
  for (const name of ['a', 'data.sql']) expect(Math.abs(below(name) / accounts.length - 0.1)).toBeLessThan(0.015);
  expect(accounts.some((account) => rolloutBucket('a', account) !== rolloutBucket('b', account))).toBe(true);
});
