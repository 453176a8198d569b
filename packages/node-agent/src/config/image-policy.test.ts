import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isImageAllowed, isImagePattern } from './image-policy.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const other = `sha256:${'b'.repeat(64)}`;

describe('isImageAllowed', () => {
  it.each([
    ['*', 'busybox', true],
    ['*', 'example.com/a/b/c:1', true],
    ['busybox', 'busybox', true],
    ['busybox', 'docker.io/library/busybox:1.36', true],
    ['busybox', `busybox@${digest}`, true],
    ['busybox', 'library/busybox', true],
    ['busybox', 'evil/busybox', false],
    ['busybox', 'example.com/busybox', false],
    ['busybox', 'busybox2', false],
    ['busybox:1.36', 'busybox:1.36', true],
    ['busybox:1.36', 'busybox', false],
    ['busybox:1.*', 'busybox:1.37', true],
    ['busybox:1.*', 'busybox:2.0', false],
    ['busybox:1.36', `busybox:1.36@${other}`, false],
    [`busybox@${digest}`, `busybox@${digest}`, true],
    [`busybox@${digest}`, `busybox:1.36@${digest}`, true],
    [`busybox@${digest}`, `busybox@${other}`, false],
    [`busybox@${digest}`, 'busybox', false],
    ['example.com/team/*', 'example.com/team/app:1', true],
    ['example.com/team/*', 'example.com/team/sub/app', false],
    ['example.com/team/**', 'example.com/team/sub/app', true],
    ['example.com/team/*', 'example.com.evil.org/team/app', false],
    ['example.com/*', 'examplexcom/a', false],
    ['docker.io/library/*', 'alpine', true],
    ['docker.io/library/*', 'somebody/alpine', false],
    ['*/alpine', 'somebody/alpine', true],
    [digest, digest, true],
    [digest, other, false],
    ['*', digest, true],
    ['busybox', digest, false],
  ])('pattern %s and image %s: %s', (pattern, image, expected) => {
    expect(isImagePattern(pattern)).toBe(true);
    expect(isImageAllowed(image, [pattern])).toBe(expected);
  });

  it('allows nothing without a pattern, and no image that is none', () => {
    expect(isImageAllowed('busybox', [])).toBe(false);
    for (const image of ['', 'UPPER', 'a b', '../x', 'busybox:', 'http://x'])
      expect(isImageAllowed(image, ['*'])).toBe(false);
  });

  it('allows an image by its own name, and by no other one', () => {
    const name = fc.stringMatching(/^[a-z]{1,8}(\/[a-z]{1,8}){0,2}$/);
    fc.assert(
      fc.property(name, name, (left, right) => {
        expect(isImageAllowed(left, [left])).toBe(true);
        if (left !== right && `library/${left}` !== right && `library/${right}` !== left)
          expect(isImageAllowed(right, [left])).toBe(false);
      }),
    );
  });

  it('knows what is no pattern', () => {
    for (const text of ['', ' ', 'a b', 'busybox:', 'x@sha256:12', 'zzstarzz'])
      expect(isImagePattern(text)).toBe(false);
  });
});
