import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BlobItem, BlobPage } from './blob-client.ts';
import { afterPage, candidatesOf, type Sweep, startSweeps } from './container-sweep.ts';

function item(name: string, lastModifiedMs: number): BlobItem {
  return { name, lastModifiedMs, etag: `"${name}-${lastModifiedMs}"`, type: 'Block' };
}

function page(blobs: readonly BlobItem[], serverTimeMs: number, continuation?: string): BlobPage {
  return { kind: 'page', blobs, serverTimeMs, continuation };
}

describe('a sweep', () => {
  it('looks at everything when there is no position', () => {
    const blobs = [item('a', 1_000), item('b', 2_000)];
    expect(candidatesOf(startSweeps(undefined), page(blobs, 50_000))).toEqual(blobs);
  });

  it('looks at what is as old as the position again, since a second is long', () => {
    const blobs = [item('a', 1_999), item('b', 2_000), item('c', 2_001)];
    expect(candidatesOf(startSweeps(2_000), page(blobs, 50_000)).map((blob) => blob.name)).toEqual(['b', 'c']);
  });

  it('moves the position only at its end', () => {
    const first = afterPage(startSweeps(undefined), page([item('a', 3_000)], 50_000, 'b'), []);
    expect(first).toMatchObject({ positionMs: undefined, current: { continuation: 'b' } });
    expect(afterPage(first, page([item('b', 1_000)], 60_000), [])).toEqual({ positionMs: 3_000, current: undefined });
  });

  it('moves it no further than its own beginning, less some slack', () => {
    const first = afterPage(startSweeps(undefined), page([item('b', 1_000)], 50_000, 'c'), []);
    expect(afterPage(first, page([item('c', 70_000)], 71_000), [])).toMatchObject({ positionMs: 40_000 });
  });

  it('moves it no further than what failed, and never back', () => {
    const failed = item('a', 2_000);
    const blobs = [failed, item('b', 5_000)];
    expect(afterPage(startSweeps(1_000), page(blobs, 50_000), [failed])).toMatchObject({ positionMs: 2_000 });
    expect(afterPage(startSweeps(3_000), page(blobs, 50_000), [failed])).toMatchObject({ positionMs: 3_000 });
    expect(afterPage(startSweeps(3_000), page([], 50_000), [])).toMatchObject({ positionMs: 3_000 });
    expect(afterPage(startSweeps(undefined), page([], 50_000), [])).toMatchObject({ positionMs: undefined });
  });
});

describe('many sweeps', () => {
  it('look at every version of every blob that stays, whenever it is written', () => {
    const write = fc.record({ name: fc.integer({ min: 0, max: 30 }), afterMs: fc.integer({ min: 0, max: 8_000 }) });
    fc.assert(
      fc.property(fc.array(write, { minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 5 }), (writes, size) => {
        const container = new Map<string, BlobItem>();
        const seen = new Set<string>();
        let nowMs = 100_000;
        let sweep: Sweep = startSweeps(undefined);
        const poll = (): void => {
          const all = [...container.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
          const rest = all.filter(({ name }) => name > (sweep.current?.continuation ?? ''));
          const some = rest.slice(0, size);
          const continuation = some.length < rest.length ? some.at(-1)?.name : undefined;
          const listed = page(some, Math.floor(nowMs / 1_000) * 1_000, continuation);
          for (const { etag } of candidatesOf(sweep, listed)) seen.add(etag);
          sweep = afterPage(sweep, listed, []);
        };
        for (const { name, afterMs } of writes) {
          nowMs += afterMs;
          const key = `b${String(name).padStart(2, '0')}`;
          container.set(key, { ...item(key, Math.floor(nowMs / 1_000) * 1_000), etag: `"${key}-${nowMs}"` });
          poll();
        }
        for (let polls = 0; polls < 100; polls += 1) {
          nowMs += 2_000;
          poll();
        }
        for (const { etag } of container.values()) expect(seen).toContain(etag);
      }),
      { numRuns: 300 },
    );
  });
});
