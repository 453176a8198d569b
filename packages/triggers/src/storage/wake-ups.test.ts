import { describe, expect, it } from 'vitest';
import { WakeUps } from './wake-ups.ts';

describe('WakeUps', () => {
  it('I1: wakes the waiters of the key and no others, until they unsubscribe', () => {
    const wakeUps = new WakeUps();
    const woken: string[] = [];
    const stop = wakeUps.subscribe('orders', () => woken.push('a'));
    wakeUps.subscribe('orders', () => woken.push('b'));
    wakeUps.subscribe('bills', () => woken.push('c'));
    wakeUps.notify('orders');
    stop();
    stop();
    wakeUps.notify('orders');
    wakeUps.notify('nobody');
    expect(woken).toEqual(['a', 'b', 'b']);
  });

  it('I1: a late second unsubscription takes nothing from a newer waiter', () => {
    const wakeUps = new WakeUps();
    const woken: string[] = [];
    const stop = wakeUps.subscribe('orders', () => woken.push('old'));
    stop();
    wakeUps.subscribe('orders', () => woken.push('new'));
    stop();
    wakeUps.notify('orders');
    expect(woken).toEqual(['new']);
  });
});
