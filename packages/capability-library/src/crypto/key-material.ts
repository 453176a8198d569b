/** What a named key is made of and what it can do; nothing in here leaves the host. */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto';
import type { Random } from '@switchyard/kernel';
import { plainBytes } from './digest.ts';

export const keyKinds = ['hmac', 'sign', 'seal'] as const;

/** `hmac`: HMAC-SHA-256. `sign`: Ed25519. `seal`: AES-256-GCM. */
export type KeyKind = (typeof keyKinds)[number];

const secretBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
const cipher = 'aes-256-gcm';

/** Fresh material: 32 random bytes, or an Ed25519 key as PKCS 8 in DER. */
export function createMaterial(kind: KeyKind, random: Random): Uint8Array {
  if (kind !== 'sign') return plainBytes(random.bytes(secretBytes));
  const { privateKey } = generateKeyPairSync('ed25519');
  return plainBytes(privateKey.export({ type: 'pkcs8', format: 'der' }));
}

export function macOf(material: Uint8Array, data: Uint8Array): Uint8Array {
  return plainBytes(createHmac('sha256', material).update(data).digest());
}

/** Takes equally long for right and wrong ones. */
export function isMac(material: Uint8Array, data: Uint8Array, mac: Uint8Array): boolean {
  const expected = macOf(material, data);
  return mac.length === expected.length && timingSafeEqual(expected, mac);
}

export function signatureOf(material: Uint8Array, data: Uint8Array): Uint8Array {
  return plainBytes(sign(null, data, privateKeyOf(material)));
}

export function isSignature(material: Uint8Array, data: Uint8Array, signature: Uint8Array): boolean {
  return verify(null, data, createPublicKey(privateKeyOf(material)), signature);
}

/** The public half as SPKI in PEM. */
export function publicKeyOf(material: Uint8Array): string {
  return createPublicKey(privateKeyOf(material)).export({ type: 'spki', format: 'pem' }).toString();
}

function privateKeyOf(material: Uint8Array): ReturnType<typeof createPrivateKey> {
  return createPrivateKey({ key: Buffer.from(material), format: 'der', type: 'pkcs8' });
}

/** Nonce, tag and ciphertext, in this order. `context` is not inside, but must be the same when it is opened. */
export function encrypt(material: Uint8Array, data: Uint8Array, context: Uint8Array, random: Random): Uint8Array {
  const nonce = random.bytes(nonceBytes);
  const encryption = createCipheriv(cipher, material, nonce, { authTagLength: tagBytes });
  encryption.setAAD(context);
  const text = Buffer.concat([encryption.update(data), encryption.final()]);
  return plainBytes(Buffer.concat([nonce, encryption.getAuthTag(), text]));
}

/** What `encrypt` was given; undefined when key, context or a single bit is another one. */
export function decrypt(material: Uint8Array, sealed: Uint8Array, context: Uint8Array): Uint8Array | undefined {
  if (sealed.length < nonceBytes + tagBytes) return undefined;
  const nonce = sealed.subarray(0, nonceBytes);
  const decryption = createDecipheriv(cipher, material, nonce, { authTagLength: tagBytes });
  decryption.setAAD(context);
  decryption.setAuthTag(sealed.subarray(nonceBytes, nonceBytes + tagBytes));
  try {
    return plainBytes(Buffer.concat([decryption.update(sealed.subarray(nonceBytes + tagBytes)), decryption.final()]));
  } catch {
    return undefined;
  }
}
