import { describe, expect, it } from 'vitest';
import { createProcessLocks } from './process-locks.ts';
import { testSingletonLocks } from './singleton-locks-suite.ts';

const request = (lockId: string) => ({ connection: undefined, hostId: 'host', lockId, periodMs: 15_000 });

testSingletonLocks(
  'one process',
  () => {
    const locks = createProcessLocks();
    return [locks, locks];
  },
  request,
);

describe('createProcessLocks', () => {
  it('I1: one who gave the lock back twice takes nothing from the next holder', async () => {
    const locks = createProcessLocks();
    const { signal } = new AbortController();
    const first = await locks.acquire(request('a'), signal);
    await first?.release();
    const second = await locks.acquire(request('a'), signal);
    await first?.release();
    expect([first?.isHeld, second?.isHeld]).toEqual([false, true]);
  });
});
