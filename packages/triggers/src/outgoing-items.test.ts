import { describe, expect, it } from 'vitest';
import { toOutgoingBytes, toOutgoingItems } from './outgoing-items.ts';
import { toTypedData } from './typed-data.ts';

describe('toOutgoingItems', () => {
  it.each([
    ['text', ['text']],
    ['[1,{"a":2}]', [1, { a: 2 }]],
    ['[not json', ['[not json']],
    [{ a: 1 }, [{ a: 1 }]],
    [
      [{ a: 1 }, 'b'],
      [{ a: 1 }, 'b'],
    ],
    [null, []],
  ])('of %j are %j', (value, items) => {
    expect(toOutgoingItems(toTypedData(value))).toEqual(items);
  });
});

describe('toOutgoingBytes', () => {
  it.each([
    ['text', 'text'],
    [Buffer.from('bytes'), 'bytes'],
    [{ a: 1 }, '{"a":1}'],
    [null, 'null'],
  ])('of %j are %j', (item, text) => {
    expect(Buffer.from(toOutgoingBytes(item)).toString()).toBe(text);
  });
});
