import { sleep } from '@switchyard/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from './virtual-clock.ts';

const day = 86_400_000;

describe('VirtualClock', () => {
  it('I1: timers run by due time, equal ones in scheduling order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(5), { maxLength: 20 }), async (delays) => {
        const clock = new VirtualClock();
        const ran: number[] = [];
        delays.forEach((delayMs, index) => {
          clock.schedule(delayMs, () => ran.push(index));
        });
        await clock.advance(5);
        const expected = delays.map((delayMs, index) => ({ delayMs, index }));
        expected.sort((a, b) => a.delayMs - b.delayMs || a.index - b.index);
        expect(ran).toEqual(expected.map(({ index }) => index));
      }),
      { numRuns: 50 },
    );
  });

  it('I2: now is the due time inside a timer and the target afterwards', async () => {
    const clock = new VirtualClock(1_000);
    const seen: number[] = [];
    clock.schedule(40 * day, () => seen.push(clock.now(), clock.monotonic()));
    await clock.advance(50 * day);
    expect(seen).toEqual([1_000 + 40 * day, 40 * day]);
    expect(clock.now()).toBe(1_000 + 50 * day);
  });

  it('I2: a timer due later than the advance waits', async () => {
    const clock = new VirtualClock();
    let ran = 0;
    clock.schedule(11, () => {
      ran += 1;
    });
    await clock.advance(10);
    expect(ran).toBe(0);
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(1);
    expect(ran).toBe(1);
  });

  it('I3: a cancelled timer never runs, nor does a timer run twice', async () => {
    const clock = new VirtualClock();
    const ran: string[] = [];
    const first = clock.schedule(1, () => ran.push('first'));
    const second = clock.schedule(2, () => ran.push('second'));
    first.cancel();
    await clock.advance(3);
    second.cancel();
    await clock.advance(100);
    expect(ran).toEqual(['second']);
  });

  it('I4: a timer scheduled by a timer runs within the same advance', async () => {
    const clock = new VirtualClock();
    const times: number[] = [];
    const tick = (): void => {
      times.push(clock.monotonic());
      clock.schedule(10, tick);
    };
    clock.schedule(10, tick);
    await clock.advance(35);
    expect(times).toEqual([10, 20, 30]);
  });

  it('I5: promises settle between timers', async () => {
    const clock = new VirtualClock();
    const order: string[] = [];
    const walk = async (): Promise<void> => {
      await sleep(clock, 10);
      await Promise.resolve();
      order.push('walked');
      await sleep(clock, 5);
      order.push('walked on');
    };
    const walking = walk();
    clock.schedule(11, () => order.push('timer'));
    await clock.advance(20);
    expect(order).toEqual(['walked', 'timer', 'walked on']);
    await walking;
  });

  it('rejects an advance inside an advance, a negative one, and passes on what a timer throws', async () => {
    const clock = new VirtualClock();
    const outer = clock.advance(1);
    await expect(clock.advance(1)).rejects.toThrow('already being advanced');
    await outer;
    await expect(clock.advance(-1)).rejects.toThrow('does not run backwards');
    clock.schedule(1, () => {
      throw new Error('timer failed');
    });
    await expect(clock.advance(1)).rejects.toThrow('timer failed');
    await clock.advance(1);
  });

  it('runUntil stops at the timer that settles the promise', async () => {
    const clock = new VirtualClock();
    clock.schedule(500, () => {});
    expect(await clock.runUntil(sleep(clock, 100).then(() => 'done'))).toBe('done');
    expect(clock.monotonic()).toBe(100);
    expect(clock.pendingTimers).toBe(1);
  });

  it('runUntil says that nothing will settle the promise', async () => {
    const clock = new VirtualClock();
    const never = new Promise<void>(() => {});
    await expect(clock.runUntil(never)).rejects.toThrow('no timer does');
    clock.schedule(2_000, () => {});
    await expect(clock.runUntil(never, 1_000)).rejects.toThrow('within 1000 ms');
  });
});
