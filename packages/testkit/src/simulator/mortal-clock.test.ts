import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../virtual-clock.ts';
import { createMortalClock } from './mortal-clock.ts';

describe('createMortalClock', () => {
  test('I1: a dead process runs no timer', async () => {
    const world = new VirtualClock();
    const mortal = createMortalClock(world);
    const ran: string[] = [];
    mortal.schedule(5, () => ran.push('alive'));
    mortal.schedule(50, () => ran.push('dead'));
    await world.advance(10);
    mortal.kill();
    mortal.schedule(1, () => ran.push('after death'));
    await world.advance(100);
    expect(ran).toEqual(['alive']);
    expect([mortal.isAlive, world.pendingTimers]).toEqual([false, 0]);
  });

  test('I2: counts its own timers alone', async () => {
    const world = new VirtualClock();
    const mortal = createMortalClock(world);
    world.schedule(5, () => {});
    const timer = mortal.schedule(5, () => {});
    mortal.schedule(5, () => {});
    expect(mortal.pendingTimers).toBe(2);
    timer.cancel();
    expect(mortal.pendingTimers).toBe(1);
    await world.advance(5);
    expect(mortal.pendingTimers).toBe(0);
  });
});
