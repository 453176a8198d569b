import fc from 'fast-check';
import { expect, test } from 'vitest';
import { maxTokens, ngramVector, tokenise } from './tokenise.ts';

test('tells words, numbers and the rest apart', () => {
  const { tokens } = tokenise("It's 3.5 °C in Zürich – brrr!");
  expect(tokens.map(({ text, kind }) => `${kind}:${text}`)).toEqual([
    "word:It's",
    'number:3.5',
    'other:°',
    'word:C',
    'word:in',
    'word:Zürich',
    'other:–',
    'word:brrr',
    'other:!',
  ]);
});

test('every token stands where it says, and only spaces lie between', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      let position = 0;
      for (const token of tokenise(text).tokens) {
        expect(text.slice(token.start, token.start + token.text.length)).toBe(token.text);
        expect(text.slice(position, token.start).trim()).toBe('');
        position = token.start + token.text.length;
      }
      expect(text.slice(position).trim()).toBe('');
    }),
  );
});

test('gives up at the limit and says so', () => {
  const { tokens, truncated } = tokenise('a '.repeat(maxTokens + 1));
  expect([tokens.length, truncated]).toEqual([maxTokens, true]);
});

test('n-gram counts add up to one, whatever the text, unless there are none', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 4 }), (text, size) => {
      const sum = ngramVector(text, size, 64).reduce((total, count) => total + count, 0);
      expect(Math.abs(sum - 1) < 1e-9 || sum === 0).toBe(true);
    }),
  );
  expect(ngramVector('aaa', 1, 8)).toEqual(ngramVector('AAA!!', 1, 8));
});
