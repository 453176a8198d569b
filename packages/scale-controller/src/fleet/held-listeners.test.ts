import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { HeldListeners } from './held-listeners.ts';

const orders = { applicationId: 'shop', functionName: 'orders', epoch: 1 };

describe('HeldListeners', () => {
  it('I1: the time counts from before the report, also when the answer comes late', async () => {
    const clock = new VirtualClock();
    const held = new HeldListeners(clock);
    const heard: string[] = [];
    held.watch((applicationId) => heard.push(applicationId));
    const sentMs = clock.monotonic();
    await clock.advance(600);
    held.adopt({ grants: [orders], sequence: 1 }, sentMs, 1_000);
    await clock.advance(399);
    expect([held.mayListen('shop', 'orders'), held.mayListen('shop', 'mails')]).toEqual([true, false]);
    await clock.advance(1);
    expect([held.mayListen('shop', 'orders'), heard]).toEqual([false, ['shop', 'shop']]);
    held.adopt({ grants: [orders], sequence: 2 }, clock.monotonic() - 1_000, 1_000);
    expect([held.mayListen('shop', 'orders'), held.adopted]).toEqual([false, 2]);
  });

  it('I2: an old answer that comes after a newer one changes nothing', async () => {
    const clock = new VirtualClock();
    const held = new HeldListeners(clock);
    await clock.advance(100);
    held.adopt({ grants: [orders], sequence: 2 }, 100, 1_000);
    held.adopt({ grants: [], sequence: 1 }, 100, 1_000);
    expect(held.mayListen('shop', 'orders')).toBe(true);
    held.close();
    expect([held.mayListen('shop', 'orders'), clock.pendingTimers]).toEqual([false, 0]);
  });
});
