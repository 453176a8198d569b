import { describe, expect, it } from 'vitest';
import { QueueSignals } from './queue-signals.ts';

describe('QueueSignals', () => {
  it('I1: wakes the listeners of the queue and no others, until they unsubscribe', () => {
    const signals = new QueueSignals();
    const woken: string[] = [];
    const stop = signals.subscribe('account', 'orders', () => woken.push('a'));
    signals.subscribe('account', 'orders', () => woken.push('b'));
    signals.subscribe('account', 'bills', () => woken.push('c'));
    signals.subscribe('other', 'orders', () => woken.push('d'));
    signals.notify('account', 'orders');
    stop();
    stop();
    signals.notify('account', 'orders');
    signals.notify('account', 'nobody');
    expect(woken).toEqual(['a', 'b', 'b']);
  });
});
