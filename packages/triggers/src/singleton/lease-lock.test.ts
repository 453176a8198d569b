import { createMemoryLog, createSeededRandom, type MemoryLog, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import type { BlobContainer } from '../blob/blob-client.ts';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { createSleepyClock, type SleepyClock } from '../testing/sleepy-clock.ts';
import { memoryConnection } from '../testing/storage.ts';
import { instantOf, LeaseLock } from './lease-lock.ts';

const { signal } = new AbortController();
const blobName = 'locks/host/a';
const periodMs = 60_000;

interface Rig {
  readonly clock: VirtualClock;
  readonly process: SleepyClock;
  readonly blobs: MemoryBlobs;
  readonly container: BlobContainer;
  readonly log: MemoryLog;
  readonly lock: LeaseLock;
  /** Whether somebody else could have the lease now; takes it if so. */
  takeOver(): Promise<boolean>;
}

/** A lock that was just acquired. */
async function rigOf(): Promise<Rig> {
  const clock = new VirtualClock();
  const process = createSleepyClock(clock);
  const blobs = new MemoryBlobs(clock);
  blobs.put(memoryConnection, `azure-webjobs-hosts/${blobName}`);
  const container = blobs.open(memoryConnection, 'azure-webjobs-hosts');
  const log = createMemoryLog(clock);
  const grantedAt = instantOf(process);
  await container.acquireLease(blobName, { leaseId: 'mine', durationMs: periodMs }, signal);
  const deps = { clock: process, random: createSeededRandom(3), log, container, released: () => {} };
  const lock = new LeaseLock(deps, { blobName, leaseId: 'mine', periodMs, grantedAt });
  return {
    clock,
    process,
    blobs,
    container,
    log,
    lock,
    takeOver: async () => {
      const { fault } = blobs;
      blobs.fault = () => undefined;
      const taken = await container.acquireLease(blobName, { leaseId: 'theirs', durationMs: periodMs }, signal);
      blobs.fault = fault;
      return taken === 'acquired';
    },
  };
}

function down(): Promise<void> {
  return Promise.reject(new Error('down'));
}

describe('LeaseLock', () => {
  it('keeps the lease for as long as it is wanted, then gives it back', async () => {
    const { clock, lock, takeOver } = await rigOf();
    await clock.advance(60 * periodMs);
    expect(lock.isHeld).toBe(true);
    expect(await takeOver()).toBe(false);
    await lock.release();
    expect(await takeOver()).toBe(true);
    expect(lock.lost.aborted).toBe(false);
    expect(clock.pendingTimers).toBe(0);
  });

  it('gives back in bounded time when nobody answers', async () => {
    const { clock, lock, blobs } = await rigOf();
    blobs.fault = () => new Promise(() => {});
    const beforeMs = clock.now();
    await clock.runUntil(lock.release());
    expect(clock.now() - beforeMs).toBeLessThan(5_000);
    expect(lock.isHeld).toBe(false);
  });

  it('says once why it was lost', async () => {
    const { clock, lock, blobs, log } = await rigOf();
    blobs.fault = down;
    await clock.advance(periodMs);
    expect(lock.lost.aborted).toBe(true);
    const lines = log.records.filter((record) => record.level === 'warning');
    expect(lines).toMatchObject([{ message: 'A singleton lock was lost', fields: { reason: /in time/ } }]);
  });
});

describe('the invariants of LeaseLock', () => {
  it('I1: is lost before somebody else can have the lease, whenever storage goes away', async () => {
    for (const upMs of [0, 1_000, 29_999, 30_001, 45_000]) {
      const { clock, lock, blobs, takeOver } = await rigOf();
      await clock.advance(upMs);
      blobs.fault = down;
      let heldUntilMs = clock.now();
      let lostAtMs = Number.NaN;
      lock.lost.addEventListener('abort', () => {
        lostAtMs = clock.now();
      });
      while (!(await takeOver())) {
        if (lock.isHeld) heldUntilMs = clock.now();
        await clock.advance(100);
      }
      expect(lock.isHeld).toBe(false);
      expect(lostAtMs).toBeLessThan(clock.now());
      expect(heldUntilMs).toBeLessThan(clock.now());
    }
  });

  it('I1: the answer to a renewal counts from when it was asked for', async () => {
    const { clock, lock, blobs } = await rigOf();
    let answers = 0;
    blobs.fault = (operation) => {
      if (operation !== 'renewLease') return undefined;
      answers += 1;
      if (answers > 1) return down();
      return new Promise((resolve) => clock.schedule(20_000, resolve));
    };
    await clock.advance(30_000 + periodMs - 1_501);
    expect(lock.isHeld).toBe(true);
    await clock.advance(1);
    expect([lock.isHeld, lock.lost.aborted]).toEqual([false, true]);
  });

  it('I2: a process that slept finds at its first question that the lock is gone', async () => {
    const { clock, process, lock, takeOver } = await rigOf();
    process.sleep();
    await clock.advance(periodMs + 1_000);
    expect(await takeOver()).toBe(true);
    expect(lock.isHeld).toBe(false);
    expect(lock.lost.aborted).toBe(false);
    process.wake();
    await clock.settle();
    expect(lock.lost.aborted).toBe(true);
  });

  it('I2: also where the monotonic clock stood still, or the other one was set back', async () => {
    for (const frozen of ['monotonic', 'wall'] as const) {
      const clock = new VirtualClock();
      const start = instantOf(clock);
      const odd = {
        now: () => (frozen === 'wall' ? start.wallMs - 3_600_000 : clock.now()),
        monotonic: () => (frozen === 'monotonic' ? start.monotonicMs : clock.monotonic()),
        schedule: () => ({ cancel: () => {} }),
      };
      const container = new MemoryBlobs(clock).open(memoryConnection, 'c');
      const deps = { clock: odd, random: createSeededRandom(1), log: createMemoryLog(), container, released: () => {} };
      const lock = new LeaseLock(deps, { blobName, leaseId: 'mine', periodMs, grantedAt: start });
      await clock.advance(periodMs - 1_501);
      expect(lock.isHeld).toBe(true);
      await clock.advance(1);
      expect(lock.isHeld).toBe(false);
    }
  });

  it('I3: renews at half of the period, sooner after a fault', async () => {
    const { clock, blobs, lock } = await rigOf();
    const startMs = clock.now();
    const renewals: number[] = [];
    let faults = 0;
    blobs.fault = (operation) => {
      if (operation !== 'renewLease') return undefined;
      renewals.push(clock.now() - startMs);
      faults += 1;
      return faults === 3 || faults === 4 ? down() : undefined;
    };
    await clock.advance(4 * periodMs);
    expect(renewals.slice(0, 3)).toEqual([30_000, 60_000, 90_000]);
    expect(renewals[3]).toBeLessThan(100_000);
    expect(renewals[4]).toBeLessThan(105_000);
    expect(lock.isHeld).toBe(true);
    await lock.release();
  });

  it('I4: a renewal that is refused loses the lock at once', async () => {
    const { clock, container, lock } = await rigOf();
    await container.breakLease(blobName, signal);
    await container.acquireLease(blobName, { leaseId: 'theirs', durationMs: periodMs }, signal);
    await clock.advance(periodMs / 2);
    expect([lock.isHeld, lock.lost.aborted]).toEqual([false, true]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('I5: a late answer revives nothing, neither after the loss nor after the release', async () => {
    for (const end of ['lost', 'released'] as const) {
      const { clock, blobs, lock } = await rigOf();
      let answer: () => void = () => {};
      blobs.fault = (operation) => {
        if (operation !== 'renewLease') return undefined;
        return new Promise((resolve) => {
          answer = resolve;
        });
      };
      await clock.advance(periodMs / 2);
      if (end === 'released') await lock.release();
      else await clock.advance(periodMs / 2);
      answer();
      await clock.advance(10 * periodMs);
      expect(lock.isHeld).toBe(false);
      expect(blobs.count('renewLease')).toBe(1);
      expect(clock.pendingTimers).toBe(0);
    }
  });
});
