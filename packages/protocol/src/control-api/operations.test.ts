import { isApplicationId } from '@switchyard/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { controlScopes } from './control-scopes.ts';
import { applicationIdSchema, codeVersionSchema, hostNameSchema, packageHashSchema, toCodeVersion } from './names.ts';
import { type ControlOperation, controlOperations, pathParameters, toControlPath } from './operations.ts';
import { patchSettingsSchema, settingNameSchema } from './settings.ts';
import { weightsSchema } from './traffic.ts';

describe('the table of operations', () => {
  const operations = Object.entries<ControlOperation>(controlOperations);

  it('has each method of a path once, and knows every parameter', () => {
    const keys = operations.map(([, { method, path }]) => `${method} ${path}`);
    expect(new Set(keys).size).toBe(keys.length);
    for (const [, { path }] of operations) {
      for (const [, name = ''] of path.matchAll(/\{(\w+)\}/g))
        expect([path, Object.hasOwn(pathParameters, name)]).toEqual([path, true]);
    }
  });

  it('asks for a scope that there is, but for what everybody may see', () => {
    const open = operations.filter(([, { scope }]) => scope === 'none').map(([id]) => id);
    expect(open).toEqual(['getHealth', 'getPublicKeys', 'getOpenApi']);
    const used = new Set(operations.map(([, { scope }]) => scope).filter((scope) => scope !== 'none'));
    // `secrets` is for ?reveal.
    expect([...used, 'secrets'].sort()).toEqual([...controlScopes].sort());
  });

  it('only what changes something has a body', () => {
    for (const [id, { method, body }] of operations) {
      expect([id, body !== undefined]).toEqual([id, method !== 'GET' && method !== 'DELETE']);
    }
  });
});

describe('toControlPath', () => {
  it('fills in and escapes', () => {
    expect(toControlPath('listApplications', {})).toBe('/v1/apps');
    expect(toControlPath('invokeFunction', { app: 'shop', name: 'a/b?c' })).toBe(
      '/v1/apps/shop/functions/a%2Fb%3Fc/invoke',
    );
    expect(toControlPath('getApplication', { app: '$&' })).toBe('/v1/apps/%24%26');
  });
});

describe('names', () => {
  it('of apps are those of the model', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[a-zA-Z0-9-]{0,42}$/));
    fc.assert(
      fc.property(text, (name) => {
        expect(applicationIdSchema.safeParse(name).success).toBe(isApplicationId(name));
      }),
    );
  });

  it('of versions come from the hash of the package', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9a-f]{64}$/), (sha256) => {
        expect(packageHashSchema.parse(sha256)).toBe(sha256);
        expect(codeVersionSchema.parse(toCodeVersion(sha256))).toBe(sha256.slice(0, 16));
      }),
    );
  });

  it.each([
    ['a.test', true],
    ['xn--bcher-kva.example', true],
    ['a-b.c1', true],
    ['a'.repeat(64), false],
    ['-a.test', false],
    ['a-.test', false],
    ['a..test', false],
    ['.test', false],
    ['a.test.', false],
    ['A.test', false],
    ['*.test', false],
    ['a.test:80', false],
    ['', false],
  ])('of hosts: %s', (name, isGood) => {
    expect(hostNameSchema.safeParse(name).success).toBe(isGood);
  });

  it.each([
    ['A', true],
    ['_x', true],
    ['ConnectionStrings:Db', true],
    ['AzureWebJobs.f.Disabled', true],
    ['A__b-c', true],
    ['constructor', true],
    ['__proto__', false],
    ['1A', false],
    ['A B', false],
    ['A=B', false],
    ['A\n', false],
    ['', false],
  ])('of settings: %s', (name, isGood) => {
    expect(settingNameSchema.safeParse(name).success).toBe(isGood);
    expect(patchSettingsSchema.safeParse({ remove: [name] }).success).toBe(isGood);
  });
});

describe('weights', () => {
  const version = (digit: string): string => digit.repeat(16);

  it('add up to 100, in whole percents, each version once', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -10, max: 110 }), { minLength: 1, maxLength: 4 }), (shares) => {
        const weights = shares.map((weight, index) => ({ codeVersion: version(String(index)), weight }));
        const isGood = shares.reduce((sum, share) => sum + share, 0) === 100 && shares.every((share) => share >= 0);
        expect(weightsSchema.safeParse(weights).success).toBe(isGood);
      }),
    );
    const half = { codeVersion: version('a'), weight: 50 };
    expect(weightsSchema.safeParse([half, half]).success).toBe(false);
    expect(weightsSchema.safeParse([half, { ...half, codeVersion: version('b') }]).success).toBe(true);
    expect(
      weightsSchema.safeParse([
        { ...half, weight: 99.5 },
        { codeVersion: version('b'), weight: 0.5 },
      ]).success,
    ).toBe(false);
  });
});
