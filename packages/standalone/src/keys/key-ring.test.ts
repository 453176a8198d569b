import { describe, expect, it } from 'vitest';
import { createKeyRing } from './key-ring.ts';

describe('createKeyRing', () => {
  const ring = createKeyRing();
  ring.add('master', 'admin');
  ring.add('host', 'function');
  ring.add('events', 'system');
  ring.add('own', 'function', 'Hello');

  it.each([
    ['master', 'Hello', 'admin'],
    ['host', 'Hello', 'function'],
    ['host', 'Other', 'function'],
    ['events', 'Other', 'system'],
    ['own', 'hello', 'function'],
    ['own', 'Other', undefined],
    ['Own', 'Hello', undefined],
    ['', 'Hello', undefined],
    ['wrong', 'Hello', undefined],
  ])('%j on %s opens %s', (key, functionName, level) => {
    expect(ring.levelOf(key, functionName)).toBe(level);
  });

  it('gives the highest level when one key has several', () => {
    const twice = createKeyRing();
    twice.add('same', 'function');
    twice.add('same', 'admin');
    expect(twice.levelOf('same', 'Hello')).toBe('admin');
  });
});
