import { describe, expect, it } from 'vitest';
import { checkFunctionName, toFunctionId } from './function-name.ts';

describe('checkFunctionName', () => {
  it.each(['a', 'Hello', 'hello-world_2', 'A'.repeat(128)])('takes %s', (name) => {
    expect(() => checkFunctionName(name, 'w')).not.toThrow();
  });

  it.each(['', '1a', '-a', 'a b', 'a.b', 'ä', 'A'.repeat(129), 'host', 'HOST', '../x', '__proto__'])(
    'refuses %s',
    (name) => {
      expect(() => checkFunctionName(name, 'function.json')).toThrow('cannot be the name of a function');
    },
  );
});

describe('toFunctionId', () => {
  it('is a UUID that depends on the name alone, whatever its case', () => {
    expect(toFunctionId('Hello')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(toFunctionId('hello')).toBe(toFunctionId('HELLO'));
    expect(toFunctionId('hello')).not.toBe(toFunctionId('hello2'));
  });
});
