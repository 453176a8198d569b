import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readClientPrincipal } from './client-principal.ts';

const encode = (principal: unknown): string => Buffer.from(JSON.stringify(principal)).toString('base64');
const text = (value: string) => ({ string: { $case: 'value', value } });

describe('readClientPrincipal', () => {
  it('reads the identity and its claims', () => {
    const header = encode({
      auth_typ: 'aad',
      name_typ: 'name',
      role_typ: 'roles',
      claims: [
        { typ: 'name', val: 'Ada' },
        { typ: 'roles', val: 'reader' },
      ],
    });
    expect(readClientPrincipal(header)).toEqual([
      {
        authenticationType: text('aad'),
        nameClaimType: text('name'),
        roleClaimType: text('roles'),
        claims: [
          { type: 'name', value: 'Ada' },
          { type: 'roles', value: 'reader' },
        ],
      },
    ]);
  });

  it('leaves out what is missing, and what is no claim', () => {
    const header = encode({ claims: [{ typ: 'name' }, null, 'x', { typ: '__proto__', val: 'v' }] });
    expect(readClientPrincipal(header)).toEqual([
      {
        authenticationType: undefined,
        nameClaimType: undefined,
        roleClaimType: undefined,
        claims: [{ type: '__proto__', value: 'v' }],
      },
    ]);
  });

  it.each([undefined, '', 'no base64 at all', encode(null), encode([]), encode({ claims: 'all' })])(
    'finds nobody in %j',
    (header) => {
      expect(readClientPrincipal(header)).toEqual([]);
    },
  );

  it('never throws, whatever a caller sends', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json().map((json) => Buffer.from(json).toString('base64')),
        ),
        (header) => {
          expect(Array.isArray(readClientPrincipal(header))).toBe(true);
        },
      ),
    );
  });
});
