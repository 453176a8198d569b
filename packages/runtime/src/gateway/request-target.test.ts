import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTarget } from './request-target.ts';

describe('parseTarget', () => {
  test.each([
    ['/', 'h', { authority: 'h', path: '/', search: '' }],
    ['/api/a?b=1&c=?', 'h:1', { authority: 'h:1', path: '/api/a', search: 'b=1&c=?' }],
    ['/a%zz', 'h', { authority: 'h', path: '/a%zz', search: '' }],
    ['//double', 'h', { authority: 'h', path: '//double', search: '' }],
    ['/a#part?x', 'h', { authority: 'h', path: '/a', search: '' }],
    ['http://other:80/p?q', 'h', { authority: 'other:80', path: '/p', search: 'q' }],
    ['HTTPS://other', 'h', { authority: 'other', path: '/', search: '' }],
    ['http://other?q=1', 'h', { authority: 'other', path: '/', search: 'q=1' }],
    ['/a', undefined, { authority: undefined, path: '/a', search: '' }],
  ])('%j for %j', (url, host, target) => {
    expect(parseTarget(url, host)).toEqual(target);
  });

  test.each(['*', '', 'example.com:443', 'ftp://a/b', '?x'])('%j addresses no function', (url) => {
    expect(parseTarget(url, 'h')).toBeUndefined();
  });

  test('never fails; a path always begins with a slash and has no query', () => {
    fc.assert(
      fc.property(fc.string(), (url) => {
        const target = parseTarget(url, 'h');
        expect(target === undefined || (target.path.startsWith('/') && !target.path.includes('?'))).toBe(true);
      }),
    );
  });
});
