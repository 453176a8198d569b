import { silentLog, systemClock, systemRandom } from '@switchyard/kernel';
import { createMemoryLog, createSeededRandom, requirePart, VirtualClock } from '@switchyard/testkit';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAzureBlobService } from '../azure-storage/azure-blob-service.ts';
import type { BlobService } from '../blob/blob-client.ts';
import { type Azurite, azuriteHint, findAzurite, startAzurite } from '../testing/azurite.ts';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { createSleepyClock, type SleepyClock } from '../testing/sleepy-clock.ts';
import { memoryConnection } from '../testing/storage.ts';
import { createSingletonLocks } from './lease-locks.ts';
import type { LockRequest, SingletonLock, SingletonLocks } from './singleton-locks.ts';
import { testSingletonLocks } from './singleton-locks-suite.ts';

const { signal } = new AbortController();
const log = silentLog;

function request(lockId: string, connection: LockRequest['connection'] = memoryConnection): LockRequest {
  return { connection, hostId: 'host', lockId, periodMs: 15_000 };
}

testSingletonLocks(
  'leases in memory',
  () => {
    const clock = new VirtualClock();
    const blobs = new MemoryBlobs(clock);
    const open = (seed: number) => createSingletonLocks({ clock, random: createSeededRandom(seed), log, blobs });
    return [open(1), open(2)];
  },
  request,
);

const entry = findAzurite();
const part = requirePart('Azurite', entry !== undefined, azuriteHint);

describe.skipIf(part.skip)('with a real service', () => {
  let azurite: Azurite | undefined;
  const blobs = createAzureBlobService();
  beforeAll(async () => {
    azurite = await startAzurite(entry ?? '');
  });
  afterAll(() => azurite?.stop());

  testSingletonLocks(
    'leases of Azure Storage',
    () => {
      const open = () => createSingletonLocks({ clock: systemClock, random: systemRandom, log, blobs });
      return [open(), open()];
    },
    (lockId) => request(lockId, azurite?.connection),
  );
});

describe('createSingletonLocks', () => {
  it('lies in the official places', async () => {
    const clock = new VirtualClock();
    const blobs = new MemoryBlobs(clock);
    const locks = createSingletonLocks({ clock, random: createSeededRandom(1), log, blobs });
    const lock = await locks.acquire(request('Host.Functions.Tick.Listener'), signal);
    const blob = 'locks/host/Host.Functions.Tick.Listener';
    expect(blobs.names(memoryConnection, 'azure-webjobs-hosts')).toEqual([blob]);
    expect(blobs.leaseOf(memoryConnection, 'azure-webjobs-hosts', blob)).toBeDefined();
    await lock?.release();
    expect(blobs.leaseOf(memoryConnection, 'azure-webjobs-hosts', blob)).toBeUndefined();
  });

  it('works within the process for apps without storage', async () => {
    const clock = new VirtualClock();
    const blobs = new MemoryBlobs(clock);
    const locks = createSingletonLocks({ clock, random: createSeededRandom(1), log, blobs });
    const wanted = { ...request('a'), connection: undefined };
    let freed = 0;
    locks.watch(wanted, () => {
      freed += 1;
    });
    const lock = await locks.acquire(wanted, signal);
    expect(await locks.acquire(wanted, signal)).toBeUndefined();
    await lock?.release();
    expect([freed, blobs.requests]).toEqual([1, []]);
  });

  it('rejects while storage is down, and gives nothing', async () => {
    const clock = new VirtualClock();
    const blobs = new MemoryBlobs(clock);
    blobs.fault = () => Promise.reject(new Error('down'));
    const locks = createSingletonLocks({ clock, random: createSeededRandom(1), log, blobs });
    await expect(clock.runUntil(locks.acquire(request('a'), signal))).rejects.toThrow('down');
  });

  it('counts from the try that was answered, so that a slow service gives no lock beyond its lease', async () => {
    const clock = new VirtualClock();
    const blobs = new MemoryBlobs(clock);
    const locks = createSingletonLocks({ clock, random: createSeededRandom(1), log: createMemoryLog(), blobs });
    blobs.put(memoryConnection, 'azure-webjobs-hosts/locks/host/a');
    const slow = slowAnswers(blobs, clock, 20_000);
    const lock = await clock.runUntil(
      createSingletonLocks({ clock, random: createSeededRandom(1), log, blobs: slow }).acquire(request('a'), signal),
    );
    expect(lock?.isHeld).toBe(false);
    expect((await locks.acquire(request('a'), signal))?.isHeld).toBe(true);
  });
});

