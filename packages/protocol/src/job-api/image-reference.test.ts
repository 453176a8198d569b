import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatImageReference, parseImageReference } from './image-reference.ts';

const digest = `sha256:${'a1'.repeat(32)}`;

describe('parseImageReference', () => {
  it.each([
    ['busybox', 'docker.io/library/busybox:latest'],
    ['busybox:1.36', 'docker.io/library/busybox:1.36'],
    ['me/app', 'docker.io/me/app:latest'],
    ['ghcr.io/me/app:v1', 'ghcr.io/me/app:v1'],
    ['localhost:5000/app', 'localhost:5000/app:latest'],
    ['localhost/a/b/c', 'localhost/a/b/c:latest'],
    [`busybox@${digest}`, `docker.io/library/busybox@${digest}`],
    [`busybox:1@${digest}`, `docker.io/library/busybox:1@${digest}`],
    [digest, digest],
    ['deadbeef', 'docker.io/library/deadbeef:latest'],
  ])('resolves %s to %s', (text, full) => {
    const reference = parseImageReference(text);
    expect(reference && formatImageReference(reference)).toBe(full);
  });

  it.each([
    '',
    ' ',
    'Busybox',
    'a b',
    'a:',
    ':tag',
    'a@sha256:12',
    `a@${digest}@${digest}`,
    'a//b',
    '-a',
    'a-',
    'http://a/b',
    'a:b:c',
    '../a',
    'a'.repeat(513),
  ])('refuses %j', (text) => expect(parseImageReference(text)).toBeUndefined());

  it('reads the full form as the same image', () => {
    const segment = fc.stringMatching(/^[a-z0-9]{1,8}$/);
    const text = fc
      .tuple(fc.array(segment, { minLength: 1, maxLength: 3 }), fc.option(segment), fc.boolean())
      .map(([path, tag, pinned]) => `${path.join('/')}${tag === null ? '' : `:${tag}`}${pinned ? `@${digest}` : ''}`);
    fc.assert(
      fc.property(text, (written) => {
        const reference = parseImageReference(written);
        expect(reference).toBeDefined();
        if (reference) expect(parseImageReference(formatImageReference(reference))).toEqual(reference);
      }),
    );
  });
});
