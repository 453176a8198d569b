import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clockSkewMs, type KeyAge, longestTokenMs, planKeys } from './key-life.ts';

const graceMs = 60_000;
const holdsMs = longestTokenMs + clockSkewMs + graceMs;

describe('the life of keys', () => {
  it('lets the newest sign', () => {
    const keys: KeyAge[] = [
      { keyId: 'a', createdAtMs: 1 },
      { keyId: 'c', createdAtMs: 3 },
      { keyId: 'b', createdAtMs: 2 },
    ];
    expect(planKeys(keys, 10, graceMs).signing?.keyId).toBe('c');
    expect(planKeys([], 10, graceMs)).toEqual({ signing: undefined, verifying: [], ended: [] });
  });

  it('lets an older one verify exactly until its last token has ended', () => {
    const [old, young] = [
      { keyId: 'old', createdAtMs: 0 },
      { keyId: 'young', createdAtMs: 1_000 },
    ];
    expect(planKeys([old, young], 1_000 + holdsMs - 1, graceMs).verifying).toEqual([young, old]);
    expect(planKeys([old, young], 1_000 + holdsMs, graceMs)).toMatchObject({ verifying: [young], ended: [old] });
  });

  it('keeps every key on one side, and the one that signs for ever', () => {
    const ages = fc.uniqueArray(
      fc.record({ keyId: fc.string(), createdAtMs: fc.integer({ min: 0, max: 2 * holdsMs }) }),
      { selector: ({ keyId }) => keyId },
    );
    fc.assert(
      fc.property(ages, fc.integer({ min: 0, max: 5 * holdsMs }), (keys, nowMs) => {
        const { signing, verifying, ended } = planKeys(keys, nowMs, graceMs);
        expect([...verifying, ...ended].map(({ keyId }) => keyId).sort()).toEqual(
          keys.map(({ keyId }) => keyId).sort(),
        );
        expect(verifying[0]).toBe(signing);
        const newest = Math.max(...keys.map(({ createdAtMs }) => createdAtMs));
        if (signing) expect(signing.createdAtMs).toBe(newest);
        // What has ended was succeeded by a key that is itself old enough.
        for (const { createdAtMs } of ended) {
          const successors = keys.filter((key) => key.createdAtMs >= createdAtMs).map((key) => key.createdAtMs);
          expect(Math.min(...successors) + holdsMs <= nowMs).toBe(true);
        }
      }),
    );
  });
});
