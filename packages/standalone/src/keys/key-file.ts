/**
 * Function keys in one file of the data folder, for `switchyard dev --enable-auth`.
 *
 * Every app has a master key, host keys that open all its functions, and keys of each function. What is missing is made
 * and written when it is first asked for. The file is readable by its owner alone; keys never go to the log.
 *
 * Ownership: one object per process and file; it reads the file once and writes it whole.
 *
 * I1 A key that was made once stays the same over restarts.
 * I2 Only the owner can read the file, from its first byte on.
 * I3 A file that is not understood is an error and stays as it is.
 * I4 An app's keys open nothing of another app.
 */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, type Random } from '@switchyard/kernel';
import { isJsonObject, parseJsonText } from '@switchyard/model';
import type { FunctionKeys } from '@switchyard/runtime';
import { standaloneErrors } from '../errors.ts';
import { generateKey } from './generate-key.ts';
import { createKeyRing, type KeyRing } from './key-ring.ts';

/** The keys of one app as the file holds them. */
interface AppKeys {
  master: string;
  host: Record<string, string>;
  functions: Record<string, Record<string, string>>;
}

/** Owner reads and writes, nobody else. */
const privateMode = 0o600;
const privateFolderMode = 0o700;

/** The name of the key that is made without being asked for. */
const defaultKeyName = 'default';

export class KeyFile {
  readonly path: string;
  readonly #random: Pick<Random, 'bytes'>;
  readonly #apps: Map<string, AppKeys>;
  readonly #rings = new Map<string, KeyRing>();
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, random: Pick<Random, 'bytes'>, apps: Map<string, AppKeys>) {
    this.path = path;
    this.#random = random;
    this.#apps = apps;
  }

  /** Reads the file, or begins an empty one. Rejects with KEYS_FILE_INVALID or DATA_FOLDER_UNWRITABLE. */
  static async open(path: string, random: Pick<Random, 'bytes'>): Promise<KeyFile> {
    return new KeyFile(path, random, await readApps(path));
  }

  /** The keys of an app; master and default host key are made when there are none yet. */
  async keysOf(applicationId: string): Promise<FunctionKeys> {
    if (!this.#apps.has(applicationId)) {
      const host = { [defaultKeyName]: generateKey(this.#random) };
      this.#apps.set(applicationId, { master: generateKey(this.#random), host, functions: {} });
      await this.#write();
    }
    return this.#ringOf(applicationId);
  }

  /** Makes a default key for each function that has none. */
  async addFunctions(applicationId: string, functionNames: readonly string[]): Promise<void> {
    const keys = this.#apps.get(applicationId);
    if (keys === undefined) return;
    const missing = functionNames.filter((name) => !Object.hasOwn(keys.functions, name));
    if (missing.length === 0) return;
    for (const name of missing)
      keys.functions = { ...keys.functions, [name]: { [defaultKeyName]: generateKey(this.#random) } };
    this.#fill(this.#ringOf(applicationId), keys);
    await this.#write();
  }

  #ringOf(applicationId: string): KeyRing {
    const known = this.#rings.get(applicationId);
    if (known !== undefined) return known;
    const ring = createKeyRing();
    const keys = this.#apps.get(applicationId);
    if (keys !== undefined) this.#fill(ring, keys);
    this.#rings.set(applicationId, ring);
    return ring;
  }

  #fill(ring: KeyRing, keys: AppKeys): void {
    ring.add(keys.master, 'admin');
    for (const key of Object.values(keys.host)) ring.add(key, 'function');
    for (const [name, own] of Object.entries(keys.functions))
      for (const key of Object.values(own)) ring.add(key, 'function', name);
  }

  /** Writes the file whole, one write after the other, so that a crash leaves the old one or the new one. */
  #write(): Promise<void> {
    const text = `${JSON.stringify({ apps: Object.fromEntries(this.#apps) }, undefined, 2)}\n`;
    this.#writing = this.#writing.then(
      () => writePrivately(this.path, text),
      () => writePrivately(this.path, text),
    );
    return this.#writing;
  }
}

async function writePrivately(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: privateFolderMode });
    const draft = `${path}.new`;
    await rm(draft, { force: true });
    await writeFile(draft, text, { mode: privateMode, flag: 'wx' });
    await rename(draft, path);
  } catch (error) {
    throw standaloneErrors.create('DATA_FOLDER_UNWRITABLE', { path, reason: messageOf(error) }, error);
  }
}

async function readApps(path: string): Promise<Map<string, AppKeys>> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw standaloneErrors.create('KEYS_FILE_INVALID', { file: path, reason: error.message }, error);
  });
  if (text === undefined) return new Map();
  const parsed = parseJsonText(text, path);
  const invalid = (reason: string): Error => standaloneErrors.create('KEYS_FILE_INVALID', { file: path, reason });
  const apps = isJsonObject(parsed) ? parsed.apps : undefined;
  if (!isJsonObject(apps)) throw invalid("it has no object 'apps'");
  const broken = Object.entries(apps).find(([, keys]) => !isAppKeys(keys));
  if (broken !== undefined) throw invalid(`the keys of app '${broken[0]}' lack 'master', 'host' or 'functions'`);
  return new Map(Object.entries(apps as Record<string, AppKeys>));
}

function isAppKeys(value: unknown): value is AppKeys {
  return (
    isJsonObject(value) &&
    typeof value.master === 'string' &&
    isKeySet(value.host) &&
    isJsonObject(value.functions) &&
    Object.values(value.functions).every(isKeySet)
  );
}

function isKeySet(value: unknown): value is Record<string, string> {
  return isJsonObject(value) && Object.values(value).every((key) => typeof key === 'string' && key !== '');
}
