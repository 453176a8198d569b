/** Checks signatures with jose. No error of jose leaves this file: some quote what they were given. */
import { type PublicKey, signingAlgorithm } from '../keys/key-set.ts';

/** What a token's header says before anything of it is proved. */
export type HeaderReading =
  | { readonly kind: 'read'; readonly algorithm: string; readonly keyId: string }
  | { readonly kind: 'malformed'; readonly reason: string };

/** Reads the header of a JWS in compact form. */
export function readHeader(token: string): HeaderReading {
  const parts = token.split('.');
  if (parts.length !== 3) return malformed(`it has ${parts.length} parts instead of 3`);
  if (!parts.every((part) => /^[A-Za-z0-9_-]*$/.test(part))) return malformed('it is not base64url');
  const header = parseJson(Buffer.from(parts[0] ?? '', 'base64url').toString('utf8'));
  if (typeof header !== 'object' || header === null || Array.isArray(header)) return malformed('it has no header');
  const algorithm = own(header, 'alg');
  const keyId = own(header, 'kid');
  if (typeof algorithm !== 'string') return malformed('its header names no algorithm');
  // A key that a token brings along, or points to, is never used; extensions that must be understood are not.
  for (const name of ['crit', 'jwk', 'jku', 'x5u', 'x5c']) {
    if (own(header, name) !== undefined) return malformed(`its header has '${name}', which is not supported`);
  }
  return { kind: 'read', algorithm, keyId: typeof keyId === 'string' ? keyId : '' };
}

export type SignatureCheck =
  /** `payload` is undefined when it is no JSON. */
  { readonly kind: 'signed'; readonly payload: unknown } | { readonly kind: 'unsigned' };

/** Tells whether `key` has signed a token. */
export async function verifySignature(token: string, key: PublicKey): Promise<SignatureCheck> {
  const { compactVerify } = await import('jose');
  try {
    const { payload } = await compactVerify(token, key, { algorithms: [signingAlgorithm] });
    return { kind: 'signed', payload: parseJson(Buffer.from(payload).toString('utf8')) };
  } catch {
    return { kind: 'unsigned' };
  }
}

function malformed(reason: string): HeaderReading {
  return { kind: 'malformed', reason };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function own(record: object, name: string): unknown {
  return Object.hasOwn(record, name) ? Reflect.get(record, name) : undefined;
}
