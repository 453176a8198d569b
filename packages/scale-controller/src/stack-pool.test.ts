import { silentLog, silentMeter } from '@switchyard/kernel';
import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultSupplyLimits, type SupplyLimits } from './limits.ts';
import { StackPool } from './stack-pool.ts';
import { FakeProvider, nodeStack } from './testing/fake-provider.ts';

function open(minimum: number, maximum = minimum, limits: Partial<SupplyLimits> = {}) {
  const clock = new VirtualClock();
  const provider = new FakeProvider();
  const deps = { clock, provider, random: createSeededRandom(1), log: silentLog, meter: silentMeter };
  const pool = new StackPool(deps, { ...defaultSupplyLimits, ...limits }, { stack: nodeStack, minimum, maximum });
  return { clock, provider, pool };
}

describe('StackPool', () => {
  it('I1, I2: fills to the minimum, and again when one was taken', async () => {
    const { clock, provider, pool } = open(2);
    pool.fill();
    pool.fill();
    await clock.settle();
    expect([provider.pods.length, pool.status().warm]).toEqual([2, 2]);
    const pod = await pool.take();
    await clock.advance(249);
    expect(provider.pods).toHaveLength(2);
    await clock.advance(1);
    expect(pod).toBe(provider.at(0));
    expect([provider.pods.length, pool.status()]).toEqual([3, expect.objectContaining({ warm: 2, coldStarts: 0 })]);
  });

  it('I2: a placeholder that fails, or ends while it waits, is replaced after a growing wait', async () => {
    const { clock, provider, pool } = open(1);
    provider.warmsByItself = false;
    pool.fill();
    provider.at(0).failToWarm('no memory');
    await clock.settle();
    expect(provider.pods).toHaveLength(1);
    await clock.advance(1_000);
    expect(provider.pods).toHaveLength(2);
    provider.at(1).failToWarm('no memory');
    await clock.advance(1_000);
    expect(provider.pods).toHaveLength(2);
    await clock.advance(1_000);
    expect(provider.pods).toHaveLength(3);
    provider.at(2).becomeWarm();
    await clock.settle();
    provider.at(2).end(null, 'SIGKILL');
    await clock.settle();
    expect(pool.status()).toMatchObject({ warm: 0, warming: 0 });
    await clock.advance(1_000);
    expect(provider.pods).toHaveLength(4);
  });

  it('I3: hands out each pod once, and none that has ended', async () => {
    const { clock, provider, pool } = open(2);
    pool.fill();
    await clock.settle();
    provider.at(0).end(1);
    await clock.settle();
    const taken = await Promise.all([pool.take(), pool.take(), pool.take()]);
    expect(taken).not.toContain(provider.at(0));
    expect(new Set(taken).size).toBe(3);
  });

  it('I4: an empty pool is a cold start, which a placeholder on its way shortens', async () => {
    const { clock, provider, pool } = open(1);
    provider.warmsByItself = false;
    pool.fill();
    const first = pool.take();
    const second = pool.take();
    await clock.advance(250);
    expect(pool.status()).toMatchObject({ coldStarts: 2 });
    expect(provider.pods).toHaveLength(3);
    for (const pod of provider.pods) pod.becomeWarm();
    expect(await Promise.all([first, second])).toEqual([provider.at(0), provider.at(1)]);
    await clock.settle();
    expect(pool.status()).toMatchObject({ warm: 1, warming: 0 });
  });

  it('I4: a cold start that fails tells its taker', async () => {
    const { provider, pool } = open(0);
    provider.warmsByItself = false;
    const taken = pool.take();
    provider.at(0).failToWarm('no memory');
    await expect(taken).rejects.toThrow('no memory');
  });

  it('I1: takes back what nobody needed, and ends what is one too many', async () => {
    const { clock, provider, pool } = open(1);
    const [one, two] = [await pool.take(), await pool.take()];
    await clock.advance(250);
    pool.giveBack(one);
    pool.giveBack(two);
    await clock.settle();
    expect(pool.status().warm).toBe(1);
    expect(provider.pods.filter((pod) => pod.stops.length > 0).length).toBe(provider.pods.length - 1);
  });

  it('I5: close ends what waits here, and starts nothing', async () => {
    const { clock, provider, pool } = open(2);
    pool.fill();
    await clock.settle();
    provider.at(0).end(1);
    await clock.settle();
    pool.close(500);
    pool.fill();
    await clock.advance(100_000);
    expect([provider.pods.length, provider.at(1).stops, pool.status().warm, clock.pendingTimers]).toEqual([
      2,
      [500],
      0,
      0,
    ]);
  });

  it('I1: whatever happens, no more wait than the target and one replacement', async () => {
    const step = fc.constantFrom('take', 'end', 'fail', 'warm', 'time', 'back');
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.integer({ min: 0, max: 3 }), async (steps, minimum) => {
        const { clock, provider, pool } = open(minimum);
        provider.warmsByItself = false;
        pool.fill();
        const taken: Awaited<ReturnType<StackPool['take']>>[] = [];
        for (const one of steps) {
          const last = provider.pods.at(-1);
          if (one === 'take')
            pool.take().then(
              (pod) => taken.push(pod),
              () => {},
            );
          else if (one === 'end') last?.end(1);
          else if (one === 'fail') last?.failToWarm('x');
          else if (one === 'warm') for (const pod of provider.pods) pod.becomeWarm();
          else if (one === 'time') await clock.advance(120_000);
          else for (const pod of taken.splice(0, 1)) pool.giveBack(pod);
          await clock.settle();
          const { warm, warming } = pool.status();
          expect(warm + warming).toBeLessThanOrEqual(minimum + 1);
        }
        pool.close(0);
      }),
      { numRuns: 40 },
    );
  });

  it('I1: cold starts make it larger up to its maximum, for a while', async () => {
    const { clock, provider, pool } = open(1, 3);
    for (let taken = 0; taken < 4; taken += 1) await pool.take();
    expect(pool.status()).toMatchObject({ coldStarts: 4, target: 3 });
    await clock.advance(250);
    expect(pool.status()).toMatchObject({ warm: 3 });
    await clock.advance(119_749);
    expect(pool.status()).toMatchObject({ warm: 3, target: 3 });
    await clock.advance(1);
    expect(pool.status()).toMatchObject({ warm: 1, target: 1 });
    expect(provider.pods.filter(({ stops }) => stops.length > 0)).toHaveLength(2);
  });

  it('I1: an announcement fills it ahead of demand, and is forgotten', async () => {
    const { clock, pool } = open(1, 3);
    pool.announce(2);
    pool.announce(1);
    await clock.settle();
    expect(pool.status()).toMatchObject({ warm: 2, coldStarts: 0 });
    pool.announce(50);
    await clock.settle();
    expect(pool.status().warm).toBe(3);
    await clock.advance(120_000);
    expect(pool.status()).toMatchObject({ warm: 1, target: 1 });
  });

  it('I6: replaces what has waited for long, one after the other, and never has fewer', async () => {
    const { clock, provider, pool } = open(3, 3, { placeholderTtlMs: 60_000 });
    pool.fill();
    await clock.settle();
    let fewest = 3;
    for (let step = 0; step < 200; step += 1) {
      await clock.advance(1_000);
      fewest = Math.min(fewest, pool.status().warm);
    }
    const replaced = provider.pods.filter(({ stops }) => stops.length > 0);
    expect(replaced.length).toBeGreaterThanOrEqual(6);
    expect(replaced).toEqual(provider.pods.slice(0, replaced.length));
    expect(fewest).toBe(3);
    pool.close(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('I6: keeps an old one until there is another, however long that takes', async () => {
    const { clock, provider, pool } = open(1, 1, { placeholderTtlMs: 60_000 });
    pool.fill();
    await clock.settle();
    provider.warmsByItself = false;
    await clock.advance(66_000);
    expect([provider.pods.length, pool.status().warm]).toEqual([2, 1]);
    provider.at(1).failToWarm('no memory');
    await clock.advance(10_000);
    expect(pool.status().warm).toBe(1);
    provider.pods.at(-1)?.becomeWarm();
    await clock.settle();
    expect([provider.at(0).stops, pool.status().warm]).toEqual([[0], 1]);
    pool.close(0);
  });
});
