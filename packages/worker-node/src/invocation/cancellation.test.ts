import { describe, expect, it } from 'vitest';
import { Cancellation } from './cancellation.ts';

describe('Cancellation', () => {
  it('I1: aborts the signal, whether it was asked for before or after', () => {
    const early = new Cancellation('i1');
    const { signal } = early;
    expect(signal.aborted).toBe(false);
    early.cancel();
    expect([signal.aborted, signal === early.signal]).toEqual([true, true]);
    const late = new Cancellation('i2');
    late.cancel();
    expect(late.signal.aborted).toBe(true);
    expect(String(late.signal.reason)).toContain('Invocation i2 was cancelled');
    expect(new Cancellation('i3').signal.aborted).toBe(false);
  });

  it('gives a context its signal, and leaves alone what cannot take one', () => {
    const cancellation = new Cancellation('i1');
    const context: { signal?: AbortSignal } = {};
    const taken = { signal: 'mine' };
    cancellation.attachTo(context);
    for (const other of [taken, Object.freeze({}), undefined, 'text']) cancellation.attachTo(other);
    expect(context.signal).toBe(cancellation.signal);
    expect([Object.keys(context), taken.signal]).toEqual([[], 'mine']);
  });

  it('tells what was thrown because of it', () => {
    const cancellation = new Cancellation('i1');
    const abort = Object.assign(new Error('x'), { name: 'AbortError' });
    expect(cancellation.explains(abort)).toBe(false);
    const { signal } = cancellation;
    cancellation.cancel();
    expect([abort, signal.reason, new Error('x')].map((thrown) => cancellation.explains(thrown))).toEqual([
      true,
      true,
      false,
    ]);
  });
});
