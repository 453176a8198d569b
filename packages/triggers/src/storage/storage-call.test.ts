import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { triggerErrors } from '../errors.ts';
import { callStorage, callUntilDone } from './storage-call.ts';

const name = { operation: 'read', resource: "blob 'c/b'" };

describe('callStorage', () => {
  it('rejects when no answer comes in time, and tells the call to stop', async () => {
    const clock = new VirtualClock();
    let inner: AbortSignal | undefined;
    const late = callStorage({ clock }, name, (signal) => {
      inner = signal;
      return new Promise(() => {});
    });
    await expect(clock.runUntil(late)).rejects.toThrow("did not answer 'read' on blob 'c/b' within 35000 ms");
    expect(inner?.aborted).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  it('hands on an abort, before and during the call', async () => {
    const clock = new VirtualClock();
    const seen = (signal: AbortSignal): Promise<boolean> =>
      new Promise((resolve) => {
        if (signal.aborted) resolve(true);
        signal.addEventListener('abort', () => resolve(true));
      });
    expect(await callStorage({ clock }, name, seen, { signal: AbortSignal.abort() })).toBe(true);
    const stop = new AbortController();
    const answer = callStorage({ clock }, name, seen, { signal: stop.signal });
    stop.abort();
    expect(await answer).toBe(true);
  });
});

describe('callUntilDone', () => {
  const rig = (
    failures: number,
    error: unknown,
  ): { tries: () => number; run: (maxTries: number, signal?: AbortSignal) => Promise<string> } => {
    const clock = new VirtualClock();
    let tries = 0;
    const call = async (): Promise<string> => {
      tries += 1;
      if (tries <= failures) throw error;
      return 'done';
    };
    const deps = { clock, random: createSeededRandom(1) };
    return {
      tries: () => tries,
      run: (maxTries, signal) => clock.runUntil(callUntilDone(deps, name, maxTries, call, { signal })),
    };
  };

  it('tries again until it succeeds', async () => {
    const { run, tries } = rig(3, new Error('down'));
    expect(await run(4)).toBe('done');
    expect(tries()).toBe(4);
  });

  it('rejects with the last error when its tries are spent, or at the abort', async () => {
    const { run, tries } = rig(9, new Error('down'));
    await expect(run(3)).rejects.toThrow('down');
    expect(tries()).toBe(3);
    await expect(run(3, AbortSignal.abort())).rejects.toThrow('down');
    expect(tries()).toBe(4);
  });

  it('does not repeat what is refused for good', async () => {
    const { run, tries } = rig(9, triggerErrors.create('STORAGE_CALL_REFUSED', { ...name, reason: '403' }));
    await expect(run(5)).rejects.toThrow('refused');
    expect(tries()).toBe(1);
  });
});
