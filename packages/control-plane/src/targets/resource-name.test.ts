import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resourceNameOf } from './resource-name.ts';

describe('resourceNameOf', () => {
  it.each([
    ['shop', 'shop'],
    ['web-shop2', 'web-shop2'],
  ])('leaves %s as it is', (id, name) => expect(resourceNameOf(id, 32)).toBe(name));

  it('makes a name of any id, and different ones of different ids', () => {
    const id = fc.stringMatching(/^[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?$/);
    fc.assert(
      fc.property(id, id, (left, right) => {
        const name = resourceNameOf(left, 32);
        expect(name).toMatch(/^[a-z](?:-?[a-z0-9])*$/);
        expect(name.length).toBeLessThanOrEqual(32);
        expect(resourceNameOf(right, 32) === name).toBe(left === right);
      }),
    );
  });
});
