import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainRecordFromMap, recordFromMap } from './record-from-map.ts';

const keys = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty'));
const maps = fc.array(fc.tuple(keys, fc.string())).map((entries) => new Map(entries));

describe('recordFromMap', () => {
  it('has exactly the keys of the map, whatever they are', () => {
    fc.assert(
      fc.property(maps, (map) => {
        const record = recordFromMap(map, (value) => `${value}!`);
        expect(new Map(Object.entries(record))).toEqual(new Map([...map].map(([key, value]) => [key, `${value}!`])));
        expect(Object.getPrototypeOf(record)).toBeNull();
        for (const name of ['constructor', '__proto__']) if (!map.has(name)) expect(record[name]).toBeUndefined();
      }),
    );
  });
});

describe('plainRecordFromMap', () => {
  it('has exactly the keys of the map, and an untouched prototype', () => {
    fc.assert(
      fc.property(maps, (map) => {
        const record = plainRecordFromMap(map);
        expect(new Map(Object.entries(record))).toEqual(map);
        expect(Object.getPrototypeOf(record)).toBe(Object.prototype);
      }),
    );
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});
