import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { TransientMap } from './transient-map.ts';
import { TransientSet } from './transient-set.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as (options?: { readonly type: 'major' | 'minor' }) => void;

const inFlight = 32;
const rounds = 4_000;
const perCollection = 500;
const bodyLength = 200;

interface Churned {
  begin(key: number): void;
  end(key: number): void;
}

/** How many bytes came to the old generation while calls came and went; what a full collection takes away does not count. */
function promotedBy(calls: Churned): number {
  for (let key = 0; key < 8; key += 1) calls.begin(-key - 1);
  collect();
  let promoted = 0;
  for (let key = 0; key < rounds; key += 1) {
    calls.begin(key);
    if (key >= inFlight) calls.end(key - inFlight);
    if (key % perCollection !== 0) continue;
    const before = oldBytes();
    collect({ type: 'minor' });
    promoted += Math.max(0, oldBytes() - before);
  }
  return promoted;
}

function oldBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name: name }) => name === 'old_space')?.space_used_size ?? 0;
}

const body = (key: number): number[] => new Array<number>(bodyLength).fill(key);

describe('TransientMap and TransientSet', () => {
  it('I1: hold what a Map and a Set hold, in the same order', () => {
    const map = new TransientMap<number, string>();
    const set = new TransientSet<number>();
    const expected = new Map<number, string>();
    for (let step = 0; step < 5_000; step += 1) {
      const key = (step * 7_919) % 97;
      if ((step * 31) % 5 < 2) {
        const was = expected.delete(key);
        expect([map.delete(key), set.delete(key)]).toEqual([was, was]);
      } else {
        expected.set(key, `${step}`);
        map.set(key, `${step}`);
        set.add(key);
      }
      expect([map.size, map.get(key), map.has(key), set.size, set.has(key)]).toEqual([
        ...[expected.size, expected.get(key), expected.has(key), expected.size, expected.has(key)],
      ]);
    }
    expect([...map]).toEqual([...expected]);
    expect([[...map.keys()], [...map.values()], [...map.entries()]]).toEqual([
      ...[[...expected.keys()], [...expected.values()], [...expected]],
    ]);
    expect([[...set], [...set.values()]]).toEqual([[...expected.keys()], [...expected.keys()]]);
    map.clear();
    set.clear();
    expect([map.size, set.size, [...map], [...set]]).toEqual([0, 0, [], []]);
  });

  it('I2: leave to young collections what a Map and a Set hold on to', () => {
    const ofMap = (map: Map<number, number[]> | TransientMap<number, number[]>): Churned => ({
      begin: (key) => map.set(key, body(key)),
      end: (key) => map.delete(key),
    });
    const ofSet = (set: Set<number[]> | TransientSet<number[]>): Churned => {
      const bodies: number[][] = [];
      return {
        begin(key) {
          const added = body(key);
          if (key >= 0) bodies.push(added);
          set.add(added);
        },
        end: () => set.delete(bodies.shift() ?? []),
      };
    };
    const least = (rounds * bodyLength) / 2;
    expect(promotedBy(ofMap(new Map()))).toBeGreaterThan(least);
    expect(promotedBy(ofMap(new TransientMap()))).toBeLessThan(least);
    expect(promotedBy(ofSet(new Set()))).toBeGreaterThan(least);
    expect(promotedBy(ofSet(new TransientSet()))).toBeLessThan(least);
  });

  it('I3: an iteration shows what was there when it began', () => {
    const map = new TransientMap<number, string>();
    for (let key = 0; key < 100; key += 1) map.set(key, 'here');
    const seen: number[] = [];
    for (const [key] of map) {
      seen.push(key);
      map.delete(key);
    }
    expect(seen).toEqual([...Array(100).keys()]);
    expect(map.size).toBe(0);
  });
});
