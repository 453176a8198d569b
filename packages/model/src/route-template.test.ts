import { isPlatformError } from '@switchyard/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRouteTemplate, type RouteSegment } from './route-template.ts';

/** A short way to write what was parsed. */
function describeSegment(segment: RouteSegment): string {
  switch (segment.kind) {
    case 'literal':
      return segment.text;
    case 'mixed': {
      const parts = segment.parts.map((part) => (part.kind === 'literal' ? part.text : `<${part.parameter.name}>`));
      return parts.join('') + (segment.optionalTail ? '?' : '');
    }
    default: {
      const { name, optional, fallback, constraints } = segment.parameter;
      const policies = constraints.map(({ text }) => `:${text}`).join('');
      const tail = (optional ? '?' : '') + (fallback === undefined ? '' : `=${fallback}`);
      return `<${segment.kind === 'catchAll' ? '*' : ''}${name}${policies}${tail}>`;
    }
  }
}

describe('parseRouteTemplate', () => {
  it.each([
    ['', ''],
    ['hello', 'hello'],
    ['/hello/', 'hello'],
    ['~/hello', 'hello'],
    ['orders/{id}', 'orders|<id>'],
    ['orders/{id:int}/{part?}', 'orders|<id:int>|<part?>'],
    ['{page:int=1}', '<page:int=1>'],
    ['{x=def=ault}', '<x=def=ault>'],
    ['{x=}', '<x=>'],
    ['{*rest}', '<*rest>'],
    ['files/{**rest:minlength(2)}', 'files|<*rest:minlength(2)>'],
    ['{id:int:min(1):max(9)?}', '<id:int:min(1):max(9)?>'],
    ['{x:regex(^\\d{{3}}$)}', '<x:regex(^\\d{3}$)>'],
    ['{x:regex(a:b=c)}', '<x:regex(a:b=c)>'],
    ['{x:length(1,3)=ab}', '<x:length(1,3)=ab>'],
    ['{file}.{ext?}', '<file>.<ext>?'],
    ['a{b}c', 'a<b>c'],
    ['{a}-{b}.json', '<a>-<b>.json'],
    ['{{literal}}', '{literal}'],
    ['a{{b}}{c}', 'a{b}<c>'],
    ['{:odd}', '<:odd>'],
    ['my file', 'my file'],
  ])('%s', (text, expected) => {
    expect(parseRouteTemplate(text).segments.map(describeSegment).join('|')).toBe(expected);
  });

  it('ranks segments as ASP.NET does', () => {
    expect(parseRouteTemplate('a/{b:int}/{c}/x{d}/{*e:int}').precedence).toEqual([1, 2, 3, 2, 4]);
    expect(parseRouteTemplate('{*e}').precedence).toEqual([5]);
  });

  it.each([
    ['a//b', 3, 'two slashes follow one another'],
    ['//a', 2, 'two slashes'],
    ['~a', 1, 'only a "/" may follow a "~"'],
    ['a/{id', 3, 'a "{" is never closed'],
    ['a}', 2, 'a "}" has no "{"'],
    ['a/{}', 3, '"" is no name of a parameter'],
    ['{a/b}', 1, '"a/b" is no name'],
    ['{a*}', 1, '"a*" is no name'],
    ['{?}', 1, '"" is no name'],
    ['{id}/{ID}', 6, 'the parameter "ID" stands twice'],
    ['{*rest}/x', 9, 'nothing may follow a catch-all'],
    ['{*rest?}', 1, 'cannot be optional'],
    ['x{*rest}', 2, 'must be alone in its segment'],
    ['{a}{b}', 4, 'two parameters need a literal between'],
    ['{a?}b', 1, 'must be the last in its segment'],
    ['{a}-{b?}', 5, 'after a single "."'],
    ['{id=1?}', 1, 'one of them suffices'],
    ['a?b', 2, 'a literal cannot hold a "?"'],
    ['{id:integer}', 1, '"integer" is no constraint'],
    ['{x:regex(^\\d{3}$)}', 13, 'must be written "{{"'],
    [Array.from({ length: 29 }, () => 'a').join('/'), 57, 'more than 28 segments'],
    ['a'.repeat(3_000), 1, 'longer than 2048'],
  ])('refuses %s at position %i', (text, position, problem) => {
    try {
      parseRouteTemplate(text);
      expect.unreachable();
    } catch (thrown) {
      if (!isPlatformError(thrown)) throw thrown;
      expect(thrown.code).toBe('ROUTE_TEMPLATE_INVALID');
      expect(thrown.message).toContain(problem);
      expect(thrown.details.position).toBe(position);
    }
  });

  it('answers any text with a template or a catalogued error', () => {
    const piece = fc.constantFrom('{', '}', '{{', '}}', '/', '*', '?', ':', '=', '(', ')', 'a', 'int', '.', '~', 'id');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece, { maxLength: 15 }).map((p) => p.join('')),
        ),
        (text) => {
          try {
            const { segments, precedence } = parseRouteTemplate(text);
            expect(precedence).toHaveLength(segments.length);
          } catch (thrown) {
            expect(isPlatformError(thrown) && thrown.code).toBe('ROUTE_TEMPLATE_INVALID');
          }
        },
      ),
      { numRuns: 3_000 },
    );
  });
});
