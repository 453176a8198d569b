import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBinding, createScope } from '../testing/scope.ts';
import { type BlobPattern, parseBlobPattern } from './blob-pattern.ts';

function parse(path: unknown, settings: Record<string, string> = {}): BlobPattern {
  return parseBlobPattern(createBinding({ name: 'blob', type: 'blobTrigger', path }), createScope({ settings }));
}

function capture(path: string, blob: string): Record<string, string> | undefined {
  const captures = parse(path).match(blob);
  return captures === undefined ? undefined : Object.fromEntries(captures);
}

describe('parseBlobPattern', () => {
  it.each([
    ['images/{name}', 'a.png', { name: 'a.png' }],
    ['images/{name}', '2024/a.png', { name: '2024/a.png' }],
    ['images/{name}.{ext}', 'a.b.png', { name: 'a.b', ext: 'png' }],
    ['images/{year}/{name}', '2024/01/a.png', { year: '2024/01', name: 'a.png' }],
    ['images/in/{name}.txt', 'in/a.txt', { name: 'a' }],
    ['images/{name}.txt', '.txt', { name: '' }],
    ['images/{a}{b}', 'xyz', { a: 'xyz', b: '' }],
    ['images/{a}/{a}', '1/2', { a: '2' }],
    ['images/{name:N}', 'x', { name: 'x' }],
    ['images/{{{name}}}', '{x}', { name: 'x' }],
    ['images', 'any/thing', {}],
    ['images/fixed.txt', 'fixed.txt', {}],
    ['images/{__proto__}', 'x', JSON.parse('{"__proto__":"x"}')],
  ])('%o captures of %o', (path, blob, expected) => {
    expect(capture(path, blob)).toEqual(expected);
  });

  it.each([
    ['images/{name}.txt', 'a.png'],
    ['images/{name}.txt', 'txt'],
    ['images/in/{name}', 'out/a'],
    ['images/fixed.txt', 'fixed.txt2'],
    ['images/{a}-{b}', 'ab'],
    ['images/ab{x}ba', 'aba'],
    ['images/{name}.TXT', 'a.txt'],
  ])('%o does not match %o', (path, blob) => {
    expect(capture(path, blob)).toBeUndefined();
  });

  it('captures what the official expression captures, of any text', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.', '-'), maxLength: 12 });
    const literals = fc.array(fc.string({ unit: fc.constantFrom('a', '.', '/'), maxLength: 2 }), {
      minLength: 2,
      maxLength: 4,
    });
    fc.assert(
      fc.property(literals, letters, (parts, blob) => {
        const names = parts.slice(1).map((_, index) => `p${index}`);
        const pattern = parts.map((part, index) => `${index === 0 ? '' : `{${names[index - 1]}}`}${part}`).join('');
        const escaped = parts.map((part) => part.replaceAll('.', '\\.'));
        const expression = new RegExp(
          `^${escaped.map((part, index) => `${index === 0 ? '' : `(?<${names[index - 1]}>.*)`}${part}`).join('')}$`,
        );
        const expected = expression.exec(blob)?.groups;
        expect(capture(`images/${pattern}`, blob)).toEqual(expected === undefined ? undefined : { ...expected });
      }),
      { numRuns: 2_000 },
    );
  });

  it('answers at once whatever a blob is called', () => {
    const path = `images/${Array.from({ length: 60 }, (_, index) => `{p${index}}-`).join('')}x`;
    expect(capture(path, '-'.repeat(1_024))).toBeUndefined();
  });

  it('fills in settings', () => {
    const pattern = parse('%CONTAINER%/{name}', { CONTAINER: 'images' });
    expect([pattern.container, pattern.text]).toEqual(['images', 'images/{name}']);
  });

  it.each([
    [undefined, /Hello.*'blob'.*"path" is missing/],
    [5, /"path" is 5/],
    ['{container}/{name}', /container must be named/],
    ['No_Container/{name}', /'No_Container' is no name of a container/],
    ['images/', /nothing follows the slash/],
    ['images/{a.b}', /captures nothing/],
    ['images/{rand-guid}', /captures nothing/],
    ['images/{name', /has no partner/],
    ['images/a\\b', /backslash/],
  ])('refuses %o and says why', (path, message) => {
    expect(() => parse(path)).toThrow(message);
  });
});
