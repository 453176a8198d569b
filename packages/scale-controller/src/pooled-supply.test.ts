import type { SupplyEvent } from '@switchyard/protocol';
import { createMemoryLog, createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { nodeStack } from './testing/fake-provider.ts';
import { openSupplyRun, type SupplyRunOptions, shop, wish } from './testing/supply-run.ts';

function createSupplyRun(options: SupplyRunOptions = {}) {
  const clock = new VirtualClock();
  return openSupplyRun(
    { clock, log: createMemoryLog(clock), random: createSeededRandom(5) },
    { limits: { refillDelayMs: 0 }, ...options },
  );
}

const java = { runtime: 'java', version: '21', architecture: 'x64' };

describe('createPooledSupply', () => {
  it('I1: tells a late observer of the workers that are there', async () => {
    const { clock, supply } = createSupplyRun();
    supply.ensure(wish(2));
    await clock.settle();
    const late: SupplyEvent[] = [];
    const unsubscribe = supply.watch((event) => late.push(event));
    expect(late.map((event) => event.kind === 'expected' && event.workerId)).toEqual(['w1', 'w2']);
    unsubscribe();
    supply.ensure(wish(3));
    await clock.settle();
    expect(late).toHaveLength(2);
  });

  it('I2: an observer that throws harms nobody', async () => {
    const { clock, supply, log, events } = createSupplyRun();
    supply.watch(() => {
      throw new Error('broken observer');
    });
    const later: SupplyEvent[] = [];
    supply.watch((event) => later.push(event));
    supply.ensure(wish(1));
    await clock.settle();
    expect([events.length, later.length]).toEqual([1, 1]);
    expect(log.withMessage('An observer of the supply failed')).toHaveLength(1);
  });

  it('I3: keeps a pool per stack, from the start or from the first app on', async () => {
    const { clock, supply, counted } = createSupplyRun({ pools: [{ stack: java, minimum: 2 }], defaultMinimum: 1 });
    await clock.settle();
    supply.ensure(wish(1));
    await clock.settle();
    expect(supply.pools()).toMatchObject([
      { stack: java, warm: 2, coldStarts: 0 },
      { stack: nodeStack, warm: 1 },
    ]);
    const before = counted.length;
    supply.ensure(wish(2));
    await clock.settle();
    expect(counted.slice(before)).toEqual([]);
  });

  it('I3: counts cold starts by stack', async () => {
    const { clock, supply, counted } = createSupplyRun();
    supply.ensure(wish(1));
    await clock.settle();
    expect(counted).toEqual(['placeholder_cold_starts_total 1 node:24:x64']);
    expect(supply.pools()).toMatchObject([{ stack: nodeStack, warm: 0, coldStarts: 1 }]);
  });

  it('I4: close ends every pod, those of pools and those of apps', async () => {
    const { clock, provider, supply } = createSupplyRun({ pools: [{ stack: nodeStack, minimum: 1 }] });
    await clock.settle();
    supply.ensure(wish(1));
    await clock.settle();
    await clock.runUntil(supply.close(100));
    expect(provider.pods.map((pod) => pod.stops.length > 0)).toEqual([true, true]);
    supply.ensure(wish(1));
    supply.release('w1', 'idle');
    await supply.close(0);
    expect(provider.pods).toHaveLength(2);
    expect(clock.pendingTimers).toBe(0);
  });

  it('keeps apps apart', async () => {
    const { clock, supply, events } = createSupplyRun();
    supply.ensure(wish(1));
    supply.ensure(wish(1, { application: { ...shop, codeVersion: 'c2' } }));
    await clock.settle();
    expect(events.map((event) => event.kind === 'expected' && event.application.codeVersion)).toEqual(['c1', 'c2']);
    supply.ensure(wish(0));
    supply.release('w1', 'application-stopped');
    supply.release('nobody', 'idle');
    await clock.settle();
    expect(events.slice(2)).toMatchObject([{ kind: 'exited', workerId: 'w1' }]);
  });

  it('I5: keeps the workers of two Runtimes apart, for the same app', async () => {
    const { clock, supply, events } = createSupplyRun();
    supply.ensure(wish(1));
    supply.ensure(wish(2, { runtimeId: 'r2' }));
    await clock.settle();
    expect(events.map((event) => event.kind === 'expected' && event.runtimeId)).toEqual([undefined, 'r2', 'r2']);
    supply.ensure(wish(0, { runtimeId: 'r2' }));
    supply.release('w2', 'idle');
    supply.release('w3', 'idle');
    await clock.settle();
    const exited = events.flatMap((event) => (event.kind === 'exited' ? [event.workerId] : []));
    expect(exited).toEqual(['w2', 'w3']);
  });
});
