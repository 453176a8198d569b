import { describe, expect, it } from 'vitest';
import { isQueueName, poisonQueueName } from './queue-name.ts';

describe('isQueueName', () => {
  it.each(['abc', 'a-b-c', '123', 'a'.repeat(63)])('takes %o', (name) => {
    expect(isQueueName(name)).toBe(true);
  });

  it.each(['', 'ab', 'a'.repeat(64), 'Abc', 'a--b', '-abc', 'abc-', 'a_b', 'a.b', 'äbc', 'abc\n', '{id}'])(
    'refuses %o',
    (name) => {
      expect(isQueueName(name)).toBe(false);
    },
  );
});

describe('poisonQueueName', () => {
  it('adds the suffix where it fits', () => {
    expect(poisonQueueName('orders')).toBe('orders-poison');
    expect(poisonQueueName('a'.repeat(56))).toBe(`${'a'.repeat(56)}-poison`);
    expect(poisonQueueName('a'.repeat(57))).toBeUndefined();
  });

  it('gives a poison queue none of its own', () => {
    expect(poisonQueueName('orders-poison')).toBeUndefined();
  });
});
