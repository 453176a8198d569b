import { describe, expect, it } from 'vitest';
import { describeValue } from './describe-value.ts';

describe('describeValue', () => {
  it.each([
    [null, 'null'],
    [undefined, 'undefined'],
    [[], 'an array'],
    [{}, 'an object'],
    [new Uint8Array(), 'bytes'],
    ['secret', 'a string'],
    [1, 'a number'],
    [() => {}, 'a function'],
  ])('names the kind of %s and not its content', (value, text) => {
    expect(describeValue(value)).toBe(text);
  });
});
