import { describe, expect, it } from 'vitest';
import { createKeyRing } from './key-ring.ts';

describe('createKeyRing', () => {
  const ring = createKeyRing([
    { key: 'master', level: 'admin', name: 'master' },
    { key: 'host', level: 'function', name: 'default' },
    { key: 'events', level: 'system', name: 'eventgrid_extension' },
    { key: 'own', level: 'function', name: 'mine', functionName: 'Hello' },
  ]);

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
    const twice = createKeyRing([
      { key: 'same', level: 'function', name: 'default' },
      { key: 'same', level: 'admin', name: 'master' },
    ]);
    expect(twice.levelOf('same', 'Hello')).toBe('admin');
  });

  it('knows the names of keys', () => {
    expect([ring.nameOf('own', 'hello'), ring.nameOf('own', 'Other'), ring.nameOf('host', 'Other')]).toEqual([
      'mine',
      undefined,
      'default',
    ]);
  });

  it('forgets what it is not given again', () => {
    const changed = createKeyRing([{ key: 'old', level: 'admin', name: 'master' }]);
    changed.replace([{ key: 'new', level: 'admin', name: 'master' }]);
    expect([changed.levelOf('old', 'Hello'), changed.levelOf('new', 'Hello')]).toEqual([undefined, 'admin']);
  });
});
