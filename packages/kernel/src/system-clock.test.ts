import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from './system-clock.ts';

const maxNativeDelayMs = 2 ** 31 - 1;
const day = 86_400_000;

describe('systemClock', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('tells the time and a duration', () => {
    const before = systemClock.monotonic();
    vi.setSystemTime(1_700_000_000_000);
    expect(systemClock.now()).toBe(1_700_000_000_000);
    vi.advanceTimersByTime(250);
    expect(systemClock.now()).toBe(1_700_000_000_250);
    expect(systemClock.monotonic() - before).toBeGreaterThanOrEqual(250);
  });

  it('never asks for a native delay beyond the limit, and still waits the whole time', () => {
    const native = vi.spyOn(globalThis, 'setTimeout');
    let ran = 0;
    systemClock.schedule(60 * day, () => {
      ran += 1;
    });
    vi.advanceTimersByTime(60 * day - 1);
    expect(ran).toBe(0);
    vi.advanceTimersByTime(1);
    expect(ran).toBe(1);
    vi.advanceTimersByTime(60 * day);
    expect(ran).toBe(1);
    const delays = native.mock.calls.map(([, delayMs]) => delayMs ?? 0);
    expect(delays).toHaveLength(3);
    expect(Math.max(...delays)).toBe(maxNativeDelayMs);
    native.mockRestore();
  });

  it('runs a delay of exactly the limit in one slice', () => {
    let ran = 0;
    systemClock.schedule(maxNativeDelayMs, () => {
      ran += 1;
    });
    vi.advanceTimersByTime(maxNativeDelayMs);
    expect(ran).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([0, -5])('runs a delay of %s on the next turn', (delayMs) => {
    let ran = 0;
    systemClock.schedule(delayMs, () => {
      ran += 1;
    });
    expect(ran).toBe(0);
    vi.advanceTimersByTime(0);
    expect(ran).toBe(1);
  });

  it('cancels in a later slice too', () => {
    let ran = 0;
    const timer = systemClock.schedule(60 * day, () => {
      ran += 1;
    });
    vi.advanceTimersByTime(30 * day);
    timer.cancel();
    vi.advanceTimersByTime(60 * day);
    expect(ran).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not keep the process alive', () => {
    vi.useRealTimers();
    const handle = vi.spyOn(globalThis, 'setTimeout');
    const timer = systemClock.schedule(1_000_000, () => {});
    const native = handle.mock.results[0]?.value as NodeJS.Timeout;
    expect(native.hasRef()).toBe(false);
    timer.cancel();
    handle.mockRestore();
  });
});
