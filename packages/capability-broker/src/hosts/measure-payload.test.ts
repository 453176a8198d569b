import { RpcTarget } from '@switchyard/capabilities';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { measurePayload } from './measure-payload.ts';

const limits = { maxBytes: 10_000, maxDepth: 20 };

function reasonOf(value: unknown, change: Partial<typeof limits> = {}): string | undefined {
  const measure = measurePayload(value, { ...limits, ...change });
  return measure.kind === 'refused' ? measure.reason : undefined;
}

test('all JSON fits, whatever its keys', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 10 }), (value) => {
      expect(reasonOf(value, { maxBytes: 10_000_000 })).toBeUndefined();
    }),
  );
  expect(reasonOf(JSON.parse('{"__proto__": {"a": 1}, "constructor": 2}'))).toBeUndefined();
});

test('what capnweb carries besides fits too', () => {
  class Counter extends RpcTarget {}
  const values = [
    undefined,
    5n,
    new Date(0),
    new Uint8Array(4),
    new ArrayBuffer(2),
    new URL('http://a/'),
    new Error('x'),
  ];
  for (const value of [...values, new Counter(), () => 1, Object.create(null)])
    expect(reasonOf([value])).toBeUndefined();
});

test('size counts text, keys and bytes', () => {
  expect(reasonOf('x'.repeat(10_000))).toBe('it is larger than 10000 bytes');
  expect(reasonOf({ ['k'.repeat(10_000)]: 1 })).toBe('it is larger than 10000 bytes');
  expect(reasonOf(new Uint8Array(10_001))).toBe('it is larger than 10000 bytes');
});

test('a shared object that unfolds without end costs no more than the limit', () => {
  let bomb: unknown = 1;
  for (let level = 0; level < 19; level += 1) bomb = [bomb, bomb, bomb];
  expect(reasonOf(bomb)).toBe('it is larger than 10000 bytes');
});

test('depth, cycles and classes are refused by name', () => {
  let deep: unknown = 1;
  for (let level = 0; level < 21; level += 1) deep = [deep];
  expect(reasonOf(deep)).toBe('it nests deeper than 20 levels');
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  expect(reasonOf(cycle)).toBe('it contains itself');
  expect(reasonOf({ map: new Map() })).toBe('it holds a Map, which cannot travel; send plain data');
  const twice = { a: 1 };
  expect(reasonOf([twice, twice])).toBeUndefined();
});
