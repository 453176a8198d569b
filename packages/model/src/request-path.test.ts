import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeRequestPath } from './request-path.ts';

describe('decodeRequestPath', () => {
  it.each([
    ['/api/hello', '/api/hello'],
    ['/a%20b', '/a b'],
    ['/caf%C3%A9', '/café'],
    ['/%F0%9F%9A%82', '/🚂'],
    ['/a%2Fb', '/a%2Fb'],
    ['/a%2fb%20c', '/a%2fb c'],
    ['/100%', '/100%'],
    ['/%zz%41', '/%zzA'],
    ['/%C3%28', '/%C3('],
    ['/%FF', '/%FF'],
    ['/%41%C3', '/A%C3'],
    ['/%25', '/%'],
    ['/%2541', '/%41'],
    ['/a+b', '/a+b'],
    ['/a/./b', '/a/b'],
    ['/a/../b', '/b'],
    ['/../../b', '/b'],
    ['/a/b/..', '/a/'],
    ['/a/%2e%2e/b', '/b'],
    ['/a/.hidden', '/a/.hidden'],
    ['/a/...', '/a/...'],
    ['/', '/'],
    ['', ''],
  ])('%s', (path, expected) => {
    expect(decodeRequestPath(path)).toBe(expected);
  });

  it('lets no route see a NUL', () => {
    expect(decodeRequestPath('/a%00b')).toBeUndefined();
  });

  it('decodes what encodeURIComponent encodes', () => {
    const segment = fc.string({ unit: 'grapheme' }).filter((text) => !/[/\0]/.test(text) && !/^\.{1,2}$/.test(text));
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1 }), (segments) => {
        const path = segments.map((text) => `/${encodeURIComponent(text)}`).join('');
        expect(decodeRequestPath(path)).toBe(segments.map((text) => `/${text}`).join(''));
      }),
    );
  });

  it('never lets a path climb above the root, whatever it holds', () => {
    const piece = fc.constantFrom('/', '.', '..', '%2e', '%2E%2e', '%', 'a', '%2f', '%C3', '%00');
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const decoded = decodeRequestPath(`/${pieces.join('')}`);
        if (decoded !== undefined) expect(decoded.split('/')).not.toContain('..');
      }),
    );
  });
});
