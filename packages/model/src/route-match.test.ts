import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchRoute } from './route-match.ts';
import { parseRouteTemplate } from './route-template.ts';

function match(template: string, path: string): Record<string, string | undefined> | undefined {
  const params = matchRoute(parseRouteTemplate(template), path);
  return params === undefined ? undefined : Object.fromEntries(params);
}

describe('matchRoute', () => {
  it.each([
    ['', '/', {}],
    ['hello', '/hello', {}],
    ['hello', '/HELLO/', {}],
    ['a/b', '/a/b', {}],
    ['caf\u00e9', '/caf%C3%A9', {}],
    ['{id}', '/42', { id: '42' }],
    ['{id}', '/a%20b', { id: 'a b' }],
    ['{id}', '/a%2Fb', { id: 'a%2Fb' }],
    ['{id}', '/a+b', { id: 'a+b' }],
    ['a/{x?}', '/a', { x: undefined }],
    ['a/{x?}', '/a/', { x: undefined }],
    ['a/{x?}', '/a/1', { x: '1' }],
    ['a/{x=7}', '/a', { x: '7' }],
    ['a/{x:int?}', '/a', { x: undefined }],
    ['a/{x:int=5}', '/a', { x: '5' }],
    ['{a?}/{b?}', '/', { a: undefined, b: undefined }],
    ['{*rest}', '/', { rest: undefined }],
    ['f/{*rest}', '/f', { rest: undefined }],
    ['f/{*rest}', '/f/a/b.txt', { rest: 'a/b.txt' }],
    ['f/{*rest}', '/f/a/b/', { rest: 'a/b/' }],
    ['f/{*rest}', '/f/a//b', { rest: 'a//b' }],
    ['f/{*rest=all}', '/f', { rest: 'all' }],
    ['{file}.{ext?}', '/a.b.txt', { file: 'a.b', ext: 'txt' }],
    ['{file}.{ext?}', '/readme', { file: 'readme', ext: undefined }],
    ['{a}-{b}', '/1-2-3', { a: '1-2', b: '3' }],
    ['a{b}c', '/AxC', { b: 'x' }],
    ['v{major}.{minor}', '/v1.2', { major: '1', minor: '2' }],
    ['{a}x{b}', '/xxx', { a: 'x', b: 'x' }],
    ['{id:int}-{slug}', '/5-five', { id: '5', slug: 'five' }],
  ])('%s takes %s', (template, path, expected) => {
    expect(match(template, path)).toEqual(expected);
  });

  it.each([
    ['', '/a'],
    ['hello', '/'],
    ['hello', '/hello/world'],
    ['hello', '/hell'],
    ['a/b', '/a'],
    ['a/b', '/a//b'],
    ['{id}', '/'],
    ['{id}', '//'],
    ['{id}', '/a/b'],
    ['{id:int}', '/x'],
    ['{id:int}', '/99999999999'],
    ['{x:int=z}', '/'],
    ['{*rest:int}', '/'],
    ['f/{*rest}', '/f//a'],
    ['f/{*rest}', '/g/a'],
    ['{file}.{ext?}', '/readme.'],
    ['{a}-{b}', '/1-'],
    ['{a}-{b}', '/-2'],
    ['a{b}c', '/ac'],
    ['a{b}c', '/axcx'],
    ['{id:int}-{slug}', '/x-five'],
    ['{id}', '/a%00'],
  ])('%s does not take %s', (template, path) => {
    expect(match(template, path)).toBeUndefined();
  });

  it('gives back the values that a path was made of', () => {
    const value = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((text) => !/[/\0]/.test(text) && !/^\.{1,2}$/.test(text) && !/%2f/i.test(text));
    fc.assert(
      fc.property(value, value, (a, b) => {
        const path = `/orders/${encodeURIComponent(a)}/lines/${encodeURIComponent(b)}`;
        expect(match('orders/{a}/lines/{b}', path)).toEqual({ a, b });
      }),
    );
  });

  it('agrees with a regular expression on mixed segments', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '-', '.', 'b'), maxLength: 10 });
    fc.assert(
      fc.property(text, (segment) => {
        const found = /^(.+)-(.+)$/.exec(segment);
        const expected = found === null || /^\.{1,2}$/.test(segment) ? undefined : { a: found[1], b: found[2] };
        expect(match('{a}-{b}', `/${segment}`)).toEqual(expected);
      }),
    );
  });

  it('answers any path', () => {
    const templates = ['', 'a/{b?}', '{a}.{b?}', '{*rest}', 'x{y}z', '{a:int}/{b:guid=0}'].map(parseRouteTemplate);
    fc.assert(
      fc.property(
        fc.constantFrom(...templates),
        fc.webPath(),
        fc.string({ unit: 'binary' }),
        (template, path, garbage) => {
          matchRoute(template, path);
          const params = matchRoute(template, garbage);
          expect(params === undefined || params.size === template.parameters.length).toBe(true);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
