/**
 * Verifies a token: form, algorithm, key, signature, issuer, audience, claims, time, in this order. What a token may be used
 * for is the guards' matter.
 */
import type { Clock } from '@switchyard/kernel';
import { parseClaims } from '../claims/parse-claims.ts';
import { type Audience, defaultIssuer, type TokenClaims } from '../claims/token-claims.ts';
import { readHeader, verifySignature } from '../jose/verify-signature.ts';
import { clockSkewMs } from '../keys/key-life.ts';
import { type KeySource, signingAlgorithm } from '../keys/key-set.ts';
import { type Refusal, refuse } from '../refusal.ts';

export interface TokenVerifierDeps {
  readonly clock: Pick<Clock, 'now'>;
  /** A key ring, a fixed key set, or a remote one. */
  readonly keys: KeySource;
}

export interface TokenVerifierOptions {
  /** Whom the token must be for: see `audiences`. */
  readonly audience: Audience;
  /** `functions-scale-controller` unless named. */
  readonly issuer?: string;
  /** By how much clocks may differ; 30 s unless named. */
  readonly skewMs?: number;
}

export type TokenVerdict = { readonly kind: 'valid'; readonly claims: TokenClaims } | Refusal;

export interface TokenVerifier {
  /** By how much clocks may differ. */
  readonly skewMs: number;
  /** Never rejects. `undefined` is a call without a token. */
  verify(token: string | undefined): Promise<TokenVerdict>;
}

/** A longer token is none of ours. */
const maxTokenLength = 8_192;

/** Makes a verifier for one audience. */
export function createTokenVerifier(deps: TokenVerifierDeps, options: TokenVerifierOptions): TokenVerifier {
  const { audience, issuer = defaultIssuer, skewMs = clockSkewMs } = options;

  const open = async (token: string): Promise<{ kind: 'open'; payload: unknown } | Refusal> => {
    if (token.length > maxTokenLength) {
      return refuse('TOKEN_MALFORMED', { reason: `it has ${token.length} characters, more than ${maxTokenLength}` });
    }
    const header = readHeader(token);
    if (header.kind === 'malformed') return refuse('TOKEN_MALFORMED', { reason: header.reason });
    const { algorithm, keyId } = header;
    if (algorithm !== signingAlgorithm) return refuse('TOKEN_ALGORITHM', { algorithm, expected: signingAlgorithm });
    const answer = await deps.keys.find(keyId);
    if (answer.kind === 'unavailable') return refuse('TOKEN_KEYS_UNAVAILABLE', { reason: answer.reason });
    if (answer.kind === 'unknown') return refuse('TOKEN_KEY_UNKNOWN', { keyId });
    const check = await verifySignature(token, answer.key);
    if (check.kind === 'unsigned') return refuse('TOKEN_SIGNATURE', { keyId });
    const { payload } = check;
    return payload === undefined
      ? refuse('TOKEN_MALFORMED', { reason: 'its payload is no JSON' })
      : { kind: 'open', payload };
  };

  const judge = (payload: unknown): TokenVerdict => {
    const [shownIssuer, shownAudience] = [textOf(payload, 'iss'), textOf(payload, 'aud')];
    if (shownIssuer !== issuer) return refuse('TOKEN_ISSUER', { issuer: shownIssuer, expected: issuer });
    if (shownAudience !== audience) return refuse('TOKEN_AUDIENCE', { audience: shownAudience, expected: audience });
    const reading = parseClaims(payload);
    if (reading.kind === 'invalid') return refuse('TOKEN_CLAIM', { claim: reading.claim, expected: reading.expected });
    return judgeTime(reading.claims, deps.clock.now(), skewMs) ?? { kind: 'valid', claims: reading.claims };
  };

  return {
    skewMs,
    async verify(token) {
      if (token === undefined || token === '') return refuse('TOKEN_MISSING');
      const opened = await open(token);
      return opened.kind === 'refused' ? opened : judge(opened.payload);
    },
  };
}

function judgeTime(claims: TokenClaims, nowMs: number, skewMs: number): Refusal | undefined {
  if (nowMs >= claims.expiresAtMs + skewMs) {
    return refuse('TOKEN_EXPIRED', { agoSeconds: Math.floor((nowMs - claims.expiresAtMs) / 1_000) });
  }
  const beginsAtMs = Math.max(claims.issuedAtMs, claims.notBeforeMs ?? 0);
  if (nowMs < beginsAtMs - skewMs) {
    return refuse('TOKEN_NOT_YET_VALID', { inSeconds: Math.ceil((beginsAtMs - nowMs) / 1_000) });
  }
  return undefined;
}

function textOf(payload: unknown, claim: string): string {
  if (typeof payload !== 'object' || payload === null || !Object.hasOwn(payload, claim)) return '';
  const value: unknown = Reflect.get(payload, claim);
  return typeof value === 'string' ? value : '';
}
