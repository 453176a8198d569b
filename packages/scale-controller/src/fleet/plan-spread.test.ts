import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planSpread, type SpreadRequest } from './plan-spread.ts';

const request = (more: Partial<SpreadRequest>): SpreadRequest => ({
  count: 1,
  homes: ['a'],
  current: new Map(),
  places: ['a', 'b', 'c'].map((runtimeId) => ({ runtimeId, room: 20 })),
  maxPerRuntime: 20,
  minPerRuntime: 1,
  affinity: 'none',
  ...more,
});

const spread = (more: Partial<SpreadRequest>) => {
  const { counts, missing } = planSpread(request(more));
  return [Object.fromEntries(counts), missing];
};

describe('planSpread', () => {
  it.each([
    ['sleeps at home', { count: 0 }, { a: 0 }],
    ['fits its home', { count: 20 }, { a: 20 }],
    ['spans two', { count: 21, current: new Map([['a', 20]]) }, { a: 20, b: 1 }],
    ['spans three', { count: 41, current: new Map([['a', 20]]) }, { a: 20, b: 11, c: 10 }],
    ['stays in what it has', { count: 21, current: new Map([['a', 20]]), homes: ['a', 'c'] }, { a: 20, c: 1 }],
    [
      'leaves the last one',
      {
        count: 20,
        current: new Map([
          ['a', 20],
          ['b', 5],
        ]),
        homes: ['a', 'b'],
      },
      { a: 20 },
    ],
    ['has a limit of its own', { count: 6, maxPerRuntime: 4, current: new Map([['a', 4]]) }, { a: 4, b: 2 }],
  ] as const)('I2: an app that %s', (_what, more, expected) => {
    expect(spread(more)).toEqual([expected, 0]);
  });

  it('I1, I5: says how many have no room', () => {
    expect(spread({ count: 70 })).toEqual([{ a: 20, b: 20, c: 20 }, 10]);
    expect(spread({ count: 5, places: [] })).toEqual([{}, 5]);
  });

  it('I3: strict is locked to its home, preferred goes back to it, none is spread evenly', () => {
    const current = new Map([
      ['a', 10],
      ['b', 12],
    ]);
    const homes = ['a', 'b'];
    expect(spread({ affinity: 'strict', count: 25, homes, current })).toEqual([{ a: 20 }, 5]);
    expect(spread({ affinity: 'preferred', count: 23, homes, current })).toEqual([{ a: 20, b: 3 }, 0]);
    expect(spread({ affinity: 'none', count: 23, homes, current })).toEqual([{ a: 11, b: 12 }, 0]);
    expect(spread({ affinity: 'strict', count: 2, homes: [] })).toEqual([{ a: 2 }, 0]);
  });

  it('I4: keeps the minimum in each Runtime that is used', () => {
    expect(spread({ affinity: 'preferred', minPerRuntime: 4, count: 21 })).toEqual([{ a: 17, b: 4 }, 0]);
    expect(spread({ minPerRuntime: 4, count: 2 })).toEqual([{ a: 2 }, 0]);
  });

  it('I1, I4, I5: hold for any rooms, and the plan comes to rest', () => {
    const number = fc.integer({ min: 0, max: 30 });
    const affinity = fc.constantFrom('none' as const, 'preferred' as const, 'strict' as const);
    fc.assert(
      fc.property(
        number,
        fc.array(number, { maxLength: 5 }),
        number,
        fc.integer({ min: 0, max: 3 }),
        affinity,
        (...given) => {
          const [count, rooms, maxPerRuntime, minPerRuntime, how] = given;
          const places = rooms.map((room, index) => ({ runtimeId: `r${index}`, room }));
          const first = request({ count, places, maxPerRuntime, minPerRuntime, affinity: how, homes: ['r0'] });
          const { counts, missing } = planSpread(first);
          const total = [...counts.values()].reduce((sum, one) => sum + one, 0);
          expect(total).toBe(count - missing);
          for (const [runtimeId, one] of counts) {
            const room = places.find((place) => place.runtimeId === runtimeId)?.room ?? 0;
            expect(one).toBeLessThanOrEqual(Math.min(room, maxPerRuntime));
          }
          const again = planSpread({ ...first, homes: [...counts.keys()], current: counts });
          expect([...again.counts]).toEqual([...counts]);
        },
      ),
    );
  });
});
