import { createSettingsView } from '@switchyard/model';
import { createMemoryLog, createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { createSleepyClock } from '../testing/sleepy-clock.ts';
import { createSingletonLocks } from './lease-locks.ts';
import { createPrimaryHosts } from './primary-host.ts';
import type { SingletonLocks } from './singleton-locks.ts';

const settings = createSettingsView([['AzureWebJobsStorage', 'UseDevelopmentStorage=true']]);

/** Hosts of one app; all share the clock and the storage. */
function createWorld() {
  const clock = new VirtualClock();
  const blobs = new MemoryBlobs(clock);
  const host = (seed: number, own = settings) => {
    const process = createSleepyClock(clock);
    const random = createSeededRandom(seed);
    const log = createMemoryLog(clock);
    const locks: SingletonLocks = createSingletonLocks({ clock: process, random, log, blobs });
    const hosts = createPrimaryHosts({ clock: process, random, locks });
    const scope = { settings: own, hostId: 'shop', instanceId: `host-${seed}`, development: false, log };
    return { process, log, primary: hosts.open(scope) };
  };
  return { clock, blobs, host };
}

describe('createPrimaryHosts', () => {
  it('I1: makes one host primary, by the lease of the official host', async () => {
    const { clock, blobs, host } = createWorld();
    const hosts = [host(1), host(2), host(3)];
    await clock.advance(300_000);
    expect(hosts.map(({ primary }) => primary?.isPrimary)).toEqual([true, false, false]);
    expect(blobs.requests).toContain('acquireLease azure-webjobs-hosts/locks/shop/host');
    expect(hosts[0]?.log.records.filter(({ level }) => level === 'information')).toMatchObject([
      { message: 'Host lock lease acquired.', fields: { instanceId: 'host-1' } },
    ]);
    await Promise.all(hosts.map(({ primary }) => primary?.close()));
    expect(clock.pendingTimers).toBe(0);
  });

  it('I2: a host that goes gives the lease back, and another one is primary', async () => {
    const { clock, host } = createWorld();
    const first = host(1);
    await clock.settle();
    const second = host(2);
    await first.primary?.close();
    await clock.advance(60_000);
    expect([first.primary?.isPrimary, second.primary?.isPrimary]).toEqual([false, true]);
    await second.primary?.close();
  });

  it('I1: a host that slept is primary no longer, also before it knows', async () => {
    const { clock, host } = createWorld();
    const first = host(1);
    await clock.settle();
    const second = host(2);
    first.process.sleep();
    await clock.advance(180_000);
    expect([first.primary?.isPrimary, second.primary?.isPrimary]).toEqual([false, true]);
    first.process.wake();
    await Promise.all([first, second].map(({ primary }) => primary?.close()));
  });

  it('I1: nobody is primary while storage is away, and no line warns of it', async () => {
    const { clock, blobs, host } = createWorld();
    blobs.fault = () => Promise.reject(new Error('away'));
    const { primary, log } = host(1);
    await clock.advance(600_000);
    expect(primary?.isPrimary).toBe(false);
    expect(log.records.filter(({ level }) => level !== 'debug')).toEqual([]);
    blobs.fault = () => undefined;
    await clock.advance(120_000);
    expect(primary?.isPrimary).toBe(true);
    await primary?.close();
  });

  it('an app without storage has none', () => {
    expect(createWorld().host(1, createSettingsView([])).primary).toBeUndefined();
  });
});
