import { createDeferred } from '@switchyard/kernel';
import { createMemoryLog, createSeededRandom, type MemoryLog, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import type { TriggerListener } from '../contract.ts';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { memoryConnection } from '../testing/storage.ts';
import { createSingletonLocks } from './lease-locks.ts';
import { createSingletonListener } from './singleton-listener.ts';
import type { HeldLock, SingletonLocks } from './singleton-locks.ts';

const { signal } = new AbortController();
const minuteMs = 60_000;
const request = { connection: memoryConnection, hostId: 'host', lockId: 'a', periodMs: 15_000 };

/** An inner listener that records what is asked of it. */
interface Inner {
  readonly listener: TriggerListener;
  readonly lock: HeldLock;
  readonly calls: string[];
}

interface Host {
  readonly listener: TriggerListener;
  readonly log: MemoryLog;
  /** Every inner listener so far. */
  readonly inners: Inner[];
  /** What runs: the inner listeners that were started and not closed. */
  running(): number;
}

class World {
  readonly clock = new VirtualClock();
  readonly blobs = new MemoryBlobs(this.clock);

  host(seed: number, setup: { start?: () => Promise<void>; drain?: () => Promise<void> } = {}): Host {
    const log = createMemoryLog(this.clock);
    const deps = { clock: this.clock, random: createSeededRandom(seed), log };
    return this.#hostWith(createSingletonLocks({ ...deps, blobs: this.blobs }), { ...deps, log }, setup);
  }

  /** Two listeners of one process, such as an app's old and new version. */
  twins(): [Host, Host] {
    const log = createMemoryLog(this.clock);
    const deps = { clock: this.clock, random: createSeededRandom(1), log };
    const locks = createSingletonLocks({ ...deps, blobs: this.blobs });
    return [this.#hostWith(locks, deps), this.#hostWith(locks, deps)];
  }

  goDown(): void {
    this.blobs.fault = () => Promise.reject(new Error('down'));
  }

  comeUp(): void {
    this.blobs.fault = () => undefined;
  }

  #hostWith(
    locks: SingletonLocks,
    deps: { clock: VirtualClock; random: ReturnType<typeof createSeededRandom>; log: MemoryLog },
    setup: { start?: () => Promise<void>; drain?: () => Promise<void> } = {},
  ): Host {
    const inners: Inner[] = [];
    const listener = createSingletonListener(
      (lock) => {
        const calls: string[] = [];
        const inner: TriggerListener = {
          async start() {
            calls.push('start');
            await setup.start?.();
          },
          async drain() {
            calls.push('drain');
            await setup.drain?.();
          },
          close: async () => void calls.push('close'),
        };
        inners.push({ listener: inner, lock, calls });
        return inner;
      },
      { ...deps, locks },
      { request, recoveryMs: minuteMs },
    );
    const running = (): number =>
      inners.filter(({ calls }) => calls.includes('start') && !calls.includes('close')).length;
    return { listener, log: deps.log, inners, running };
  }
}

describe('createSingletonListener', () => {
  it('runs one of two hosts, and the other after the first is gone', async () => {
    const world = new World();
    const [first, second] = [world.host(1), world.host(2)];
    await first.listener.start(signal);
    await second.listener.start(signal);
    await world.clock.advance(10 * minuteMs);
    expect([first.running(), second.running()]).toEqual([1, 0]);
    await first.listener.drain(signal);
    expect(first.inners[0]?.calls).toEqual(['start', 'drain', 'close']);
    await world.clock.advance(minuteMs);
    expect([first.running(), second.running()]).toEqual([0, 1]);
    await second.listener.close();
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('takes over from a host that vanished, after its lease ended', async () => {
    const world = new World();
    world.blobs.put(memoryConnection, 'azure-webjobs-hosts/locks/host/a');
    const container = world.blobs.open(memoryConnection, 'azure-webjobs-hosts');
    await container.acquireLease('locks/host/a', { leaseId: 'vanished', durationMs: 15_000 }, signal);
    const host = world.host(1);
    await host.listener.start(signal);
    expect(host.running()).toBe(0);
    await world.clock.advance(minuteMs);
    expect(host.running()).toBe(1);
    await host.listener.close();
  });

  it('reports an inner listener that cannot start, gives the lock back, and tries again', async () => {
    const world = new World();
    let starts = 0;
    const host = world.host(1, {
      start: async () => {
        starts += 1;
        if (starts === 1) throw new Error('no such source');
      },
    });
    await expect(host.listener.start(signal)).rejects.toThrow('no such source');
    expect(world.blobs.leaseOf(memoryConnection, 'azure-webjobs-hosts', 'locks/host/a')).toBeUndefined();
    await world.clock.advance(minuteMs);
    expect(host.inners.map(({ calls }) => calls)).toEqual([['start', 'close'], ['start']]);
    await host.listener.close();
  });

  it('does not start when the signal has aborted', async () => {
    const world = new World();
    const host = world.host(1);
    await expect(host.listener.start(AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
    await world.clock.advance(minuteMs);
    expect(world.blobs.requests).toEqual([]);
  });
});

describe('the invariants of the singleton listener', () => {
  it('I1, I2: closes what runs when the lock is lost, and starts anew when it is won again', async () => {
    const world = new World();
    const host = world.host(1);
    await host.listener.start(signal);
    world.goDown();
    await world.clock.advance(15_000);
    expect(host.inners.map(({ calls }) => calls)).toEqual([['start', 'close']]);
    expect(host.inners[0]?.lock.isHeld).toBe(false);
    world.comeUp();
    await world.clock.advance(2 * minuteMs);
    expect(host.inners.map(({ calls }) => calls)).toEqual([['start', 'close'], ['start']]);
    expect(host.inners[1]?.lock.isHeld).toBe(true);
    await host.listener.close();
  });

  it('I2: closes an inner listener that is still starting when the lock is lost', async () => {
    const world = new World();
    const host = world.host(1, { start: () => new Promise(() => {}) });
    const started = host.listener.start(signal);
    await world.clock.settle();
    world.goDown();
    await world.clock.runUntil(started);
    await world.clock.settle();
    expect(host.inners[0]?.calls).toEqual(['start', 'close']);
    await host.listener.close();
  });

  it('I3: nothing runs anywhere while storage is down, and the outage costs one warning', async () => {
    const world = new World();
    world.goDown();
    const hosts = [world.host(1), world.host(2)];
    await Promise.all(hosts.map((host) => world.clock.settle().then(() => void host.listener.start(signal))));
    await world.clock.advance(10 * minuteMs);
    expect(hosts.map((host) => host.inners.length)).toEqual([0, 0]);
    expect(hosts[0]?.log.records.map(({ level }) => level)).toEqual(['warning']);
    world.comeUp();
    await world.clock.advance(2 * minuteMs);
    expect((hosts[0]?.running() ?? 0) + (hosts[1]?.running() ?? 0)).toBe(1);
    for (const host of hosts) {
      const levels = host.log.records.map(({ level }) => level).filter((level) => level !== 'debug');
      expect(levels).toEqual(['warning', 'information']);
      await host.listener.close();
    }
  });

  it('I4: asks once per polling interval while somebody else has the lock', async () => {
    const world = new World();
    const [first, second] = [world.host(1), world.host(2)];
    await first.listener.start(signal);
    await second.listener.start(signal);
    const asked = world.blobs.count('acquireLease');
    await world.clock.advance(5 * minuteMs);
    expect(world.blobs.count('acquireLease') - asked).toBe(5);
    await Promise.all([first.listener.close(), second.listener.close()]);
  });

  it('I4: is handed the lock at once by a listener of the same process', async () => {
    const world = new World();
    const [old, next] = world.twins();
    await old.listener.start(signal);
    await next.listener.start(signal);
    expect([old.running(), next.running()]).toEqual([1, 0]);
    await old.listener.drain(signal);
    await world.clock.settle();
    expect([old.running(), next.running()]).toEqual([0, 1]);
    await next.listener.close();
  });

  it('I5: gives a lock back that arrives after close', async () => {
    const world = new World();
    const host = world.host(1);
    const gate = createDeferred<void>();
    world.blobs.put(memoryConnection, 'azure-webjobs-hosts/locks/host/a');
    world.blobs.fault = (operation) => (operation === 'acquireLease' ? gate.promise : undefined);
    const started = host.listener.start(signal);
    await world.clock.settle();
    const closed = host.listener.close();
    gate.resolve();
    await world.clock.runUntil(Promise.all([started, closed]));
    expect(host.inners).toEqual([]);
    expect(world.blobs.leaseOf(memoryConnection, 'azure-webjobs-hosts', 'locks/host/a')).toBeUndefined();
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('I5: drain keeps the lock until what runs has ended', async () => {
    const world = new World();
    const ended = createDeferred<void>();
    const host = world.host(1, { drain: () => ended.promise });
    await host.listener.start(signal);
    const drained = host.listener.drain(signal);
    await world.clock.advance(2 * minuteMs);
    const lease = (): string | undefined =>
      world.blobs.leaseOf(memoryConnection, 'azure-webjobs-hosts', 'locks/host/a');
    expect(lease()).toBeDefined();
    ended.resolve();
    await world.clock.runUntil(drained);
    expect(lease()).toBeUndefined();
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('I5: close before the start, and twice, does nothing', async () => {
    const world = new World();
    const host = world.host(1);
    await host.listener.close();
    await host.listener.drain(signal);
    await host.listener.close();
    expect(world.blobs.requests).toEqual([]);
  });
});
