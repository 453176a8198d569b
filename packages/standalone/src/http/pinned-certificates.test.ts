import { describe, expect, it } from 'vitest';
import { PinnedCertificates } from './pinned-certificates.ts';

describe('PinnedCertificates', () => {
  it('believe one certificate at each place, until they are told to forget that very one', () => {
    const pinned = new PinnedCertificates();
    const forgetFirst = pinned.trust(['https://far:1', 'https://far:2'], 'first');
    expect(pinned.at('https://far:1')).toMatchObject({ ca: 'first' });
    const forgetSecond = pinned.trust(['https://far:1'], 'second');
    forgetFirst();
    expect([pinned.at('https://far:1')?.ca, pinned.at('https://far:2')]).toEqual(['second', undefined]);
    forgetSecond();
    expect(pinned.at('https://far:1')).toBeUndefined();
  });

  it('tell whoever watches of what is believed already and of what changes', () => {
    const pinned = new PinnedCertificates();
    pinned.set('https://far:1', 'first');
    const heard: unknown[] = [];
    const leave = pinned.watch((...change) => heard.push(change));
    pinned.set('https://far:2', 'second');
    pinned.clear();
    leave();
    pinned.set('https://far:3', 'third');
    expect(heard).toEqual([
      ['https://far:1', 'first'],
      ['https://far:2', 'second'],
      ['https://far:1', undefined],
      ['https://far:2', undefined],
    ]);
  });
});
