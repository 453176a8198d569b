import { inspect } from 'node:util';
import { VirtualClock } from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toPayload } from '../claims/to-payload.ts';
import { audiences, type TokenClaims } from '../claims/token-claims.ts';
import { createFixedKeys, type KeySource } from '../keys/key-set.ts';
import { forgeHmac, forgeKey, forgeToken, forgeUnsigned } from '../testing/forge.ts';
import { sampleClaims } from '../testing/sample-grants.ts';
import { createTokenVerifier, type TokenVerdict } from './token-verifier.ts';

const ours = forgeKey();
const theirs = forgeKey();
const keys = createFixedKeys({ keys: [ours.publicKey] });
const clock = new VirtualClock();
const now = clock.now();
const good = sampleClaims(now);
const verifier = createTokenVerifier({ clock, keys }, { audience: audiences.runtime });

/** A token with these payload claims, rightly signed. */
function signed(changes: Record<string, unknown> = {}, header: object = {}): string {
  return forgeToken(ours, { ...toPayload(good), ...changes }, header);
}

async function codeOf(verdict: Promise<TokenVerdict>): Promise<string> {
  const settled = await verdict;
  return settled.kind === 'valid' ? 'valid' : settled.code;
}

describe('the verifier', () => {
  it('gives the claims of a good token, also of one that another implementation has signed', async () => {
    expect(await verifier.verify(signed())).toEqual({ kind: 'valid', claims: good });
  });

  const { kid } = ours.publicKey;
  const payload = toPayload(good);
  it.each([
    ['no token', undefined, 'TOKEN_MISSING'],
    ['an empty token', '', 'TOKEN_MISSING'],
    ['one part', 'token', 'TOKEN_MALFORMED'],
    ['five parts', 'a.b.c.d.e', 'TOKEN_MALFORMED'],
    ['other characters', 'a.b.c d', 'TOKEN_MALFORMED'],
    ['a header that is no JSON', `${Buffer.from('alg').toString('base64url')}.e30.AA`, 'TOKEN_MALFORMED'],
    ['a header that is no object', `${Buffer.from('[]').toString('base64url')}.e30.AA`, 'TOKEN_MALFORMED'],
    ['a header without an algorithm', `${Buffer.from('{}').toString('base64url')}.e30.AA`, 'TOKEN_MALFORMED'],
    ['a token of 9,000 characters', signed({ note: 'x'.repeat(6_000) }), 'TOKEN_MALFORMED'],
    ['a critical extension', signed({}, { crit: ['exp'], exp: 1 }), 'TOKEN_MALFORMED'],
    ['a key of its own', forgeToken(theirs, payload, { kid, jwk: theirs.publicKey }), 'TOKEN_MALFORMED'],
    ['a key at an address of its own', forgeToken(theirs, payload, { jku: 'https://evil.example' }), 'TOKEN_MALFORMED'],
    ['the algorithm none', forgeUnsigned(payload, { alg: 'none', kid }), 'TOKEN_ALGORITHM'],
    ['the algorithm None', forgeUnsigned(payload, { alg: 'None', kid }), 'TOKEN_ALGORITHM'],
    ['an HMAC under the public key', forgeHmac(ours.publicPem, payload, { kid }), 'TOKEN_ALGORITHM'],
    ['an HMAC under the modulus', forgeHmac(ours.publicKey.n, payload, { kid }), 'TOKEN_ALGORITHM'],
    ['another RSA algorithm', signed({}, { alg: 'RS512' }), 'TOKEN_ALGORITHM'],
    ['an HMAC that calls itself RS256', forgeHmac(ours.publicPem, payload, { alg: 'RS256', kid }), 'TOKEN_SIGNATURE'],
    ['no signature that calls itself RS256', forgeUnsigned(payload, { alg: 'RS256', kid }), 'TOKEN_SIGNATURE'],
    ['an unknown key', forgeToken(theirs, payload), 'TOKEN_KEY_UNKNOWN'],
    ['no key id', signed({}, { kid: undefined }), 'TOKEN_KEY_UNKNOWN'],
    ['a key id that is no text', signed({}, { kid: 7 }), 'TOKEN_KEY_UNKNOWN'],
    ['the signature of another key', forgeToken(theirs, payload, { kid }), 'TOKEN_SIGNATURE'],
    ['a payload that is no JSON', forgeToken(ours, 'hello'), 'TOKEN_MALFORMED'],
    ['a payload that is no object', forgeToken(ours, '7'), 'TOKEN_ISSUER'],
    ['another issuer', signed({ iss: 'somebody' }), 'TOKEN_ISSUER'],
    ['no issuer', signed({ iss: undefined }), 'TOKEN_ISSUER'],
    ['another audience', signed({ aud: audiences.control }), 'TOKEN_AUDIENCE'],
    ['several audiences', signed({ aud: [audiences.runtime, audiences.control] }), 'TOKEN_AUDIENCE'],
    ['no audience', signed({ aud: undefined }), 'TOKEN_AUDIENCE'],
    ['no subject', signed({ sub: undefined }), 'TOKEN_CLAIM'],
    ['no end', signed({ exp: undefined }), 'TOKEN_CLAIM'],
    ['an end that is a text', signed({ exp: String(now) }), 'TOKEN_CLAIM'],
  ])('refuses %s', async (_what, token, code) => {
    const verdict = await verifier.verify(token);
    expect(verdict).toMatchObject({ kind: 'refused', code, status: 16, http: 401 });
  });

  it('refuses a token from its end on, give or take the skew', async () => {
    const endMs = good.expiresAtMs;
    const at = (nowMs: number): Promise<string> =>
      codeOf(
        createTokenVerifier({ clock: { now: () => nowMs }, keys }, { audience: audiences.runtime }).verify(signed()),
      );
    expect(await at(endMs + 29_999)).toBe('valid');
    expect(await at(endMs + 30_000)).toBe('TOKEN_EXPIRED');
    expect(await at(now - 30_000)).toBe('valid');
    expect(await at(now - 30_001)).toBe('TOKEN_NOT_YET_VALID');
  });

  it('refuses a token before its beginning', async () => {
    expect(await codeOf(verifier.verify(signed({ nbf: now / 1_000 + 31 })))).toBe('TOKEN_NOT_YET_VALID');
    expect(await codeOf(verifier.verify(signed({ nbf: now / 1_000 + 30 })))).toBe('valid');
  });

  it('refuses a token of which any character was changed', async () => {
    const token = signed();
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 1), fc.constantFrom(...'Ab0_-.'), async (index, character) => {
        fc.pre(token[index] !== character);
        const changed = token.slice(0, index) + character + token.slice(index + 1);
        const code = await codeOf(verifier.verify(changed));
        // Base64url leaves bits of a last character unused, so another text may stand for the same bytes.
        const isSame = token.split('.').every((part, each) => bytesOf(part) === bytesOf(changed.split('.')[each]));
        if (!isSame) expect(code).not.toBe('valid');
      }),
    );
  });

  it('never fails, whatever it is given', async () => {
    const piece = fc.oneof(
      fc.string(),
      fc.json().map((json) => Buffer.from(json).toString('base64url')),
      fc.base64String(),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 4 }), async (parts) => {
        const verdict = await verifier.verify(parts.join('.'));
        expect(verdict.kind).toBe('refused');
      }),
    );
  });

  it('asks to try again when the keys cannot be had', async () => {
    const none: KeySource = { find: async () => ({ kind: 'unavailable', reason: 'the network is down' }) };
    const verdict = await createTokenVerifier({ clock, keys: none }, { audience: audiences.runtime }).verify(signed());
    expect(verdict).toMatchObject({ kind: 'refused', code: 'TOKEN_KEYS_UNAVAILABLE', status: 14, http: 503 });
    expect(verdict.kind === 'refused' && verdict.reason).toContain('the network is down');
  });

  it('takes tokens of the issuer that it was told', async () => {
    const other = createTokenVerifier({ clock, keys }, { audience: audiences.runtime, issuer: 'installation-2' });
    expect(await codeOf(other.verify(signed()))).toBe('TOKEN_ISSUER');
    expect(await codeOf(other.verify(signed({ iss: 'installation-2' })))).toBe('valid');
  });

  it('tells nothing of a token in its reasons, and keeps control characters out of them', async () => {
    const tokens = [
      signed({ iss: 'ev\r\nil'.padEnd(400, 'x') }),
      signed({}, { alg: 'none\r\nX: y' }),
      forgeToken(theirs, payload),
      forgeToken(theirs, payload, { kid }),
      signed({ exp: 1 }),
    ];
    for (const token of tokens) {
      const verdict = await verifier.verify(token);
      const shown = inspect(verdict);
      for (const part of token.split('.')) expect(shown).not.toContain(part.slice(0, 40));
      expect(verdict.kind === 'refused' && verdict.reason).toMatch(/^[\x20-\x7e]{20,400}$/);
    }
  });

  it('gives times in milliseconds', async () => {
    const verdict = await verifier.verify(signed({ exp: now / 1_000 + 60 }));
    const claims: TokenClaims | undefined = verdict.kind === 'valid' ? verdict.claims : undefined;
    expect(claims?.expiresAtMs).toBe(now + 60_000);
  });
});

function bytesOf(part: string | undefined): string {
  return Buffer.from(part ?? '', 'base64url').toString('hex');
}
