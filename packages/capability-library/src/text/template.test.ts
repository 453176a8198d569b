import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fillTemplate } from './template.ts';

test('fills in names, with spaces or without, as often as they stand there', () => {
  expect(fillTemplate('{{a}} and {{ b }} and {{a}}', { a: 'x', b: 2 })).toBe('x and 2 and x');
});

test('a value that looks like a placeholder is not filled in again', () => {
  expect(fillTemplate('{{a}}', { a: '{{b}}', b: 'secret' })).toBe('{{b}}');
});

test('names without a value of their own are refused, inherited ones among them', () => {
  for (const name of ['missing', '__proto__', 'constructor', 'toString', ''])
    expect(() => fillTemplate(`{{${name}}}`, { a: 1 })).toThrow(`it names '${name}'`);
  expect(() => fillTemplate('{{a}}', { a: { b: 1 } })).toThrow("it names 'a'");
});

test('doubled braces stand for themselves', () => {
  expect(fillTemplate('{{{{a}}}} {{a}}', { a: 'x' })).toBe('{{a}} x');
});

test.each([
  ['html', '<a href="x">&\'', '&lt;a href=&quot;x&quot;&gt;&amp;&#39;'],
  ['json', 'a"b\n', 'a\\"b\\n'],
  ['url', 'a b/ü', 'a%20b%2F%C3%BC'],
] as const)('escapes for %s', (escaping, value, escaped) => {
  expect(fillTemplate('[{{v}}]', { v: value }, escaping)).toBe(`[${escaped}]`);
});

test('escaped for HTML, no value can open a tag or end an attribute', () => {
  fc.assert(
    fc.property(fc.string(), (value) => {
      expect(fillTemplate('{{v}}', { v: value }, 'html')).not.toMatch(/[<>"']/);
    }),
  );
});

test('a template that grows without bound is refused', () => {
  const value = 'x'.repeat(1_000_000);
  expect(() => fillTemplate('{{v}}'.repeat(10), { v: value })).toThrow('comes to more than');
});
