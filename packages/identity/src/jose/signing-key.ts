/** Signing keys, made and read with jose. It is loaded when the first key is needed, not at start. */
import { Secret } from '@switchyard/kernel';
import type { CryptoKey } from 'jose';
import { type PublicKey, signingAlgorithm, toPublicKey } from '../keys/key-set.ts';
import { verifySignature } from './verify-signature.ts';

/** A key pair that signs. */
export interface SigningKey {
  readonly publicKey: PublicKey;
  /** Signs a payload: a JWS in compact form (RFC 7515, section 7.1). */
  sign(payload: Uint8Array): Promise<Secret>;
}

/** A new key pair, ready to sign and as the JSON in which it is kept. */
export interface MadeKey {
  readonly key: SigningKey;
  /** A private JSON Web Key. */
  readonly json: Secret;
}

const modulusLength = 2_048;

/** Makes a key pair. Its id is the thumbprint of its public half (RFC 7638). */
export async function makeSigningKey(): Promise<MadeKey> {
  const { calculateJwkThumbprint, exportJWK, generateKeyPair } = await import('jose');
  const pair = await generateKeyPair(signingAlgorithm, { modulusLength, extractable: true });
  const kid = await calculateJwkThumbprint(pair.publicKey);
  const jwk = { ...(await exportJWK(pair.privateKey)), kid, alg: signingAlgorithm, use: 'sig' };
  const publicKey = toPublicKey(jwk);
  if (!publicKey) throw new TypeError('a key pair was made that is no signing key');
  return { key: toSigningKey(publicKey, pair.privateKey), json: new Secret(JSON.stringify(jwk)) };
}

/** Reads a key that was kept. Rejects when it is none, with a text that quotes nothing of it. */
export async function readSigningKey(json: unknown): Promise<SigningKey> {
  const publicKey = toPublicKey(json);
  if (!publicKey) throw new TypeError(`it is no ${signingAlgorithm} key of at least ${modulusLength} bits with an id`);
  const { calculateJwkThumbprint, importJWK } = await import('jose');
  let privateKey: CryptoKey | Uint8Array;
  try {
    privateKey = await importJWK(json as object, signingAlgorithm);
  } catch {
    throw new TypeError('its numbers are no RSA key');
  }
  if (privateKey instanceof Uint8Array || privateKey.type !== 'private')
    throw new TypeError('its private part is missing');
  if ((await calculateJwkThumbprint(publicKey)) !== publicKey.kid) throw new TypeError('its id is not its thumbprint');
  const key = toSigningKey(publicKey, privateKey);
  if (!(await signsFor(key))) throw new TypeError('its private part does not belong to its public part');
  return key;
}

/** True when the two halves belong together: an import does not look. */
async function signsFor({ publicKey, sign }: SigningKey): Promise<boolean> {
  try {
    const probe = await sign(Buffer.from('{}'));
    return (await verifySignature(probe.reveal(), publicKey)).kind === 'signed';
  } catch {
    return false;
  }
}

function toSigningKey(publicKey: PublicKey, privateKey: CryptoKey): SigningKey {
  const header = { alg: signingAlgorithm, kid: publicKey.kid, typ: 'JWT' };
  return {
    publicKey,
    sign: async (payload) => {
      const { CompactSign } = await import('jose');
      return new Secret(await new CompactSign(payload).setProtectedHeader(header).sign(privateKey));
    },
  };
}
