import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatCsv, parseCsv } from './csv.ts';

test.each([
  ['', []],
  ['a', [['a']]],
  [
    'a,b\r\nc,d\r\n',
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
  ],
  [
    'a,\n,b',
    [
      ['a', ''],
      ['', 'b'],
    ],
  ],
  ['"a,""b""","c\r\nd"\n', [['a,"b"', 'c\r\nd']]],
  ['\uFEFFname\nx', [['name'], ['x']]],
  ['\n\n', [[''], ['']]],
  ['a,', [['a', '']]],
])('reads %j', (text, rows) => {
  expect(parseCsv(text)).toEqual(rows);
});

test.each([
  ['x\n"never', 'line 2'],
  ['"a"b', 'closing quote'],
  ['ab"c', 'without quotes'],
])('refuses %j and says where', (text, reason) => {
  expect(() => parseCsv(text)).toThrow(reason);
});

test('refuses a separator that could not be told from the rest', () => {
  expect(() => parseCsv('a', '"')).toThrow('must be one of');
  expect(() => formatCsv([['a']], '\n')).toThrow('must be one of');
});

test('reads back what it wrote, with every separator', () => {
  const field = fc.string({
    unit: fc.constantFrom('a', '"', ',', ';', '\t', '|', ':', '\n', '\r', ' ', 'ü', '\uFEFF'),
  });
  const rows = fc.array(fc.array(field, { minLength: 1 }));
  fc.assert(
    fc.property(rows, fc.constantFrom(',', ';', '\t', '|', ':'), (written, separator) => {
      expect(parseCsv(formatCsv(written, separator), separator)).toEqual(written);
    }),
  );
});
