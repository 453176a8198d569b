import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { SimulatedRuntime } from '../testing/simulated-runtime.ts';
import { Observation } from './observation.ts';
import type { ObservedFunction, ObservedVersion } from './scaled-runtime.ts';

const base = (): ObservedVersion => {
  const runtime = new SimulatedRuntime(new VirtualClock());
  runtime.add('shop');
  const [version] = runtime.load('shop');
  if (version === undefined) throw new Error('there is no version');
  return version;
};

const work = (more: Partial<ObservedFunction>): ObservedFunction => ({
  ...{ name: 'work', activeCount: 0, startedCount: 0, endedCount: 0, failedCount: 0, totalMs: 0, durationCounts: [] },
  ...more,
});

const extras = { sources: [], usageOf: () => undefined };

describe('Observation', () => {
  it('makes rates and durations of counters', () => {
    const observation = new Observation();
    for (let atMs = 0; atMs <= 60_000; atMs += 200) {
      const startedCount = (atMs / 1_000) * 40;
      const functions = [work({ activeCount: 3, startedCount, endedCount: startedCount, totalMs: startedCount * 25 })];
      const { functions: loads } = observation.look({ ...base(), functions }, extras, atMs);
      if (atMs < 59_000) continue;
      expect(loads[0]?.eventsPerSecond).toBeCloseTo(40, 0);
      expect(loads[0]?.durationMs).toBeCloseTo(25);
      expect(loads[0]?.runningCount).toBe(3);
    }
  });

  it('I1: takes counters that go back for those of another hosting', () => {
    const observation = new Observation();
    const look = (count: number, atMs: number) =>
      observation.look(
        {
          ...base(),
          refusedCount: count,
          functions: [work({ startedCount: count, endedCount: count, totalMs: count })],
        },
        extras,
        atMs,
      );
    look(1_000, 0);
    const { functions, refusedCount } = look(5, 1_000);
    expect([functions[0]?.eventsPerSecond, refusedCount]).toEqual([0, 0]);
    expect(look(9, 2_000)).toMatchObject({ refusedCount: 4 });
  });

  it('I2: a second look at the same moment says the same', () => {
    const observation = new Observation();
    const first = observation.look({ ...base(), refusedCount: 2 }, extras, 100);
    expect(observation.look({ ...base(), refusedCount: 9 }, extras, 100)).toBe(first);
  });

  it('I4: what waits for a turn of the Runtime is no reason for more workers', () => {
    const observation = new Observation();
    for (let atMs = 0; atMs <= 60_000; atMs += 200) {
      // 64 callers, of which 60 wait at any time: 32 ms in all, 2 ms of them on a worker.
      const startedCount = (atMs / 1_000) * 2_000;
      const functions = [work({ activeCount: 64, startedCount, endedCount: startedCount, totalMs: startedCount * 32 })];
      const { functions: loads } = observation.look({ ...base(), functions, pacedCount: 60 }, extras, atMs);
      expect(loads[0]?.runningCount).toBe(4);
      if (atMs > 59_000) expect(loads[0]?.durationMs).toBeCloseTo(2);
    }
  });

  it('I4: what waited for its turn and has ended since is no long call either', () => {
    const observation = new Observation();
    const look = (activeCount: number, endedCount: number, atMs: number) => {
      const functions = [work({ activeCount, startedCount: 1_000, endedCount, totalMs: endedCount * 4_000 })];
      return observation.look({ ...base(), functions, pacedCount: activeCount }, extras, atMs).functions[0];
    };
    look(1_000, 0, 0);
    expect(look(1_000, 0, 200)).toMatchObject({ runningCount: 0 });
    expect(look(0, 1_000, 400)).toMatchObject({ runningCount: 0, durationMs: 0 });
  });

  it('counts requests that wait for a first worker as work', () => {
    const signals = new Observation().look({ ...base(), waitingCount: 4, quietMs: 9_000 }, extras, 0);
    expect(signals).toMatchObject({ quietMs: 0 });
    expect(signals.functions.reduce((sum, { waitingCount }) => sum + waitingCount, 0)).toBe(4);
  });

  it('I3: knows how busy the processors of the workers are, once each was read twice, however often it looks', () => {
    const observation = new Observation();
    // Read once a second, looked at five times a second.
    const usageAt = (nowMs: number) => (workerId: string) => {
      if (workerId === 'unknown') return undefined;
      const atMs = 7_000 + Math.floor(nowMs / 1_000) * 1_000;
      return { atMs, cpuMs: workerId === 'busy' ? atMs : atMs / 2, memoryBytes: 1, cpuLimit: 1 };
    };
    const version = { ...base(), workerIds: ['busy', 'calm', 'unknown'] };
    const shares: (number | undefined)[] = [];
    for (let nowMs = 0; nowMs <= 3_000; nowMs += 200) {
      shares.push(observation.look(version, { sources: [], usageOf: usageAt(nowMs) }, nowMs).cpuShare);
    }
    expect(shares.slice(0, 5)).toEqual(new Array(5).fill(undefined));
    for (const share of shares.slice(5)) expect(share).toBeCloseTo(0.75);
    expect(observation.look({ ...version, workerIds: [] }, extras, 4_000).cpuShare).toBeUndefined();
  });

  it('I3: says nothing of a reading that is older than the one before, as after a restart of the reader', () => {
    const observation = new Observation();
    const version = { ...base(), workerIds: ['w'] };
    const look = (nowMs: number, atMs: number, cpuMs: number) => {
      const usageOf = () => ({ atMs, cpuMs, memoryBytes: 1, cpuLimit: 2 });
      return observation.look(version, { sources: [], usageOf }, nowMs).cpuShare;
    };
    expect([look(0, 500, 500), look(1_000, 100, 0), look(2_000, 1_100, 500)]).toEqual([undefined, undefined, 0.25]);
  });
});
