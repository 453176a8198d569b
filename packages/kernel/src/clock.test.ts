import { getEventListeners } from 'node:events';
import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { sleep } from './clock.ts';

describe('sleep', () => {
  it('resolves after the delay and not before', async () => {
    const clock = new VirtualClock();
    let awake = false;
    const sleeping = sleep(clock, 1_000).then(() => {
      awake = true;
    });
    await clock.advance(999);
    expect(awake).toBe(false);
    await clock.advance(1);
    expect(awake).toBe(true);
    await sleeping;
  });

  it('rejects with the reason as soon as the signal aborts, and leaves no timer', async () => {
    const clock = new VirtualClock();
    const controller = new AbortController();
    const sleeping = sleep(clock, 1_000, controller.signal);
    const reason = new Error('stop');
    controller.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
    expect(clock.pendingTimers).toBe(0);
  });

  it('rejects at once on a signal that has aborted before', async () => {
    const clock = new VirtualClock();
    await expect(sleep(clock, 1, AbortSignal.abort('gone'))).rejects.toBe('gone');
    expect(clock.pendingTimers).toBe(0);
  });

  it('leaves no listener on the signal, so a long-lived signal may serve many sleeps', async () => {
    const clock = new VirtualClock();
    const { signal } = new AbortController();
    const sleeping = sleep(clock, 1, signal);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await clock.runUntil(sleeping);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});
