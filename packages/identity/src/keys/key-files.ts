/**
 * Signing keys in a folder, one file each: `<kid>.json`, for its owner alone. A file is there whole or not at all.
 */
import { chmod, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, type Secret } from '@switchyard/kernel';
import { identityErrors } from '../errors.ts';
import { readSigningKey, type SigningKey } from '../jose/signing-key.ts';

/** A key that is kept. */
export interface KeptKey {
  readonly keyId: string;
  readonly createdAtMs: number;
  readonly key: SigningKey;
}

const folderMode = 0o700;
const fileMode = 0o600;
/** What others must not have: anything of a file, writing of a folder (they could plant a key). */
const exposedFile = 0o077;
const exposedFolder = 0o022;
const extension = '.json';
const keyIdPattern = /^[A-Za-z0-9_-]{1,128}$/;
/** A file larger than this is no key. */
const maxFileBytes = 64 * 1_024;
/** File modes mean nothing there. */
const hasModes = process.platform !== 'win32';

/** Makes the folder if it is missing. Rejects with KEY_FOLDER_UNUSABLE or KEY_FILE_EXPOSED. */
export async function openKeyFolder(folder: string): Promise<void> {
  await attempt(folder, async () => {
    if ((await mkdir(folder, { recursive: true, mode: folderMode })) !== undefined) await chmod(folder, folderMode);
  });
  const { mode } = await attempt(folder, () => stat(folder));
  if (hasModes && (mode & exposedFolder) !== 0) throw exposed(folder, mode, 'written', '700');
}

/** The ids of the keys in the folder. Rejects with KEY_FOLDER_UNUSABLE. */
export async function listKeyIds(folder: string): Promise<string[]> {
  const names = await attempt(folder, () => readdir(folder));
  return names
    .filter((name) => name.endsWith(extension))
    .map((name) => name.slice(0, -extension.length))
    .filter((keyId) => keyIdPattern.test(keyId))
    .sort();
}

/** True when the folder is there and has a key. */
export async function holdsKeys(folder: string): Promise<boolean> {
  const keyIds = await listKeyIds(folder).catch(() => []);
  return keyIds.length > 0;
}

/** Reads one key. Rejects with KEY_FILE_EXPOSED or KEY_FILE_INVALID; neither quotes the file. */
export async function readKey(folder: string, keyId: string): Promise<KeptKey> {
  const path = keyPath(folder, keyId);
  const invalid = (reason: string): Error => identityErrors.create('KEY_FILE_INVALID', { path, reason });
  let text: string;
  try {
    const { mode, size } = await stat(path);
    if (hasModes && (mode & exposedFile) !== 0) throw exposed(path, mode, 'read or written', '600');
    if (size > maxFileBytes) throw invalid(`it has ${size} bytes`);
    text = await readFile(path, 'utf8');
  } catch (thrown) {
    throw isSystemError(thrown) ? invalid(thrown.code) : thrown;
  }
  const kept = parseKept(text);
  if (!kept) throw invalid("it is no JSON with 'createdAtMs' and 'key'");
  const key = await readSigningKey(kept.key).catch((thrown: unknown) => {
    throw invalid(messageOf(thrown));
  });
  if (key.publicKey.kid !== keyId) throw invalid(`it holds the key '${key.publicKey.kid}'`);
  return { keyId, createdAtMs: kept.createdAtMs, key };
}

/** Keeps a key; when this resolves, it is on the disk. Rejects with KEY_FOLDER_UNUSABLE. */
export async function writeKey(folder: string, keyId: string, createdAtMs: number, json: Secret): Promise<void> {
  const path = keyPath(folder, keyId);
  const unfinished = `${path}.new`;
  const text = `{"createdAtMs":${createdAtMs},"key":${json.reveal()}}\n`;
  await attempt(folder, async () => {
    const file = await open(unfinished, 'wx', fileMode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unfinished, path);
  });
}

/** Removes a key; one that is gone is no error. */
export async function removeKey(folder: string, keyId: string): Promise<void> {
  await attempt(folder, () => rm(keyPath(folder, keyId), { force: true }));
}

function keyPath(folder: string, keyId: string): string {
  return join(folder, `${keyId}${extension}`);
}

function parseKept(text: string): { createdAtMs: number; key: unknown } | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof json !== 'object' || json === null) return undefined;
  const { createdAtMs, key } = json as Record<string, unknown>;
  return typeof createdAtMs === 'number' && Number.isSafeInteger(createdAtMs) ? { createdAtMs, key } : undefined;
}

async function attempt<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const reason = isSystemError(thrown) ? thrown.code : messageOf(thrown);
    throw identityErrors.create('KEY_FOLDER_UNUSABLE', { path: folder, reason }, thrown);
  }
}

function exposed(path: string, mode: number, how: string, fix: string): Error {
  return identityErrors.create('KEY_FILE_EXPOSED', { path, how, mode: (mode & 0o777).toString(8), fix });
}

function isSystemError(thrown: unknown): thrown is Error & { readonly code: string } {
  return thrown instanceof Error && 'syscall' in thrown && 'code' in thrown && typeof thrown.code === 'string';
}
