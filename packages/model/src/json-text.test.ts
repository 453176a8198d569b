import { isPlatformError } from '@switchyard/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isJsonObject, parseJsonText, readKey } from './json-text.ts';

const parse = (text: string): unknown => parseJsonText(text, 'host.json');

describe('parseJsonText', () => {
  it('reads what JSON.stringify writes, indented or not', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2, '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each([
    ['{"a": 1, // one\n "b": /* two */ 2,}', { a: 1, b: 2 }],
    ['[1, 2, /**/ ]', [1, 2]],
    ["{'a': 'it\\'s'}", { a: "it's" }],
    ['\uFEFF{"a":true}', { a: true }],
    ['{"url": "http://x/*y*/"}', { url: 'http://x/*y*/' }],
    ['// only\nnull// end', null],
    ['"\\u00e9\\n\\\\"', 'é\n\\'],
    ['{"a":1,"a":2}', { a: 2 }],
    ['-1.5e+2', -150],
  ])('tolerates what people write: %s', (text, expected) => {
    expect(parse(text)).toEqual(expected);
  });

  it.each([
    ['', 'a value should stand', 1, 1],
    ['{"a": }', 'texts need quotes', 1, 7],
    ['{\n  "a": 1\n  "b": 2\n}', '"," or "}"', 3, 3],
    ['{a: 1}', 'a key in quotes', 1, 2],
    ['[1 2]', '"," or "]"', 1, 4],
    ['{"a": 1} x', 'behind its end', 1, 10],
    ['{"a": "open}', 'does not end', 1, 13],
    ['"a\nb"', 'does not end on its line', 1, 3],
    ['{"a" 1}', '":" should stand', 1, 6],
    ['"\\x"', 'no escape', 1, 3],
    ['"\\u12G4"', 'four hexadecimal', 1, 3],
    ['/* open', 'a comment does not end', 1, 1],
    ['undefined', 'texts need quotes', 1, 1],
    ['01', 'behind its end', 1, 2],
    ['[,]', 'texts need quotes', 1, 2],
  ])('names the place of the fault in %j', (text, problem, line, column) => {
    const error = catchError(() => parse(text));
    expect(error.code).toBe('JSON_INVALID');
    expect(error.message).toContain(problem);
    expect(error.message).toContain('host.json');
    expect(error.details).toMatchObject({ line, column });
  });

  it('never quotes the text, which may hold a secret', () => {
    expect(catchError(() => parse('{"Values": {"Key": hunter2secret}}')).message).not.toContain('hunter2');
  });

  it('refuses to nest without end', () => {
    expect(catchError(() => parse('['.repeat(100_000))).message).toContain('deeper than 64');
    expect(parse(`${'['.repeat(64)}${']'.repeat(64)}`)).toBeInstanceOf(Array);
  });

  it('keeps a hostile key as a plain key', () => {
    const value = parse('{"__proto__": {"polluted": true}, "constructor": 1}');
    expect(isJsonObject(value) && Object.keys(value)).toEqual(['__proto__', 'constructor']);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  it('answers any text with a value or a JSON_INVALID', () => {
    const fragment = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      "'",
      ':',
      ',',
      '//',
      '/*',
      '*/',
      '\\',
      '\n',
      'true',
      '1',
      '-',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fragment).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (garbage) => {
        try {
          parse(garbage);
        } catch (thrown) {
          expect(isPlatformError(thrown) && thrown.code).toBe('JSON_INVALID');
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('readKey', () => {
  it('prefers the exact spelling, then takes any case, and never looks at the prototype', () => {
    expect(readKey({ Name: 1, name: 2 }, 'name')).toBe(2);
    expect(readKey({ NAME: 1 }, 'name')).toBe(1);
    expect(readKey({}, 'constructor')).toBeUndefined();
    expect(readKey({}, 'toString')).toBeUndefined();
  });
});

function catchError(action: () => unknown) {
  try {
    action();
  } catch (thrown) {
    if (isPlatformError(thrown)) return thrown;
    throw thrown;
  }
  throw new Error('nothing was thrown');
}