/** What happens to one of the hosts, or to storage, in a simulated run. */
type Event =
  | { readonly kind: 'sleep'; readonly host: number; readonly forMs: number }
  | { readonly kind: 'outage'; readonly forMs: number }
  | { readonly kind: 'release'; readonly host: number };

const forMs = fc.integer({ min: 100, max: 60_000 });
const host = fc.integer({ min: 0, max: 2 });
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ kind: fc.constant('sleep' as const), host, forMs }),
  fc.record({ kind: fc.constant('outage' as const), forMs }),
  fc.record({ kind: fc.constant('release' as const), host }),
);
const script = fc.array(fc.record({ event, waitMs: fc.integer({ min: 0, max: 30_000 }) }), { maxLength: 12 });

describe('several hosts', () => {
  it('never hold one lock at once, whatever sleeps, fails or is slow; and one gets it in the end', async () => {
    await fc.assert(
      fc.asyncProperty(script, fc.integer(), async (steps, seed) => {
        const world = new World(seed);
        for (const { event: happening, waitMs } of steps) {
          world.apply(happening);
          await world.advance(waitMs);
        }
        await world.advance(180_000);
        expect(world.mostHolders).toBe(1);
        expect(world.holders).toBe(1);
      }),
      { numRuns: 25 },
    );
  });
});

interface Host {
  readonly process: SleepyClock;
  readonly locks: SingletonLocks;
  lock: SingletonLock | undefined;
}

/** Three hosts that want one lock, each asking every few seconds. */
class World {
  readonly #clock = new VirtualClock();
  readonly #blobs = new MemoryBlobs(this.#clock);
  readonly #hosts: readonly Host[];
  #outageUntilMs = 0;
  mostHolders = 0;

  constructor(seed: number) {
    this.#blobs.fault = () => (this.#clock.now() < this.#outageUntilMs ? Promise.reject(new Error('down')) : undefined);
    this.#hosts = [0, 1, 2].map((index) => {
      const process = createSleepyClock(this.#clock);
      const blobs = sleepyAnswers(this.#blobs, process);
      const locks = createSingletonLocks({ clock: process, random: createSeededRandom(seed + index), log, blobs });
      return { process, locks, lock: undefined };
    });
    for (const one of this.#hosts) this.#want(one);
  }

  get holders(): number {
    return this.#hosts.filter((one) => one.lock?.isHeld === true).length;
  }

  apply(happening: Event): void {
    if (happening.kind === 'outage') this.#outageUntilMs = this.#clock.now() + happening.forMs;
    if (happening.kind === 'release') void this.#hosts[happening.host]?.lock?.release();
    if (happening.kind !== 'sleep') return;
    const process = this.#hosts[happening.host]?.process;
    process?.sleep();
    this.#clock.schedule(happening.forMs, () => process?.wake());
  }

  async advance(byMs: number): Promise<void> {
    for (let passedMs = 0; passedMs < byMs; passedMs += 500) {
      await this.#clock.advance(Math.min(500, byMs - passedMs));
      this.mostHolders = Math.max(this.mostHolders, this.holders);
    }
  }

  #want(one: Host): void {
    const again = (): void => void one.process.schedule(3_000, () => this.#want(one));
    if (one.lock?.isHeld === true) again();
    else {
      one.locks.acquire(request('wanted'), signal).then((lock) => {
        one.lock = lock;
        again();
      }, again);
    }
  }
}

/** Storage whose answers reach a process only while that is awake. */
function sleepyAnswers(blobs: BlobService, process: SleepyClock): BlobService {
  return delayed(blobs, () => process.awake());
}

/** Storage whose answers take a while. */
function slowAnswers(blobs: BlobService, clock: VirtualClock, delayMs: number): BlobService {
  return delayed(blobs, () => new Promise((resolve) => clock.schedule(delayMs, resolve)));
}

function delayed(blobs: BlobService, wait: () => Promise<void>): BlobService {
  return {
    open(connection, name) {
      const container = blobs.open(connection, name);
      return new Proxy(container, {
        get(target, key) {
          const member: unknown = Reflect.get(target, key);
          if (typeof member !== 'function') return member;
          return async (...call: unknown[]) => {
            try {
              return await member.apply(target, call);
            } finally {
              await wait();
            }
          };
        },
      });
    },
  };
}
