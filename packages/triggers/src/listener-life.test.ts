import { createDeferred } from '@switchyard/kernel';
import { describe, expect, it } from 'vitest';
import { ListenerLife } from './listener-life.ts';

const never = new AbortController().signal;

/** A loop that ends when a test says so. */
function createRun() {
  const life = new ListenerLife();
  const ended = createDeferred<void>();
  let stops = 0;
  life.start(never, (stop) => {
    stop.addEventListener('abort', () => {
      stops += 1;
    });
    return ended.promise;
  });
  return { life, ended, stops: () => stops };
}

describe('ListenerLife', () => {
  it('I1: tells its loop to stop once, whoever comes first', async () => {
    const { life, ended, stops } = createRun();
    expect([life.isListening, stops()]).toEqual([true, 0]);
    const draining = life.drain(never);
    life.close();
    life.close();
    ended.resolve();
    await draining;
    await life.drain(never);
    expect([life.isListening, life.isClosed, stops()]).toEqual([false, true, 1]);
  });

  it('I1: starts neither twice nor for a signal that is aborted', () => {
    const { life } = createRun();
    expect(() => life.start(never, async () => {})).toThrow();
    const idle = new ListenerLife();
    expect(() => idle.start(AbortSignal.abort(new Error('too late')), async () => {})).toThrow('too late');
    expect(idle.isListening).toBe(false);
  });

  it('I2: waits for the loop, then for the rest', async () => {
    const { life, ended } = createRun();
    const rest = createDeferred<void>();
    const seen: string[] = [];
    const draining = life.drain(never, () => {
      seen.push('loop');
      return rest.promise;
    });
    void draining.then(() => seen.push('drained'));
    ended.resolve();
    await expect.poll(() => seen).toEqual(['loop']);
    rest.resolve();
    await draining;
    expect(seen).toEqual(['loop', 'drained']);
  });

  it('I2: waits no longer than its signal', async () => {
    const { life } = createRun();
    const over = new AbortController();
    const draining = life.drain(over.signal);
    over.abort();
    await draining;
    expect(life.isListening).toBe(false);
  });
});
