/**
 * Sealing what must not be readable in the catalog's file: AES-256-GCM under a key that stands in a file of its own.
 *
 * I1 What was sealed opens to the same text, in the same place only: a value that was copied to another name is refused.
 * I2 The key file is readable by its owner alone, is made once, and is never overwritten.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { invariant, messageOf, type Random, Secret } from '@switchyard/kernel';
import { controlErrors } from '../errors.ts';

const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

/** Seals texts; `place` says where a text belongs, so that it cannot be moved. */
export interface Seal {
  seal(text: string, place: readonly string[]): Uint8Array;
  /** Undefined when the bytes were sealed with another key, or for another place, or changed since. */
  open(bytes: Uint8Array, place: readonly string[]): Secret | undefined;
  /** 64 hexadecimal digits that tell equal texts, and tell nobody without the key anything else. */
  digest(text: string): string;
}

/** Makes the seal of a key of 32 bytes. */
export function createSeal(random: Pick<Random, 'bytes'>, key: Uint8Array): Seal {
  invariant(key.length === keyBytes, `a key has ${keyBytes} bytes`);
  const sealingKey = deriveKey(key, 'switchyard catalog seal');
  const digestKey = deriveKey(key, 'switchyard catalog digest');
  return {
    seal(text, place) {
      const nonce = random.bytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', sealingKey, nonce).setAAD(toPlaceBytes(place));
      const sealed = [cipher.update(text, 'utf8'), cipher.final()];
      return new Uint8Array(Buffer.concat([nonce, cipher.getAuthTag(), ...sealed]));
    },
    open(bytes, place) {
      if (bytes.length < nonceBytes + tagBytes) return undefined;
      const [nonce, tag] = [bytes.subarray(0, nonceBytes), bytes.subarray(nonceBytes, nonceBytes + tagBytes)];
      const decipher = createDecipheriv('aes-256-gcm', sealingKey, nonce, { authTagLength: tagBytes });
      decipher.setAAD(toPlaceBytes(place)).setAuthTag(tag);
      try {
        const text = Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]);
        return new Secret(text.toString('utf8'));
      } catch {
        return undefined;
      }
    },
    digest: (text) => createHmac('sha256', digestKey).update(text).digest('hex'),
  };
}

/**
 * Reads the key file; makes it where `mayMake` allows. Other people's right to read it is an error, not something to
 * repair in silence: the key may be known by then. A mounted file has the rights that whoever mounts it can give.
 * @throws PlatformError CATALOG_KEY_UNUSABLE
 */
export function openKeyFile(
  random: Pick<Random, 'bytes' | 'uuid'>,
  file: string,
  options: { readonly mayMake: boolean; readonly isMounted?: boolean },
): Uint8Array {
  const { mayMake, isMounted = false } = options;
  try {
    if (mayMake) makeKeyFile(random, file);
    if (!isMounted && process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0) {
      throw new Error('others than its owner can read it (it needs mode 600)');
    }
    const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64');
    if (key.length !== keyBytes) throw new Error(`it does not hold ${keyBytes} bytes in base64`);
    return new Uint8Array(key);
  } catch (thrown) {
    throw controlErrors.create('CATALOG_KEY_UNUSABLE', { file, reason: messageOf(thrown) }, thrown);
  }
}

/** A link appears with all its bytes or not at all, and never takes the place of a file that is there. */
function makeKeyFile(random: Pick<Random, 'bytes' | 'uuid'>, file: string): void {
  if (existsSync(file)) return;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${random.uuid()}`;
  writeFileSync(draft, `${Buffer.from(random.bytes(keyBytes)).toString('base64')}\n`, { flag: 'wx', mode: 0o600 });
  try {
    linkSync(draft, file);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** JSON, so that no two places read alike. */
function toPlaceBytes(place: readonly string[]): Uint8Array {
  return Buffer.from(JSON.stringify(place));
}

function deriveKey(key: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, new Uint8Array(), purpose, keyBytes));
}
