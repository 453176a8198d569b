/**
 * Keys of all apps of a process in one file, which its owner alone can read.
 *
 * Ownership: one object per process and file; it reads the file once and writes it whole.
 *
 * I1 Only the owner can read the file, from its first byte on.
 * I2 A file that is not understood is an error and stays as it is.
 * I3 Writes of several apps lose nothing of each other, and a crash leaves the old file or the new one.
 * I4 Sealed, the file holds no key that can be read without the one beside it.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, type Random } from '@switchyard/kernel';
import { isJsonObject, parseJsonText } from '@switchyard/model';
import { standaloneErrors } from '../errors.ts';
import { type AppKeys, parseAppKeys } from './app-keys.ts';
import type { KeyVault } from './key-vaults.ts';

/** Owner reads and writes, nobody else. */
const privateMode = 0o600;
const privateFolderMode = 0o700;

const cipherName = 'aes-256-gcm';
const sealKeyBytes = 32;
const nonceBytes = 12;

export interface FileKeyVaultOptions {
  readonly path: string;
  /** Encrypts the keys under a key of its own, in a file beside this one. */
  readonly isSealed: boolean;
}

/** Opens the file, or begins an empty one. Rejects with KEYS_FILE_INVALID or DATA_FOLDER_UNWRITABLE. */
export async function openFileKeyVault(
  { path, isSealed }: FileKeyVaultOptions,
  random: Pick<Random, 'bytes'>,
): Promise<KeyVault> {
  const seal = isSealed ? await openSeal(`${path}.key`, path, random) : plainSeal;
  const apps = await readApps(path, seal);
  let writing: Promise<void> = Promise.resolve();
  return {
    place: path,
    read: async (applicationId) => apps.get(applicationId),
    write(applicationId, keys) {
      apps.set(applicationId, keys);
      const text = `${JSON.stringify({ apps: seal.close(Object.fromEntries(apps)) }, undefined, 2)}\n`;
      const write = (): Promise<void> => writePrivately(path, text);
      writing = writing.then(write, write);
      return writing;
    },
  };
}

/** Turns the keys into what the file holds, and back. */
interface Seal {
  close(apps: Readonly<Record<string, AppKeys>>): unknown;
  /** Undefined when it is not what `close` makes. */
  open(content: unknown): unknown;
}

const plainSeal: Seal = { close: (apps) => apps, open: (content) => content };

async function openSeal(keyPath: string, path: string, random: Pick<Random, 'bytes'>): Promise<Seal> {
  let key = await readFile(keyPath).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw standaloneErrors.create('KEYS_FILE_INVALID', { file: keyPath, reason: error.message }, error);
  });
  if (key === undefined) {
    const isThere = await readFile(path).then(
      () => true,
      () => false,
    );
    // A new key would open nothing of what is there.
    if (isThere) throw standaloneErrors.create('KEYS_FILE_INVALID', { file: path, reason: `'${keyPath}' is missing` });
    key = Buffer.from(random.bytes(sealKeyBytes));
    await writePrivately(keyPath, key);
  }
  if (key.length !== sealKeyBytes) {
    throw standaloneErrors.create('KEYS_FILE_INVALID', { file: keyPath, reason: `it must hold ${sealKeyBytes} bytes` });
  }
  return sealedWith(key, random);
}

function sealedWith(key: Buffer, random: Pick<Random, 'bytes'>): Seal {
  return {
    close(apps) {
      const nonce = random.bytes(nonceBytes);
      const cipher = createCipheriv(cipherName, key, nonce);
      const sealed = Buffer.concat([cipher.update(JSON.stringify(apps), 'utf8'), cipher.final()]);
      return [nonce, cipher.getAuthTag(), sealed].map((part) => Buffer.from(part).toString('base64')).join('.');
    },
    open(content) {
      if (typeof content !== 'string') return undefined;
      const [nonce, tag, sealed] = content.split('.').map((part) => Buffer.from(part, 'base64'));
      if (nonce?.length !== nonceBytes || tag === undefined || sealed === undefined) return undefined;
      try {
        const decipher = createDecipheriv(cipherName, key, nonce);
        decipher.setAuthTag(tag);
        return JSON.parse(Buffer.concat([decipher.update(sealed), decipher.final()]).toString('utf8'));
      } catch {
        return undefined;
      }
    },
  };
}

async function writePrivately(path: string, content: string | Uint8Array): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: privateFolderMode });
    const draft = `${path}.new`;
    await rm(draft, { force: true });
    await writeFile(draft, content, { mode: privateMode, flag: 'wx' });
    await rename(draft, path);
  } catch (error) {
    throw standaloneErrors.create('DATA_FOLDER_UNWRITABLE', { path, reason: messageOf(error) }, error);
  }
}

async function readApps(path: string, seal: Seal): Promise<Map<string, AppKeys>> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw standaloneErrors.create('KEYS_FILE_INVALID', { file: path, reason: error.message }, error);
  });
  if (text === undefined) return new Map();
  const parsed = parseJsonText(text, path);
  const invalid = (reason: string): Error => standaloneErrors.create('KEYS_FILE_INVALID', { file: path, reason });
  const apps = seal.open(isJsonObject(parsed) ? parsed.apps : undefined);
  if (!isJsonObject(apps)) throw invalid("it has no object 'apps', or was sealed with another key");
  const read = Object.entries(apps).map(([applicationId, value]): [string, AppKeys] => {
    const keys = parseAppKeys(value);
    if (keys === undefined) throw invalid(`the keys of app '${applicationId}' lack 'master', 'host' or 'functions'`);
    return [applicationId, keys];
  });
  return new Map(read);
}
