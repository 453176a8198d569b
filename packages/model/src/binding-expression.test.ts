import { isPlatformError } from '@switchyard/kernel';
import { createSeededRandom } from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ExpressionScope, parseBindingExpression } from './binding-expression.ts';
import { createSettingsView } from './settings.ts';

const now = Date.parse('2024-03-05T15:04:09Z');
const guid = createSeededRandom(1).uuid();
const scope = (): ExpressionScope => ({
  clock: { now: () => now },
  random: createSeededRandom(1),
  functionName: 'Hello',
});

const data = new Map<string, unknown>([
  ['Id', 42],
  ['name', 'blob.txt'],
  ['order', { Customer: { city: 'Ulm' }, lines: [1], 'with-dash': 'd' }],
  ['InsertionTime', new Date(now)],
  ['flag', true],
  ['big', 2n ** 60n],
  ['nothing', null],
]);

const resolve = (text: string): string => parseBindingExpression(text, 'the path of Hello').resolve(data, scope());

describe('parseBindingExpression', () => {
  it.each([
    ['plain', 'plain'],
    ['', ''],
    ['a/{name}/b-{id}', 'a/blob.txt/b-42'],
    ['{NAME}', 'blob.txt'],
    ['{order.customer.CITY}', 'Ulm'],
    ['{order.with-dash}', 'd'],
    ['{flag}', 'True'],
    ['{big}', String(2n ** 60n)],
    ['{{literal}} {id}', '{literal} 42'],
    ['{InsertionTime}', '2024-03-05T15-04-09Z'],
    ['{InsertionTime:yyyy-MM}', '2024-03'],
    ['{name:yyyy}', 'blob.txt'],
    ['{id:D5} {id:000} {id:x} {id:X4}', '00042 042 2a 002A'],
    ['{id:N2} {id:#,##0.0} {id:P0} {id:0 of "it"}', '42.00 42.0 4,200 % 42 of it'],
    ['{datetime}', '2024-03-05T15-04-09Z'],
    ['{DateTime:yyyyMMdd}', '20240305'],
    ['{rand-guid}', guid],
    ['{rand-guid:N}', guid.replaceAll('-', '')],
    ['{rand-guid:B}', `{${guid}}`],
    ['{sys.MethodName} {sys.UtcNow:HH-mm}', 'Hello 15-04'],
    ['{SYS.randguid:P}', `(${guid})`],
  ])('%j', (text, expected) => {
    expect(resolve(text)).toBe(expected);
  });

  it('writes a GUID in every format of .NET', () => {
    const byFormat = ['D', 'n', 'B', 'P', 'X'].map((format) => resolve(`{rand-guid:${format}}`));
    const [hyphens = '', digits, braces, parentheses, hexadecimal = ''] = byFormat;
    expect(hyphens).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect([digits, braces, parentheses]).toEqual([hyphens.replaceAll('-', ''), `{${hyphens}}`, `(${hyphens})`]);
    expect(hexadecimal).toMatch(/^\{0x[0-9a-f]{8},0x[0-9a-f]{4},0x[0-9a-f]{4},\{(0x[0-9a-f]{2},){7}0x[0-9a-f]{2}\}\}$/);
    expect(hexadecimal.replace(/0x|[{},]/g, '')).toBe(digits);
  });

  it('makes a new GUID each time, and reads the time of the resolution', () => {
    const expression = parseBindingExpression('{rand-guid}/{DateTime:yyyy-MM-dd}/{sys.utcnow:HH}', 'w');
    const ongoing = scope();
    const [first = '', second = ''] = [expression.resolve(data, ongoing), expression.resolve(data, ongoing)];
    expect(first).not.toBe(second);
    expect([first, second].map((text) => text.slice(36))).toEqual(['/2024-03-05/15', '/2024-03-05/15']);
  });

  it('lets binding data win over what is built in', () => {
    const own = new Map<string, unknown>([
      ['datetime', 'mine'],
      ['sys', { MethodName: 'theirs' }],
    ]);
    expect(parseBindingExpression('{datetime}/{sys.methodname}', 'w').resolve(own, scope())).toBe('mine/theirs');
  });

  it('replaces settings first, and those may hold expressions', () => {
    const settings = createSettingsView([['Container', 'in-{id}']]);
    const expression = parseBindingExpression('%container%/{name}', 'w', settings);
    expect(expression.text).toBe('in-{id}/{name}');
    expect(expression.parameters).toEqual(['id', 'name']);
    expect(expression.resolve(data, scope())).toBe('in-42/blob.txt');
    expect(() => parseBindingExpression('%None%', 'w', settings)).toThrow('app setting "None"');
  });

  it.each([
    ['{', 'position 1: a "{" has no partner'],
    ['a}b', 'position 2: a "}" has no partner'],
    ['{}', 'no name stands between the braces'],
    ['{a b}', '"a b" is no name'],
    ['{a..b}', '"a..b" is no name'],
    ['{1a}', '"1a" is no name'],
    ['{my-name}', '"my-name" is no name'],
    ['{:x}', '":x" is no name'],
    ['{{{a}', undefined],
  ])('%j is refused with its place', (text, message) => {
    if (message === undefined) expect(parseBindingExpression(text, 'w').parameters).toEqual(['a']);
    else expect(() => parseBindingExpression(text, 'the path of Hello')).toThrow(message);
  });

  it.each([
    ['{missing}', 'EXPRESSION_VALUE_MISSING', "No value for named parameter 'missing'"],
    ['{nothing}', 'EXPRESSION_VALUE_MISSING', 'Id, name, order'],
    ['{order.none}', 'EXPRESSION_VALUE_MISSING', "'order.none'"],
    ['{name.length}', 'EXPRESSION_VALUE_MISSING', "'name.length'"],
    ['{order.constructor}', 'EXPRESSION_VALUE_MISSING', "'order.constructor'"],
    ['{sys.Other}', 'EXPRESSION_VALUE_MISSING', "'sys.Other'"],
    ['{order}', 'EXPRESSION_VALUE_UNUSABLE', '"order" is an object'],
    ['{order.lines}', 'EXPRESSION_VALUE_UNUSABLE', '"order.lines" is an array'],
    ['{id:Q}', 'EXPRESSION_FORMAT_INVALID', 'the format "Q"'],
    ['{InsertionTime:Q}', 'EXPRESSION_FORMAT_INVALID', 'the format "Q"'],
    ['{rand-guid:Z}', 'EXPRESSION_FORMAT_INVALID', 'the format "Z"'],
  ])('%s fails with %s', (text, code, message) => {
    try {
      resolve(text);
      expect.unreachable();
    } catch (thrown) {
      expect(isPlatformError(thrown) && thrown.code).toBe(code);
      expect(String(thrown)).toContain(message);
      expect(String(thrown)).toContain('the path of Hello');
    }
  });

  it('gives back any literal whose braces are doubled', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const escaped = text.replaceAll('{', '{{').replaceAll('}', '}}');
        expect(parseBindingExpression(escaped, 'w').resolve(new Map(), scope())).toBe(text);
      }),
    );
  });

  it('answers any template with a text or a catalogued error', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom('{', '}', 'i', 'd', ':', '.', '-', 'x', '%') }),
    );
    fc.assert(
      fc.property(text, (template) => {
        try {
          expect(typeof resolve(template)).toBe('string');
        } catch (thrown) {
          expect(isPlatformError(thrown)).toBe(true);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
