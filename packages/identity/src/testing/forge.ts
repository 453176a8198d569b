/** Tokens as an attacker, or another implementation, would make them: with node:crypto alone. */
import { createHash, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { PublicKey } from '../keys/key-set.ts';

/** A key pair that no ring has made. */
export interface ForgedKey {
  readonly publicKey: PublicKey;
  readonly publicPem: string;
  readonly privateKey: KeyObject;
}

export function forgeKey(): ForgedKey {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' });
  // RFC 7638: the required members in order of their names.
  const kid = createHash('sha256')
    .update(JSON.stringify({ e, kty: 'RSA', n }))
    .digest('base64url');
  return {
    publicKey: { kty: 'RSA', kid, alg: 'RS256', use: 'sig', n, e },
    publicPem: String(publicKey.export({ type: 'spki', format: 'pem' })),
    privateKey,
  };
}

/** A token that `key` signed, with any header and payload; a payload that is a text goes in as it is. */
export function forgeToken(key: ForgedKey, payload: unknown, header: object = {}): string {
  const input = toInput({ alg: 'RS256', kid: key.publicKey.kid, typ: 'JWT', ...header }, payload);
  return `${input}.${sign('sha256', Buffer.from(input), key.privateKey).toString('base64url')}`;
}

/** A token without a signature. */
export function forgeUnsigned(payload: unknown, header: object): string {
  return `${toInput(header, payload)}.`;
}

/** A token whose signature is an HMAC under a text that everybody knows, such as a public key. */
export function forgeHmac(secret: string, payload: unknown, header: object): string {
  const input = toInput({ alg: 'HS256', ...header }, payload);
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

/** What a token says, without proof. */
export function peek(token: string): { header: Record<string, unknown>; payload: Record<string, unknown> } {
  const [header = '', payload = ''] = token.split('.').map((part) => Buffer.from(part, 'base64url').toString());
  return { header: JSON.parse(header), payload: JSON.parse(payload) };
}

function toInput(header: object, payload: unknown): string {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  return [JSON.stringify(header), text].map((part) => Buffer.from(part).toString('base64url')).join('.');
}
