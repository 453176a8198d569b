import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { forgeKey } from '../testing/forge.ts';
import { createFixedKeys, parseKeySet } from './key-set.ts';

const { publicKey, privateKey } = forgeKey();

describe('a key set', () => {
  it('is read as it was written', () => {
    const json: unknown = JSON.parse(JSON.stringify({ keys: [publicKey] }));
    expect(parseKeySet(json)).toEqual({ kind: 'parsed', keySet: { keys: [publicKey] } });
  });

  it('lets no private part in', () => {
    const jwk = { ...privateKey.export({ format: 'jwk' }), kid: publicKey.kid };
    expect(jwk.d).toBeTypeOf('string');
    expect(parseKeySet({ keys: [jwk] })).toEqual({ kind: 'parsed', keySet: { keys: [publicKey] } });
  });

  it.each([
    ['a symmetric key', { kty: 'oct', kid: 'a', k: 'c2VjcmV0' }],
    ['a key without an id', { ...publicKey, kid: undefined }],
    ['an id that is no text', { ...publicKey, kid: 7 }],
    ['an id with other characters', { ...publicKey, kid: '../a' }],
    ['a short modulus', { ...publicKey, n: 'AQAB' }],
    ['a huge modulus', { ...publicKey, n: 'A'.repeat(2_000) }],
    ['another algorithm', { ...publicKey, alg: 'RS512' }],
    ['a key to encrypt with', { ...publicKey, use: 'enc' }],
    ['no object', 'key'],
    ['a list', [publicKey]],
  ])('leaves out %s', (_what, key) => {
    expect(parseKeySet({ keys: [key, publicKey] })).toEqual({ kind: 'parsed', keySet: { keys: [publicKey] } });
  });

  it.each([[null], ['keys'], [{}], [{ keys: {} }], [{ keys: Array.from({ length: 101 }, () => publicKey) }]])(
    'is refused when it is %j',
    (json) => {
      expect(parseKeySet(json).kind).toBe('invalid');
    },
  );

  it('is read from any JSON without harm', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        const reading = parseKeySet({ keys: [json] });
        expect(reading).toEqual({ kind: 'parsed', keySet: { keys: [] } });
      }),
    );
  });

  it('answers for the keys that it has', async () => {
    const keys = createFixedKeys({ keys: [publicKey] });
    expect(await keys.find(publicKey.kid)).toEqual({ kind: 'found', key: publicKey });
    expect(await keys.find('other')).toEqual({ kind: 'unknown' });
    expect(await keys.find('__proto__')).toEqual({ kind: 'unknown' });
  });
});
