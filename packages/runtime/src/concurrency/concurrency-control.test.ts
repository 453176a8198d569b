import { createDeferred } from '@switchyard/kernel';
import { createMemoryLog, VirtualClock } from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import { ConcurrencyControl } from './concurrency-control.ts';

const settings = {
  dynamicConcurrencyEnabled: true,
  snapshotPersistenceEnabled: true,
  maximumFunctionConcurrency: 10,
  cpuThreshold: 0.8,
  totalAvailableMemoryBytes: 1_000,
  memoryThreshold: 0.5,
};

/** A control whose storage has `kept` and notes what is written; `use.now` is how much of the host is used. */
function open(kept: Readonly<Record<string, number>> = {}) {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const use = { now: 0.5, residentBytes: 500, isAway: false };
  const written: Record<string, number>[] = [];
  const snapshots = {
    read: async () => {
      if (use.isAway) throw new Error('away');
      return new Map(Object.entries(kept));
    },
    write: async (limits: ReadonlyMap<string, number>) => {
      if (use.isAway) throw new Error('away');
      written.push(Object.fromEntries(limits));
    },
  };
  const health = {
    isBusy: (threshold: number) => use.now > threshold,
    get residentBytes() {
      return use.residentBytes;
    },
  };
  const control = new ConcurrencyControl({ clock, log, health, snapshots }, settings);
  /** Keeps as many events in work as the function may have. */
  const fill = (name: string): (() => void) => {
    const one = control.of(name);
    const ends = Array.from({ length: one.current }, () => createDeferred<void>());
    for (const end of ends) void one.run(() => end.promise);
    return () => {
      for (const end of ends) end.resolve();
    };
  };
  return { clock, log, use, written, control, fill };
}

describe('ConcurrencyControl', () => {
  test('I1: grows while a function has all that it may in work, up to the maximum, and shrinks while the host is busy', async () => {
    const { clock, control, fill, use } = open();
    const close = control.open();
    const limits: number[] = [];
    for (let second = 0; second < 6; second += 1) {
      const end = fill('f');
      await clock.advance(1_000);
      end();
      limits.push(control.of('f').current);
    }
    expect(limits).toEqual([2, 4, 7, 10, 10, 10]);
    use.now = 0.81;
    fill('f');
    await clock.advance(60_000);
    expect(control.of('f').current).toBe(1);
    await close();
  });

  test('I1: shrinks while the host holds more memory than it may', async () => {
    const { clock, control, fill, use } = open();
    const close = control.open();
    const end = fill('f');
    await clock.advance(1_000);
    end();
    expect(control.of('f').current).toBe(2);
    use.residentBytes = 501;
    fill('f');
    await clock.advance(1_000);
    expect(control.of('f').current).toBe(1);
    await close();
  });

  test('I1: an event that fails is in work no longer', async () => {
    const { clock, control } = open();
    const close = control.open();
    const one = control.of('f');
    expect(one.current).toBe(1);
    await expect(one.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await clock.advance(1_000);
    await clock.advance(5_000);
    expect(one.current).toBe(2);
    await close();
  });

  test('I2: leaves functions alone whose listeners have limits of their own', async () => {
    const { clock, control, written } = open();
    const close = control.open();
    const { promise } = createDeferred<void>();
    void control.of('timer').run(() => promise);
    await clock.advance(20_000);
    await close();
    expect([control.of('timer').state.limit, written]).toEqual([1, []]);
  });

  test('I3: begins where an earlier host was, within the maximum, and keeps what it finds out', async () => {
    const { clock, control, fill, written } = open({ f: 4, g: 400 });
    const close = control.open();
    await clock.settle();
    expect([control.of('f').current, control.of('g').current]).toEqual([4, 10]);
    fill('f');
    await clock.advance(9_000);
    expect(written).toEqual([]);
    await clock.advance(1_000);
    expect(written).toEqual([{ f: 5, g: 10 }]);
    await clock.advance(60_000);
    expect(written).toHaveLength(1);
    fill('f');
    await clock.advance(1_000);
    await close();
    expect(written.at(-1)).toMatchObject({ f: control.of('f').current });
  });

  test('I3: storage that is away changes nothing else', async () => {
    const { clock, control, fill, use, log } = open({ f: 4 });
    use.isAway = true;
    const close = control.open();
    fill('f');
    await clock.advance(10_000);
    expect(control.of('f').current).toBe(2);
    await close();
    expect(new Set(log.records.map(({ level }) => level))).toEqual(new Set(['debug']));
  });

  test('I4: looks only while somebody listens', async () => {
    const { clock, control, fill } = open();
    const [first, second] = [control.open(), control.open()];
    await first();
    expect(clock.pendingTimers).toBe(1);
    await second();
    expect(clock.pendingTimers).toBe(0);
    fill('f');
    await clock.advance(60_000);
    expect(control.of('f').current).toBe(1);
  });
});
