import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import { HealthMonitor } from './health-monitor.ts';
import { HealthMonitors } from './health-monitors.ts';
import { ProcessHealth } from './process-health.ts';

const settings = {
  enabled: true,
  healthCheckIntervalMs: 10_000,
  healthCheckWindowMs: 60_000,
  healthCheckThreshold: 2,
  counterThreshold: 0.8,
};

/** A monitor of a process whose memory is used to `use.now`. */
function open(given: Partial<typeof settings> = {}) {
  const clock = new VirtualClock();
  const use = { now: 0.5, looks: 0 };
  const health = new ProcessHealth(clock, () => {
    use.looks += 1;
    return [
      { name: 'memory', used: use.now, isLoad: false },
      { name: 'event loop', used: 1, isLoad: true },
    ];
  });
  const heard: string[] = [];
  const member = (isUnwell: boolean, shortages: readonly { readonly name: string }[]): void => {
    heard.push(isUnwell ? `unwell: ${shortages.map(({ name }) => name)}` : 'well');
  };
  const look = (times = 1) => clock.advance(10_000 * times);
  return {
    clock,
    use,
    health,
    heard,
    member,
    look,
    monitor: new HealthMonitor(clock, health, { ...settings, ...given }),
  };
}

describe('HealthMonitor', () => {
  test('I1: tolerates so many bad looks in its window, and no more', async () => {
    const { monitor, member, heard, use, look } = open();
    monitor.join(member);
    use.now = 0.81;
    await look(2);
    expect(heard).toEqual([]);
    await look();
    expect(heard).toEqual(['unwell: memory']);
  });

  test('I1: what lies behind the window does not count, and the process is well again', async () => {
    const { monitor, member, heard, use, look } = open();
    monitor.join(member);
    use.now = 0.9;
    await look(3);
    use.now = 0.8;
    await look(3);
    expect(heard).toEqual(['unwell: memory']);
    await look();
    expect(heard).toEqual(['unwell: memory', 'well']);
    use.now = 0.9;
    await look();
    expect(heard).toEqual(['unwell: memory', 'well']);
    await look(2);
    expect(heard).toEqual(['unwell: memory', 'well', 'unwell: memory']);
  });

  test('I1: a bad look now and then is nothing', async () => {
    const { monitor, member, heard, use, look } = open();
    monitor.join(member);
    for (let round = 0; round < 10; round++) {
      use.now = 0.9;
      await look();
      use.now = 0.1;
      await look(2);
    }
    expect(heard).toEqual([]);
  });

  test('I2: one that joins while the process is unwell hears of it at once', async () => {
    const { monitor, member, heard, use, look } = open();
    const others: boolean[] = [];
    monitor.join((isUnwell) => others.push(isUnwell));
    use.now = 1;
    await look(3);
    monitor.join(member);
    expect([heard, others]).toEqual([['unwell: memory'], [true]]);
  });

  test('I3: looks only while it has members', async () => {
    const { monitor, member, use, look, clock } = open();
    const leave = [monitor.join(member), monitor.join(() => {})];
    await look();
    leave[0]?.();
    await look();
    leave[1]?.();
    expect(clock.pendingTimers).toBe(0);
    await look(5);
    expect(use.looks).toBe(2);
  });

  test('I3: takes no more looks than it remembers, whatever the app asks for', async () => {
    const { monitor, member, heard, use, look } = open({ healthCheckThreshold: 1e9, healthCheckWindowMs: 1e12 });
    monitor.join(member);
    use.now = 1;
    await look(1_000);
    expect(heard).toEqual([]);
    await look();
    expect(heard).toEqual(['unwell: memory']);
  });
});

describe('HealthMonitors', () => {
  test('keep one timer for all apps that want the same, and none for an app that wants nothing', async () => {
    const { clock, health, heard, member, use, look } = open();
    const monitors = new HealthMonitors(clock, health);
    monitors.join({ ...settings, enabled: false }, member);
    expect(clock.pendingTimers).toBe(0);
    const leaves = Array.from({ length: 100 }, () => monitors.join({ ...settings }, member));
    expect(clock.pendingTimers).toBe(1);
    leaves.push(monitors.join({ ...settings, counterThreshold: 0.95 }, member));
    expect(clock.pendingTimers).toBe(2);
    use.now = 0.9;
    await look(3);
    expect(heard).toHaveLength(100);
    for (const leave of leaves) leave();
    expect(clock.pendingTimers).toBe(0);
  });
});
