/** What every TimerStatusStore promises. */
import { describe, expect, it } from 'vitest';
import type { TimerStatus } from './timer-status.ts';
import type { TimerKey, TimerStatusStore } from './timer-status-store.ts';

const key: TimerKey = { applicationId: 'shop', hostId: 'host', functionName: 'Tick' };
const status: TimerStatus = { lastMs: 1_700_000_000_123, nextMs: 1_700_000_060_000, lastUpdatedMs: undefined };

/** Runs the promises against stores made by `create`. */
export function testTimerStatusStore(name: string, create: () => Promise<TimerStatusStore>): void {
  const { signal } = new AbortController();

  describe(`${name} as a timer status store`, () => {
    it('knows nothing at first', async () => {
      const store = await create();
      expect(await store.read(key, signal)).toBeUndefined();
    });

    it('gives back what was written, to the millisecond', async () => {
      const store = await create();
      await store.write(key, status);
      expect(await store.read(key, signal)).toEqual(status);
      const never = { lastMs: undefined, nextMs: undefined, lastUpdatedMs: undefined };
      await store.write(key, never);
      expect(await store.read(key, signal)).toEqual(never);
    });

    it('keeps apps, hosts and functions apart', async () => {
      const store = await create();
      await store.write(key, status);
      const others = [{ applicationId: 'a' }, { hostId: 'b' }, { functionName: 'c' }];
      for (const other of others) expect(await store.read({ ...key, ...other }, signal)).toBeUndefined();
    });
  });
}
