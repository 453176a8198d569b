import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { containerProblem, formatBlobPath, nameProblem, parseBlobPath } from './blob-path.ts';

describe('parseBlobPath', () => {
  it.each([
    ['images/a.png', 'images', 'a.png'],
    ['images/2024/a b.png', 'images', '2024/a b.png'],
    ['$web/index.html', '$web', 'index.html'],
    ['https://shop.blob.core.windows.net/images/2024/a%20b.png', 'images', '2024/a b.png'],
    ['http://127.0.0.1:10000/devstoreaccount1/images/a.png?sig=x', 'images', 'a.png'],
    ['http://localhost:10000/devstoreaccount1/images/a.png', 'images', 'a.png'],
  ])('reads %o', (text, container, blob) => {
    expect(parseBlobPath(text)).toEqual({ kind: 'path', path: { container, blob } });
  });

  it.each([
    '',
    'images',
    '/a.png',
    'images/',
    'Images/a.png',
    'im/a',
    'a--b/c',
    'images/a\\b',
    `images/${'x'.repeat(1_025)}`,
    `images/${'x/'.repeat(254)}x`,
    'https://',
    'https://shop/images/%zz',
  ])('refuses %o and says why', (text) => {
    expect(parseBlobPath(text)).toMatchObject({ kind: 'invalid', reason: expect.stringMatching(/\w/) });
  });

  it('reads back what it wrote', () => {
    const container = fc.stringMatching(/^[a-z0-9]{3,63}$/);
    const blob = fc.string({ minLength: 1, maxLength: 200 }).filter((name) => nameProblem(name) === undefined);
    fc.assert(
      fc.property(container, blob, (containerName, blobName) => {
        const path = { container: containerName, blob: blobName };
        expect(parseBlobPath(formatBlobPath(path))).toEqual({ kind: 'path', path });
      }),
    );
  });
});

describe('containerProblem', () => {
  it.each(['abc', 'a-b', '0a0', '$root', '$logs', 'x'.repeat(63)])('accepts %o', (name) => {
    expect(containerProblem(name)).toBeUndefined();
  });

  it.each(['ab', '-ab', 'ab-', 'a_b', 'x'.repeat(64), '$other', '__proto__'])('refuses %o', (name) => {
    expect(containerProblem(name)).toContain(name);
  });
});
