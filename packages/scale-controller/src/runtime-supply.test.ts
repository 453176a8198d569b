import type { SupplyEvent } from '@switchyard/protocol';
import { createMemoryLog, createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { createRuntimeSupply } from './runtime-supply.ts';
import { openSupplyRun, shop, wish } from './testing/supply-run.ts';

function open() {
  const clock = new VirtualClock();
  const run = openSupplyRun(
    { clock, log: createMemoryLog(clock), random: createSeededRandom(5) },
    { limits: { refillDelayMs: 0 } },
  );
  const heard = { here: [] as SupplyEvent[], there: [] as SupplyEvent[] };
  const here = createRuntimeSupply(run.supply, undefined, 4);
  const there = createRuntimeSupply(run.supply, 'r2', 4);
  here.watch((event) => heard.here.push(event));
  there.watch((event) => heard.there.push(event));
  return { ...run, here, there, heard };
}

const idsIn = (events: readonly SupplyEvent[]) =>
  events.map((event) => `${event.kind} ${'workerId' in event && event.workerId}`);

describe('createRuntimeSupply', () => {
  it('I1: two Runtimes have workers of their own for one app, and each hears of its own alone', async () => {
    const { clock, here, there, heard } = open();
    here.ensure(wish(1));
    there.ensure(wish(2));
    await clock.settle();
    expect([idsIn(heard.here), idsIn(heard.there)]).toEqual([['expected w1'], ['expected w2', 'expected w3']]);
    const late: SupplyEvent[] = [];
    there.watch((event) => late.push(event));
    expect(idsIn(late)).toEqual(['expected w2', 'expected w3']);
    // Nobody gives back what is another's.
    here.release('w2', 'idle');
    there.ensure(wish(1));
    there.release('w3', 'idle');
    await clock.settle();
    expect([idsIn(heard.here), idsIn(heard.there).slice(2)]).toEqual([['expected w1'], ['exited w3']]);
  });

  it('I3: a Runtime that is gone leaves no worker behind, and takes none from another', async () => {
    const { clock, provider, here, there } = open();
    here.ensure(wish(1));
    there.ensure(wish(2));
    await clock.settle();
    there.forget();
    there.ensure(wish(5));
    await clock.settle();
    expect(provider.pods.map((pod) => pod.stops.length > 0)).toEqual([false, true, true]);
  });

  it('I2: a Runtime has no more workers than it may, and another app gets what one gives back', async () => {
    const { clock, provider, there } = open();
    const other = { ...shop, applicationId: 'blog' };
    there.ensure(wish(3));
    there.ensure(wish(3, { application: other }));
    await clock.settle();
    expect(provider.pods).toHaveLength(4);
    there.ensure(wish(1));
    await clock.settle();
    expect(provider.pods).toHaveLength(6);
  });
});
