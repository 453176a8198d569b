import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { triggerErrors } from '../errors.ts';
import { insist, request } from './storage-request.ts';

const name = { operation: 'send', queue: 'orders' };

describe('request', () => {
  it('rejects when no answer comes in time, and tells the call to stop', async () => {
    const clock = new VirtualClock();
    let inner: AbortSignal | undefined;
    const late = request({ clock }, name, (signal) => {
      inner = signal;
      return new Promise(() => {});
    });
    await expect(clock.runUntil(late)).rejects.toThrow("did not answer 'send' on queue 'orders' within 35000 ms");
    expect(inner?.aborted).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  it('never aborts a call that has ended', async () => {
    let inner: AbortSignal | undefined;
    const stop = new AbortController();
    const call = async (signal: AbortSignal): Promise<void> => {
      inner = signal;
    };
    await request({ clock: new VirtualClock() }, name, call, stop.signal);
    stop.abort();
    expect(inner?.aborted).toBe(false);
  });

  it('hands on an abort, before and during the call', async () => {
    const clock = new VirtualClock();
    const seen = (signal: AbortSignal): Promise<boolean> =>
      new Promise((resolve) => {
        if (signal.aborted) resolve(true);
        signal.addEventListener('abort', () => resolve(true));
      });
    expect(await request({ clock }, name, seen, AbortSignal.abort())).toBe(true);
    const stop = new AbortController();
    const answer = request({ clock }, name, seen, stop.signal);
    stop.abort();
    expect(await answer).toBe(true);
  });
});

describe('insist', () => {
  const rig = (
    failures: number,
    error: unknown,
  ): { clock: VirtualClock; tries: () => number; run: (max: number) => Promise<string> } => {
    const clock = new VirtualClock();
    const random = createSeededRandom(1);
    let tries = 0;
    const call = async (): Promise<string> => {
      tries += 1;
      if (tries <= failures) throw error;
      return 'done';
    };
    return { clock, tries: () => tries, run: (max) => clock.runUntil(insist({ clock, random }, name, max, call)) };
  };

  it('tries again until it succeeds', async () => {
    const { run, tries } = rig(3, new Error('down'));
    expect(await run(4)).toBe('done');
    expect(tries()).toBe(4);
  });

  it('rejects with the last error when its tries are spent', async () => {
    const { run, tries } = rig(9, new Error('down'));
    await expect(run(3)).rejects.toThrow('down');
    expect(tries()).toBe(3);
  });

  it('does not repeat what is refused for good', async () => {
    const { run, tries } = rig(9, triggerErrors.create('STORAGE_REQUEST_REFUSED', name));
    await expect(run(3)).rejects.toThrow(/refused/);
    expect(tries()).toBe(1);
  });

  it('stops when the signal aborts', async () => {
    const clock = new VirtualClock();
    const stop = new AbortController();
    const answer = insist(
      { clock, random: createSeededRandom(1) },
      name,
      9,
      async () => {
        stop.abort(new Error('enough'));
        throw new Error('down');
      },
      stop.signal,
    );
    await expect(answer).rejects.toThrow('down');
    expect(clock.pendingTimers).toBe(0);
  });
});
