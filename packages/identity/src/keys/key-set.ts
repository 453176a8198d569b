/**
 * Public keys as they travel: a JSON Web Key Set (RFC 7517) of RSA keys. Only these fields of a key are ever read, so a key
 * set cannot bring in a private part, another algorithm, or a certificate.
 */

/** The one algorithm of this installation's tokens. */
export const signingAlgorithm = 'RS256';

/** The public half of a signing key. */
export interface PublicKey {
  readonly kty: 'RSA';
  readonly kid: string;
  readonly alg: typeof signingAlgorithm;
  readonly use: 'sig';
  /** Modulus and exponent, base64url. */
  readonly n: string;
  readonly e: string;
}

export interface KeySet {
  readonly keys: readonly PublicKey[];
}

/** What a source of keys answers. */
export type KeyAnswer =
  | { readonly kind: 'found'; readonly key: PublicKey }
  | { readonly kind: 'unknown' }
  /** The keys could not be had, so nothing can be said. */
  | { readonly kind: 'unavailable'; readonly reason: string };

/** Where a verifier gets public keys from. */
export interface KeySource {
  find(keyId: string): Promise<KeyAnswer>;
}

export type KeySetReading =
  | { readonly kind: 'parsed'; readonly keySet: KeySet }
  | { readonly kind: 'invalid'; readonly reason: string };

/** More keys than this are no key set. */
const maxKeys = 100;
/** 2,048 bits; jose refuses shorter moduli, too. */
const minModulusLength = 342;
/** 8,192 bits: a larger one only costs time. */
const maxModulusLength = 1_366;
const maxKeyIdLength = 128;

/** Reads a key set. Keys of other kinds are left out, as RFC 7517 (section 5) asks. */
export function parseKeySet(json: unknown): KeySetReading {
  const keys = isRecord(json) ? own(json, 'keys') : undefined;
  if (!Array.isArray(keys)) return { kind: 'invalid', reason: "it has no list 'keys'" };
  if (keys.length > maxKeys) return { kind: 'invalid', reason: `it holds ${keys.length} keys, more than ${maxKeys}` };
  return { kind: 'parsed', keySet: { keys: keys.flatMap((key) => toPublicKey(key) ?? []) } };
}

/** The public half of an RSA key in JSON; undefined when it is none that signs our tokens. */
export function toPublicKey(json: unknown): PublicKey | undefined {
  if (!isRecord(json)) return undefined;
  const [kty, kid, n, e] = [own(json, 'kty'), own(json, 'kid'), own(json, 'n'), own(json, 'e')];
  if (kty !== 'RSA' || !isBase64Url(kid, 1, maxKeyIdLength)) return undefined;
  if (!isBase64Url(n, minModulusLength, maxModulusLength) || !isBase64Url(e, 1, 8)) return undefined;
  if ((own(json, 'alg') ?? signingAlgorithm) !== signingAlgorithm || (own(json, 'use') ?? 'sig') !== 'sig') {
    return undefined;
  }
  // Frozen, because jose remembers by identity what it has made of a key.
  return Object.freeze({ kty, kid, alg: signingAlgorithm, use: 'sig', n, e });
}

/** Keys that never change, for tests and for those that got their key set from a file. */
export function createFixedKeys(keySet: KeySet): KeySource {
  const keys = new Map(keySet.keys.map((key) => [key.kid, key]));
  return {
    find: async (keyId) => {
      const key = keys.get(keyId);
      return key ? { kind: 'found', key } : { kind: 'unknown' };
    },
  };
}

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function own(record: object, name: string): unknown {
  return Object.hasOwn(record, name) ? Reflect.get(record, name) : undefined;
}

function isBase64Url(value: unknown, minLength: number, maxLength: number): value is string {
  return (
    typeof value === 'string' &&
    value.length >= minLength &&
    value.length <= maxLength &&
    /^[A-Za-z0-9_-]+$/.test(value)
  );
}
