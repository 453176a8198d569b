import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { settlesWithin, withDeadline } from './deadline.ts';
import { createDeferred } from './deferred.ts';

const late = (): Error => new Error('too late');

describe('withDeadline', () => {
  it('settles as the promise does, and leaves no timer', async () => {
    const clock = new VirtualClock();
    await expect(withDeadline(clock, 10, Promise.resolve('value'), late)).resolves.toBe('value');
    await expect(withDeadline(clock, 10, Promise.reject(new Error('own')), late)).rejects.toThrow('own');
    expect(clock.pendingTimers).toBe(0);
  });

  it('rejects once the time has passed', async () => {
    const clock = new VirtualClock();
    const { promise } = createDeferred<void>();
    await expect(clock.runUntil(withDeadline(clock, 10, promise, late))).rejects.toThrow('too late');
    expect(clock.monotonic()).toBe(10);
  });

  it('ignores what comes after the deadline, a rejection too', async () => {
    const clock = new VirtualClock();
    const deferred = createDeferred<void>();
    const waiting = withDeadline(clock, 10, deferred.promise, late);
    waiting.catch(() => {});
    await clock.advance(10);
    deferred.reject(new Error('own'));
    await clock.settle();
    await expect(waiting).rejects.toThrow('too late');
  });
});

describe('settlesWithin', () => {
  it('says whether the promise settled in time, however it settled', async () => {
    const clock = new VirtualClock();
    const deferred = createDeferred<void>();
    expect(await settlesWithin(clock, 10, Promise.resolve())).toBe(true);
    expect(await settlesWithin(clock, 10, Promise.reject(new Error('own')))).toBe(true);
    expect(clock.pendingTimers).toBe(0);
    expect(await clock.runUntil(settlesWithin(clock, 10, deferred.promise))).toBe(false);
  });
});
