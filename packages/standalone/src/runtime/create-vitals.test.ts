import { open } from 'node:fs/promises';
import { systemClock } from '@switchyard/kernel';
import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import { createVitals } from './create-vitals.ts';

/** What is used of each vital by now. */
function measure(): ReadonlyMap<string, number> {
  const vitals = createVitals(systemClock);
  const measured = new Map(vitals.read().map(({ name, used }) => [name, used]));
  vitals.close();
  return measured;
}

describe('createVitals', () => {
  test('measures parts of what there is', () => {
    const measured = measure();
    expect([...measured.keys()]).toEqual(expect.arrayContaining(['memory', 'event loop delay', 'event loop']));
    for (const used of measured.values()) {
      expect(used).toBeGreaterThanOrEqual(0);
      expect(used).toBeLessThanOrEqual(1);
    }
    expect(measured.get('memory')).toBeGreaterThan(0);
  });

  test.runIf(process.platform === 'linux')('counts files and connections that are open', async () => {
    const before = measure().get('open files') ?? 0;
    const files = await Promise.all(Array.from({ length: 50 }, () => open('/proc/self/limits')));
    expect(measure().get('open files')).toBeGreaterThan(before);
    await Promise.all(files.map((file) => file.close()));
  });

  test('takes an event loop that is always late for used up, and one that was late once for well', async () => {
    const clock = new VirtualClock();
    let lateMs = 0;
    // Timers come late, as on an event loop that has other things to do.
    const slow = {
      ...systemClock,
      monotonic: () => clock.monotonic(),
      schedule: (delayMs: number, work: () => void) => clock.schedule(delayMs + lateMs, work),
    };
    const vitals = createVitals(slow);
    const delay = () => vitals.read().find(({ name }) => name === 'event loop delay')?.used ?? 0;
    await clock.advance(10_000);
    expect(delay()).toBe(0);
    lateMs = 900;
    await clock.advance(20_000);
    expect(delay()).toBeGreaterThan(0.7);
    await clock.advance(1_900);
    delay();
    lateMs = 3_000;
    await clock.advance(4_000);
    lateMs = 0;
    await clock.advance(20_000);
    expect(delay()).toBeLessThan(0.3);
    vitals.close();
    expect(clock.pendingTimers).toBe(0);
  });
});
