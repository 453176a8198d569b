import type { FunctionAggregate } from '@switchyard/kernel';
import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { ResultAggregator } from './result-aggregator.ts';

function open(given: { readonly isEnabled?: boolean; readonly batchSize?: number } = {}) {
  const clock = new VirtualClock();
  const told: FunctionAggregate[] = [];
  const settings = { isEnabled: true, batchSize: 1_000, flushTimeoutMs: 30_000, ...given };
  const results = new ResultAggregator(clock, settings, (aggregate) => told.push(aggregate));
  return { clock, told, results };
}

describe('ResultAggregator', () => {
  it('I1: tells of each function when the time is over, counted from its first result', async () => {
    const { clock, told, results } = open();
    await clock.advance(5_000);
    const sinceMs = clock.now();
    results.add('a', 10, true);
    await clock.advance(29_999);
    results.add('a', 20.004, false);
    results.add('b', 1, true);
    expect(told).toEqual([]);
    await clock.advance(1);
    expect(told).toEqual([
      {
        functionName: 'a',
        sinceMs,
        count: 2,
        successes: 1,
        failures: 1,
        successRate: 50,
        averageDurationMs: 15,
        minimumDurationMs: 10,
        maximumDurationMs: 20,
      },
      expect.objectContaining({ functionName: 'b', count: 1, successRate: 100 }),
    ]);
  });

  it('I1: tells at once when a batch is full, whatever functions it is of', () => {
    const { told, results, clock } = open({ batchSize: 3 });
    for (const name of ['a', 'b', 'a', 'a']) results.add(name, 1, true);
    expect(told.map(({ functionName, count }) => [functionName, count])).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
    expect(clock.pendingTimers).toBe(1);
  });

  it('I2: tells what is left, once', async () => {
    const { told, results, clock } = open();
    results.add('a', 1, true);
    results.flush();
    results.flush();
    await clock.advance(60_000);
    expect(told).toHaveLength(1);
  });

  it('I3: has no timer without results, or where it is off', () => {
    expect(open().clock.pendingTimers).toBe(0);
    const { results, clock, told } = open({ isEnabled: false, batchSize: 1 });
    results.add('a', 1, true);
    expect([clock.pendingTimers, told]).toEqual([0, []]);
  });
});
