import { createMemoryLog, VirtualClock } from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import { MemoryGuard } from './memory-guard.ts';

/** `uses` are what is used at each look, `[before, after a collection]`. */
function open(...uses: readonly (number | readonly [number, number])[]) {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const done: string[] = [];
  let look = -1;
  let isCollected = false;
  const memory = {
    utilization() {
      if (!isCollected) look += 1;
      const use = uses[look] ?? 0;
      const [before, after] = typeof use === 'number' ? [use, use] : use;
      const used = isCollected ? after : before;
      isCollected = false;
      return used;
    },
    collect() {
      done.push('collect');
      isCollected = true;
    },
  };
  const actions = {
    closeIntake: (isClosed: boolean) => done.push(isClosed ? 'close' : 'open'),
    drainOldest: (count: number) => done.push(`drain ${count}`),
    pressed: (used: number) => done.push(`pressed ${used}`),
  };
  const guard = new MemoryGuard({ clock, log, memory, actions }, { memoryCheckMs: 10_000 });
  /** What is done at the next look. */
  const next = async (): Promise<readonly string[]> => {
    await clock.advance(10_000);
    return done.splice(0);
  };
  return { clock, log, guard, next };
}

describe('MemoryGuard', () => {
  test('I4: tells whoever scales above 70 %, and does nothing else up to 90 %', async () => {
    const { next } = open(0.7, 0.701, 0.9);
    expect([await next(), await next(), await next()]).toEqual([[], ['pressed 0.701'], ['pressed 0.9']]);
  });

  test('I1, I3: above 90 % nothing new is taken; a collection that helps opens the intake again', async () => {
    const { next, log } = open([0.95, 0.85], 0.5);
    expect(await next()).toEqual(['pressed 0.95', 'close', 'collect', 'open']);
    expect(await next()).toEqual([]);
    expect(log.records.map(({ level }) => level)).toEqual(['error', 'information']);
  });

  test('I2: where it does not help, the two oldest workers are drained, at each look', async () => {
    const { next } = open([0.95, 0.92], [0.91, 0.9], 0.86, 0.85);
    expect(await next()).toEqual(['pressed 0.95', 'close', 'collect', 'drain 2']);
    expect(await next()).toEqual(['pressed 0.91', 'collect', 'drain 2']);
    // No more than 90 %, and not yet recovered.
    expect(await next()).toEqual(['pressed 0.86', 'drain 2']);
    expect(await next()).toEqual(['pressed 0.85', 'open']);
  });

  test('I5: looks at nothing after its end, and leaves no timer', async () => {
    const { clock, guard, next } = open([0.95, 0.95], 0.1);
    await next();
    guard.stop();
    guard.stop();
    expect(await next()).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });
});
