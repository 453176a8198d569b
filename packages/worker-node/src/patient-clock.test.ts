import type { Clock } from '@switchyard/kernel';
import { describe, expect, it } from 'vitest';
import { createPatientClock } from './patient-clock.ts';

/** A clock whose timers fire when the test says so. */
function handClock() {
  const due: (() => void)[] = [];
  const cancelled: number[] = [];
  const clock: Clock = {
    now: () => 7,
    monotonic: () => 3,
    schedule: (delayMs, callback) => {
      due.push(callback);
      return { cancel: () => cancelled.push(delayMs) };
    },
  };
  return { clock, due, cancelled };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('createPatientClock', () => {
  it('lets the event loop read its sockets before a callback runs', async () => {
    const { clock, due } = handClock();
    let calls = 0;
    createPatientClock(clock).schedule(10, () => (calls += 1));
    due[0]?.();
    await Promise.resolve();
    expect(calls).toBe(0);
    await turn();
    expect(calls).toBe(1);
  });

  it('can be cancelled before and after the time has come', async () => {
    const { clock, due, cancelled } = handClock();
    let calls = 0;
    const timer = createPatientClock(clock).schedule(10, () => (calls += 1));
    due[0]?.();
    timer.cancel();
    await turn();
    expect([calls, cancelled]).toEqual([0, [10]]);
  });

  it('tells the time of the clock below', () => {
    const patient = createPatientClock(handClock().clock);
    expect([patient.now(), patient.monotonic()]).toEqual([7, 3]);
  });
});
