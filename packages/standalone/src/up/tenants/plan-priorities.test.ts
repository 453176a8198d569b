import { describe, expect, it } from 'vitest';
import { planPriorities, type TenantUse } from './plan-priorities.ts';

const options = { windowMs: 500, calmMs: 2_000 };

const lowOf = (uses: Readonly<Record<string, number | [number, number]>>): string[] => {
  const all = Object.entries(uses).map(([tenantId, use]): TenantUse => {
    const [usedMs, calmForMs] = typeof use === 'number' ? [use, undefined] : use;
    return { tenantId, usedMs, calmForMs };
  });
  return [...planPriorities(all, options).low];
};

describe('planPriorities', () => {
  it.each<[string, Readonly<Record<string, number | [number, number]>>, string[]]>([
    ['nobody where one tenant is alone', { a: 2_000, b: 0 }, []],
    ['nobody while the other is as good as idle', { a: 2_000, b: 5 }, []],
    ['the one that takes most of what there is', { a: 1_500, b: 20 }, ['a']],
    ['nobody while all take the same', { a: 900, b: 1_000, c: 1_100 }, []],
    ['nobody for less than half a processor', { a: 240, b: 10 }, []],
    ['each one that is far above an even part', { a: 900, b: 900, c: 10, d: 10 }, ['a', 'b']],
    ['one that was above its part a moment ago', { a: [100, 1_500], b: 100 }, ['a']],
    ['no longer one that has been calm', { a: [100, 2_000], b: 100 }, []],
    ['nobody once the others are gone, whatever was', { a: [2_000, 0], b: 0 }, []],
  ])('%s', (_what, uses, low) => {
    expect(lowOf(uses)).toEqual(low);
  });
});
