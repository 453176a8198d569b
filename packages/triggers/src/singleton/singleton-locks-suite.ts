/** What every SingletonLocks promises; how leases end is the business of the lease's own tests. */
import { describe, expect, it } from 'vitest';
import type { LockRequest, SingletonLock, SingletonLocks } from './singleton-locks.ts';

const { signal } = new AbortController();

/** Runs the promises against locks of two Runtimes of one app; `request` gives names that nobody has used. */
export function testSingletonLocks(
  name: string,
  open: () => readonly [SingletonLocks, SingletonLocks],
  request: (lockId: string) => LockRequest,
): void {
  describe(`${name} as singleton locks`, () => {
    it('gives a lock to one at a time', async () => {
      const [ours, theirs] = open();
      const wanted = request('one');
      const lock = await ours.acquire(wanted, signal);
      expect(lock).toMatchObject({ isHeld: true, lost: { aborted: false } });
      expect(await theirs.acquire(wanted, signal)).toBeUndefined();
      expect(await ours.acquire(wanted, signal)).toBeUndefined();
      await lock?.release();
      const next = await theirs.acquire(wanted, signal);
      expect(next?.isHeld).toBe(true);
      await next?.release();
    });

    it('holds no longer once it was given back, which is no loss', async () => {
      const [ours] = open();
      const lock = await ours.acquire(request('back'), signal);
      await lock?.release();
      await lock?.release();
      expect(lock).toMatchObject({ isHeld: false, lost: { aborted: false } });
    });

    it('keeps locks, hosts and names apart', async () => {
      const [ours] = open();
      const first = request('apart');
      const locks: (SingletonLock | undefined)[] = [];
      for (const wanted of [first, { ...first, hostId: `${first.hostId}-2` }, request('apart.other')]) {
        locks.push(await ours.acquire(wanted, signal));
      }
      expect(locks.every((lock) => lock?.isHeld)).toBe(true);
      await Promise.all(locks.map((lock) => lock?.release()));
    });

    it('tells those who watch when the lock comes free in this process', async () => {
      const [ours] = open();
      const wanted = request('watched');
      let freed = 0;
      const stop = ours.watch(wanted, () => {
        freed += 1;
      });
      const lock = await ours.acquire(wanted, signal);
      expect(freed).toBe(0);
      await lock?.release();
      expect(freed).toBe(1);
      stop();
      await (await ours.acquire(wanted, signal))?.release();
      expect(freed).toBe(1);
    });

    it('rejects when the signal has aborted', async () => {
      const [ours] = open();
      await expect(ours.acquire(request('aborted'), AbortSignal.abort(new Error('enough')))).rejects.toThrow();
      const lock = await ours.acquire(request('aborted'), signal);
      expect(lock?.isHeld).toBe(true);
      await lock?.release();
    });
  });
}
