import { VirtualClock } from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BodyBudget, type BodyPlace } from './body-budget.ts';

function open(limitBytes = 100, maxWaiting = 10) {
  const clock = new VirtualClock();
  const budget = new BodyBudget(clock, { limitBytes, waitMs: 30_000, maxWaiting });
  const told: string[] = [];
  const places = new Map<string, BodyPlace>();
  const enter = (name: string, bytes: number): (() => void) =>
    budget.enter(bytes, (place) => {
      told.push(place === undefined ? `no ${name}` : name);
      if (place !== undefined) places.set(name, place);
    });
  return { clock, budget, told, places, enter };
}

describe('BodyBudget', () => {
  it('I1: a body larger than the limit gets a place when it is alone', () => {
    const { enter, told, places } = open();
    enter('huge', 500);
    enter('small', 1);
    expect(told).toEqual(['huge']);
    places.get('huge')?.leave();
    expect(told).toEqual(['huge', 'small']);
  });

  it('I2: places are given in the order of asking, also where a later one would fit', () => {
    const { enter, told, places } = open();
    enter('a', 80);
    enter('b', 50);
    enter('c', 10);
    expect(told).toEqual(['a']);
    places.get('a')?.leave();
    expect(told).toEqual(['a', 'b', 'c']);
  });

  it('I3: whoever waits too long, or behind too many, gets none, and the next one moves up', async () => {
    const { clock, enter, told } = open(100, 2);
    enter('a', 80);
    enter('b', 50);
    await clock.advance(20_000);
    enter('c', 20);
    enter('d', 1);
    expect(told).toEqual(['a', 'no d']);
    await clock.advance(10_000);
    expect(told).toEqual(['a', 'no d', 'no b', 'c']);
  });

  it('I4: who leaves while waiting is not called, and makes way', () => {
    const { enter, told, places, budget } = open();
    enter('a', 80);
    const leave = enter('b', 50);
    enter('c', 20);
    leave();
    leave();
    expect(told).toEqual(['a', 'c']);
    const a = places.get('a');
    a?.leave();
    a?.leave();
    expect(a?.grow(1)).toBe(false);
    expect(budget.usedBytes).toBe(20);
  });

  it('I1: a body without a length takes more as it comes, as long as there is room', () => {
    const { enter, places } = open();
    enter('a', 10);
    const a = places.get('a');
    expect(a?.grow(500)).toBe(true);
    a?.leave();
    enter('b', 10);
    enter('c', 60);
    expect([places.get('b')?.grow(30), places.get('b')?.grow(1)]).toEqual([true, false]);
  });

  it('I1, I3, I4: whatever happens, what is used is what the places have, and everybody hears once', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('enter' as const), bytes: fc.integer({ min: 1, max: 130 }) }),
      fc.record({ kind: fc.constant('leave' as const), at: fc.nat(20) }),
      fc.record({ kind: fc.constant('grow' as const), at: fc.nat(20), bytes: fc.integer({ min: 1, max: 60 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { budget, enter, told, places } = open(100, 1_000);
        const held = new Map<string, number>();
        const wanted = new Map<string, number>();
        const settle = (): void => {
          for (const name of places.keys()) if (!held.has(name)) held.set(name, wanted.get(name) ?? 0);
        };
        steps.forEach((one, index) => {
          if (one.kind === 'enter') {
            wanted.set(`${index}`, one.bytes);
            enter(`${index}`, one.bytes);
          } else {
            const [name, place] = [...places][one.at % Math.max(1, places.size)] ?? [];
            if (name === undefined || place === undefined || (held.get(name) ?? 0) === 0) return;
            if (one.kind === 'grow') {
              if (place.grow(one.bytes)) held.set(name, (held.get(name) ?? 0) + one.bytes);
            } else {
              held.set(name, 0);
              place.leave();
            }
          }
          settle();
          const used = [...held.values()].reduce((sum, bytes) => sum + bytes, 0);
          expect(budget.usedBytes).toBe(used);
          const many = [...held.values()].filter((bytes) => bytes > 0).length > 1;
          if (many) expect(used).toBeLessThanOrEqual(100 + 60);
        });
        expect(new Set(told).size).toBe(told.length);
      }),
    );
  });
});
