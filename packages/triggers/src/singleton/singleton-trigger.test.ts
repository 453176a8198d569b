import { parseHostJson } from '@switchyard/model';
import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { createMemoryTimerStatus } from '../testing/memory-timer-status.ts';
import { createBinding, createContext, createScope } from '../testing/scope.ts';
import { createScriptedInvoke, succeeded } from '../testing/scripted-invoke.ts';
import { createSleepyClock } from '../testing/sleepy-clock.ts';
import { createTimerTrigger } from '../timer/timer-trigger.ts';
import { createSingletonLocks } from './lease-locks.ts';
import { createSingletonTrigger, periodsOf } from './singleton-trigger.ts';

const { signal } = new AbortController();
const settings = { AzureWebJobsStorage: 'UseDevelopmentStorage=true' };
const binding = createBinding({ name: 'tick', type: 'timerTrigger', schedule: '00:00:10' });

/** Hosts of one app with a timer of ten seconds; all share the clock and the storage. */
function createWorld() {
  const clock = new VirtualClock();
  const blobs = new MemoryBlobs(clock);
  const host = (seed: number) => {
    const process = createSleepyClock(clock);
    const context = createContext({ clock: process, random: createSeededRandom(seed) });
    const locks = createSingletonLocks({ ...context, blobs });
    const kind = createSingletonTrigger(createTimerTrigger({ status: createMemoryTimerStatus() }), { locks });
    const scripted = createScriptedInvoke(succeeded);
    const listener = kind.listen(kind.parse(binding, createScope({ settings })), {
      ...context,
      invoke: scripted.invoke,
    });
    return { process, listener, calls: scripted.calls };
  };
  return { clock, blobs, host };
}

describe('createSingletonTrigger', () => {
  it('fires a timer once, however many hosts there are', async () => {
    const world = createWorld();
    const hosts = [world.host(1), world.host(2), world.host(3)];
    for (const host of hosts) await host.listener.start(signal);
    await world.clock.advance(60_000);
    expect(hosts.map((host) => host.calls.length)).toEqual([6, 0, 0]);
    await Promise.all(hosts.map((host) => host.listener.close()));
  });

  it('lets a host that wakes from a long sleep run nothing, even before it knows of its loss', async () => {
    const world = createWorld();
    const [first, second] = [world.host(1), world.host(2)];
    await first.listener.start(signal);
    await second.listener.start(signal);
    await world.clock.advance(25_000);
    expect([first.calls.length, second.calls.length]).toEqual([2, 0]);
    first.process.sleep();
    await world.clock.advance(200_000);
    const before = second.calls.length;
    expect(before).toBeGreaterThan(3);
    first.process.wake();
    await world.clock.advance(100_000);
    expect(first.calls.length).toBe(2);
    expect(second.calls.length).toBeGreaterThan(before);
    await Promise.all([first.listener.close(), second.listener.close()]);
  });

  it('fires nowhere while storage is down, and in one place when it is back', async () => {
    const world = createWorld();
    const [first, second] = [world.host(1), world.host(2)];
    await first.listener.start(signal);
    await second.listener.start(signal);
    world.blobs.fault = () => Promise.reject(new Error('down'));
    await world.clock.advance(60_000);
    const before = first.calls.length;
    await world.clock.advance(600_000);
    expect([first.calls.length, second.calls.length]).toEqual([before, 0]);
    world.blobs.fault = () => undefined;
    await world.clock.advance(300_000);
    expect(first.calls.length - before + second.calls.length).toBeGreaterThan(5);
    expect(first.calls.length === before || second.calls.length === 0).toBe(true);
    await Promise.all([first.listener.close(), second.listener.close()]);
  });

  it('takes the lock of the official host', async () => {
    const { blobs, host } = createWorld();
    const { listener } = host(1);
    await listener.start(signal);
    expect(blobs.requests).toContain('acquireLease azure-webjobs-hosts/locks/host/Host.Functions.Hello.Listener');
    await listener.close();
  });
});

describe('periodsOf', () => {
  const singleton = (section: Record<string, string>, development: boolean) =>
    parseHostJson({ version: '2.0', singleton: section }, { where: 'host.json', development, cpus: 1 }).singleton;

  it('reads host.json, with the official defaults', () => {
    expect(periodsOf(createScope())).toEqual({ periodMs: 60_000, recoveryMs: 60_000 });
    const set = singleton({ listenerLockPeriod: '00:00:20', listenerLockRecoveryPollingInterval: '00:02:00' }, false);
    expect(periodsOf({ ...createScope(), singleton: set })).toEqual({ periodMs: 20_000, recoveryMs: 120_000 });
  });

  it('asks more often in development', () => {
    expect(periodsOf(createScope({ development: true }))).toEqual({ periodMs: 15_000, recoveryMs: 15_000 });
    const scope = { ...createScope({ development: true }), singleton: singleton({}, true) };
    expect(periodsOf(scope)).toEqual({ periodMs: 15_000, recoveryMs: 15_000 });
  });
});
