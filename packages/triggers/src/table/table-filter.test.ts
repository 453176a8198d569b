import { createSettingsView } from '@switchyard/model';
import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTableFilter, quoteText } from './table-filter.ts';

const scope = { clock: new VirtualClock(), random: createSeededRandom(1), functionName: 'Hello' };

function fill(text: string, data: Record<string, unknown> = {}): string {
  const filter = parseTableFilter(text, 'the filter', createSettingsView([['KIND', 'Book']]));
  return filter.resolve(new Map(Object.entries(data)), scope, (value) => new Error(`not there: ${value}`));
}

describe('parseTableFilter', () => {
  it.each([
    ["Name eq '{name}'", { name: 'Ann' }, "Name eq 'Ann'"],
    ["Name eq '{name}'", { name: "O'Hara" }, "Name eq 'O''Hara'"],
    ["Name eq '{name}'", { name: "' or 1 eq 1 or Name eq '" }, "Name eq ''' or 1 eq 1 or Name eq '''"],
    ["Name eq 'it''s {name}' and Age gt {age}", { name: 'x', age: 5 }, "Name eq 'it''s x' and Age gt 5"],
    ["Id eq guid'{id}'", { id: '1-2' }, "Id eq guid'1-2'"],
    ["Kind eq '%KIND%'", {}, "Kind eq 'Book'"],
    ["A eq '{{{name}}}'", { name: 'x' }, "A eq '{x}'"],
    ['Done eq {done}', { done: true }, 'Done eq True'],
  ])('fills %o with %o', (text, data, expected) => {
    expect(fill(text, data)).toBe(expected);
  });

  it.each(['1 or 1 eq 1', "'x'", '5)', '', "5'"])('refuses the value %o outside of quotes', (value) => {
    expect(() => fill('Age gt {age}', { age: value })).toThrow(`not there: ${value}`);
  });

  it('keeps any value within its quotes', () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        const filled = fill("A eq '{name}' and B eq 1", { name });
        const [, quoted = ''] = /^A eq '((?:[^']|'')*)' and B eq 1$/s.exec(filled) ?? [];
        expect(quoted.replaceAll("''", "'")).toBe(name);
      }),
    );
  });

  it('refuses what is no template, and misses values by name', () => {
    expect(() => fill('A eq {')).toThrow(/partner/);
    expect(() => fill('A eq {gone}')).toThrow(/gone/);
  });
});

describe('quoteText', () => {
  it('doubles quotes', () => {
    expect(quoteText("o'clock")).toBe("'o''clock'");
  });
});
