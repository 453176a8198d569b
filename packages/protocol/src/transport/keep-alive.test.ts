import { type Clock, systemClock } from '@switchyard/kernel';
import { VirtualClock } from '@switchyard/testkit';
import { beforeEach, describe, expect, it } from 'vitest';
import { turns } from '../testing/link-collector.ts';
import { type KeepAlive, startKeepAlive } from './keep-alive.ts';

const options = { intervalMs: 5_000, timeoutMs: 3_000 };

describe('keep-alive', () => {
  let clock: VirtualClock;
  let pings: (() => void)[];
  let bytesRead: number;
  let deaths: number;
  let keepAlive: KeepAlive;

  beforeEach(() => {
    clock = new VirtualClock();
    pings = [];
    bytesRead = 0;
    deaths = 0;
    const probe = { ping: (answered: () => void) => void pings.push(answered), bytesRead: () => bytesRead };
    keepAlive = startKeepAlive(clock, options, probe, () => {
      deaths += 1;
    });
  });

  it('I1: probes again and again while the peer answers', async () => {
    for (let round = 1; round <= 5; round += 1) {
      await clock.advance(5_000);
      expect(pings).toHaveLength(round);
      await clock.advance(2_000);
      pings[round - 1]?.();
    }
    expect(deaths).toBe(0);
  });

  it('I1: takes any byte for life', async () => {
    for (let round = 0; round < 5; round += 1) {
      await clock.advance(6_000);
      bytesRead += 1;
      await clock.advance(2_000);
    }
    expect(deaths).toBe(0);
  });

  it('I1: hears an answer that has arrived while this process was too busy to read it', async () => {
    const timers: (() => void)[] = [];
    const byHand: Clock = {
      ...systemClock,
      schedule: (_delayMs, callback) => ({ cancel: () => {}, at: timers.push(callback) }),
    };
    const probe = { ping: (answered: () => void) => void pings.push(answered), bytesRead: () => bytesRead };
    startKeepAlive(byHand, options, probe, () => {
      deaths += 1;
    });
    timers[0]?.();
    // After a long block the timer runs first, and what has arrived is read in the same turn of the event loop.
    timers[1]?.();
    pings[0]?.();
    await turns(2);
    expect(deaths).toBe(0);
    expect(timers).toHaveLength(3);
  });

  it('I2: reports silence once, at interval plus timeout', async () => {
    await clock.advance(7_999);
    expect(deaths).toBe(0);
    await clock.advance(1);
    expect(deaths).toBe(1);
    pings[0]?.();
    await clock.advance(100_000);
    expect(deaths).toBe(1);
    expect(pings).toHaveLength(1);
  });

  it('I2: a late answer to an old probe does not count for a new one', async () => {
    await clock.advance(6_000);
    bytesRead += 1;
    await clock.advance(2_000);
    await clock.advance(5_000);
    expect(pings).toHaveLength(2);
    pings[0]?.();
    await clock.advance(3_000);
    expect(deaths).toBe(1);
  });

  it('I3: does nothing after stop, whether it waited or probed', async () => {
    await clock.advance(5_000);
    keepAlive.stop();
    pings[0]?.();
    await clock.advance(100_000);
    expect(pings).toHaveLength(1);
    expect(deaths).toBe(0);
    expect(clock.pendingTimers).toBe(0);
    keepAlive.stop();
  });
});
