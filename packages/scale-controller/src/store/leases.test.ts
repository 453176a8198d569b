import { silentLog } from '@switchyard/kernel';
import { VirtualClock } from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ScaleStore } from './contract.ts';
import { type Lease, openLease } from './leases.ts';
import { openSqliteStore } from './sqlite-store.ts';

function openRun() {
  const clock = new VirtualClock();
  const store = openSqliteStore(':memory:');
  const ask = (holder: string, more: Partial<ScaleStore> = {}): Lease => {
    const own: ScaleStore = {
      read: (kind, key) => store.read(kind, key),
      list: (kind) => store.list(kind),
      write: (kind, key, body, expected) => store.write(kind, key, body, expected),
      remove: (kind, key, expected) => store.remove(kind, key, expected),
      close: () => store.close(),
      ...more,
    };
    return openLease({ clock, log: silentLog, store: own }, { name: 'decide', holder });
  };
  return { clock, store, ask };
}

const away = (): Promise<never> => Promise.reject(new Error('the store is away'));

describe('openLease', () => {
  it('I1: one of two decides, and the other one when the first has gone', async () => {
    const { clock, ask } = openRun();
    const [one, two] = [ask('one'), ask('two')];
    await clock.advance(60_000);
    expect([one.token !== undefined, two.token]).toEqual([true, undefined]);
    await one.release();
    await clock.advance(4_000);
    expect([one.token, two.token !== undefined]).toEqual([undefined, true]);
    await two.release();
    expect(clock.pendingTimers).toBe(0);
  });

  it('I1, I2: whatever happens to whom, never two at once, and tokens that grow', async () => {
    const step = fc.record({
      who: fc.integer({ min: 0, max: 2 }),
      what: fc.constantFrom('away', 'back', 'release', 'wait'),
      byMs: fc.integer({ min: 1, max: 9_000 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const { clock, store, ask } = openRun();
        const isAway = [false, false, false];
        const leases = isAway.map((_, index) =>
          ask(`c${index}`, {
            read: (kind, key) => (isAway[index] ? away() : store.read(kind, key)),
            write: (kind, key, body, expected) => (isAway[index] ? away() : store.write(kind, key, body, expected)),
          }),
        );
        let greatest = 0;
        for (const { who, what, byMs } of steps) {
          if (what === 'away' || what === 'back') isAway[who] = what === 'away';
          if (what === 'release') await leases[who]?.release();
          for (let part = 0; part < 10; part += 1) {
            await clock.advance(byMs / 10);
            const tokens = leases.flatMap(({ token }) => token ?? []);
            expect(tokens.length).toBeLessThanOrEqual(1);
            for (const token of tokens) {
              expect(token).toBeGreaterThanOrEqual(greatest);
              greatest = token;
            }
          }
        }
        for (const lease of leases) await lease.release();
      }),
      { numRuns: 50 },
    );
  });

  it('I3: a holder that cannot reach the store counts itself out first', async () => {
    const { clock, store, ask } = openRun();
    let isAway = false;
    const one = ask('one', {
      read: (kind, key) => (isAway ? away() : store.read(kind, key)),
    });
    await clock.advance(100);
    const two = ask('two');
    isAway = true;
    let outAtMs = 0;
    let inAtMs = 0;
    for (let atMs = 0; atMs < 30_000; atMs += 100) {
      await clock.advance(100);
      if (outAtMs === 0 && one.token === undefined) outAtMs = atMs;
      if (inAtMs === 0 && two.token !== undefined) inAtMs = atMs;
    }
    expect(inAtMs - outAtMs).toBeGreaterThanOrEqual(4_000);
    await one.release();
    await two.release();
  });
});
