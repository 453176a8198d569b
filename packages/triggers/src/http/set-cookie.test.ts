import { RpcHttpCookie, RpcHttpCookie_SameSite } from '@switchyard/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toSetCookie } from './set-cookie.ts';

/** A cookie with nothing but a name and a value, as it comes from the wire. */
function cookie(given: Partial<RpcHttpCookie> = {}): RpcHttpCookie {
  return { ...RpcHttpCookie.decode(new Uint8Array()), name: 'c', value: 'v', ...given };
}

describe('toSetCookie', () => {
  it('has the default path and nothing else', () => {
    expect(toSetCookie(cookie())).toBe('c=v; path=/');
  });

  it('writes every attribute in the order of the official host', () => {
    const full = cookie({
      expires: { timestamp: { $case: 'value', value: { seconds: 1700000000n, nanos: 0 } } },
      maxAge: { double: { $case: 'value', value: 60.9 } },
      domain: { string: { $case: 'value', value: 'example.com' } },
      path: { string: { $case: 'value', value: '/shop' } },
      secure: { bool: { $case: 'value', value: true } },
      httpOnly: { bool: { $case: 'value', value: true } },
      sameSite: RpcHttpCookie_SameSite.Strict,
    });
    expect(toSetCookie(full)).toBe(
      'c=v; expires=Tue, 14 Nov 2023 22:13:20 GMT; max-age=60; domain=example.com; path=/shop; secure; samesite=strict; httponly',
    );
  });

  it.each([
    [RpcHttpCookie_SameSite.None, 'c=v; path=/'],
    [RpcHttpCookie_SameSite.Lax, 'c=v; path=/; samesite=lax'],
    [RpcHttpCookie_SameSite.ExplicitNone, 'c=v; path=/; samesite=none'],
  ])('writes same-site value %i as %o', (sameSite, expected) => {
    expect(toSetCookie(cookie({ sameSite }))).toBe(expected);
  });

  it('leaves out flags that are false and ages that are no number', () => {
    const off = cookie({
      secure: { bool: { $case: 'value', value: false } },
      maxAge: { double: { $case: 'value', value: Number.NaN } },
      domain: { string: { $case: 'value', value: '' } },
    });
    expect(toSetCookie(off)).toBe('c=v; path=/');
    expect(toSetCookie(cookie({ maxAge: { double: { $case: 'value', value: -1 } } }))).toBe('c=v; max-age=-1; path=/');
  });

  it.each([
    [{ name: 'a;b' }, 'name'],
    [{ name: '' }, 'name'],
    [{ path: { string: { $case: 'value', value: '/;x' } } }, 'path'],
    [{ domain: { string: { $case: 'value', value: 'a\r\nb' } } }, 'domain'],
    [{ expires: { timestamp: { $case: 'value', value: { seconds: 2n ** 60n, nanos: 0 } } } }, 'expires'],
  ] as [Partial<RpcHttpCookie>, string][])('refuses %o and names the part', (given, part) => {
    expect(() => toSetCookie(cookie(given))).toThrow(`whose ${part} has`);
  });

  it('carries any value so that decodeURIComponent gives it back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const [pair = ''] = toSetCookie(cookie({ value })).split('; ');
        expect(decodeURIComponent(pair.slice('c='.length))).toBe(value);
        expect(pair).toMatch(/^c=[A-Za-z0-9\-_.~%]*$/);
      }),
    );
  });
});
