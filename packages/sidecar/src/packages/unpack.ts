/**
 * Unpacks a zip file into a folder that nobody else uses yet.
 *
 * An entry is taken only when it is a plain file or folder with a path inside the target: links, devices, absolute and
 * climbing paths, encrypted entries and repeated names are refused, and what files really unpack to is counted, whatever
 * their headers say. No link is ever made, so no later entry can be led out through one.
 */
import { createWriteStream } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { messageOf } from '@switchyard/kernel';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { packageErrors } from './errors.ts';
import type { PackageLimits } from './limits.ts';

export interface UnpackOptions {
  /** How errors name the package. */
  readonly source: string;
  readonly limits: Pick<PackageLimits, 'unpackedBytes' | 'entries' | 'pathLength'>;
  readonly signal: AbortSignal;
}

/** Files and folders of a zip may be read, and files run, by everybody; changed by nobody. */
const fileMode = 0o444;
const programMode = 0o555;
const folderMode = 0o555;

/**
 * Unpacks `file` into the new folder `target`. When it throws, the folder may hold a part: the caller removes it.
 * @throws PlatformError PACKAGE_UNREADABLE, PACKAGE_ENTRY_REFUSED, PACKAGE_LIMIT_EXCEEDED
 */
export async function unpack(file: string, target: string, options: UnpackOptions): Promise<void> {
  const { source, limits, signal } = options;
  await mkdir(target);
  const zip = await readable(source, openPromise(file, { validateEntrySizes: true, autoClose: false }));
  try {
    if (zip.entryCount > limits.entries) throw tooLarge(source, limits.entries, 'entries');
    const unpacking = new Unpacking(zip, target, options);
    for await (const entry of entriesOf(source, zip)) {
      signal.throwIfAborted();
      await unpacking.take(entry);
    }
    await unpacking.seal();
  } finally {
    zip.close();
  }
}

class Unpacking {
  readonly #zip: ZipFile;
  readonly #target: string;
  readonly #options: UnpackOptions;
  readonly #folders = new Set<string>();
  #unpackedBytes = 0;

  constructor(zip: ZipFile, target: string, options: UnpackOptions) {
    this.#zip = zip;
    this.#target = target;
    this.#options = options;
  }

  async take(entry: Entry): Promise<void> {
    const { source, limits } = this.#options;
    const reason = refusalOf(entry, limits.pathLength);
    if (reason !== undefined)
      throw packageErrors.create('PACKAGE_ENTRY_REFUSED', { source, entry: nameOf(entry), reason });
    const path = join(this.#target, entry.fileName.replace(/\/$/, ''));
    if (entry.fileName.endsWith('/')) await this.#makeFolder(entry, path);
    else {
      await this.#makeFolder(entry, dirname(path));
      await this.#write(entry, path);
    }
  }

  /** Nothing is added to the folders any more, and nothing in them is changed. */
  async seal(): Promise<void> {
    for (const folder of [...this.#folders].reverse()) await chmod(folder, folderMode);
    await chmod(this.#target, folderMode);
  }

  async #makeFolder(entry: Entry, path: string): Promise<void> {
    if (path === this.#target || this.#folders.has(path)) return;
    if (path.startsWith(`${this.#target}/`)) await this.#makeFolder(entry, dirname(path));
    try {
      await mkdir(path);
    } catch (thrown) {
      throw this.#refuse(entry, thrown);
    }
    this.#folders.add(path);
  }

  async #write(entry: Entry, path: string): Promise<void> {
    const { source, signal } = this.#options;
    const content = await readable(source, this.#zip.openReadStreamPromise(entry));
    const isProgram = ((entry.externalFileAttributes >>> 16) & 0o111) !== 0;
    const file = createWriteStream(path, { flags: 'wx', mode: isProgram ? programMode : fileMode });
    let writeFailure: unknown;
    file.once('error', (error) => {
      writeFailure = error;
    });
    try {
      await pipeline(content, this.#count(), file, { signal });
    } catch (thrown) {
      if (writeFailure === thrown) throw this.#refuse(entry, thrown);
      throw asPackageError(source, thrown);
    }
  }

  /** Counts what comes, and breaks off above the limit. */
  #count(): Transform {
    const { source, limits } = this.#options;
    return new Transform({
      transform: (chunk: Uint8Array, _encoding, done) => {
        this.#unpackedBytes += chunk.length;
        if (this.#unpackedBytes <= limits.unpackedBytes) done(null, chunk);
        else done(tooLarge(source, limits.unpackedBytes, 'bytes when unpacked'));
      },
    });
  }

  #refuse(entry: Entry, thrown: unknown): Error {
    const { code } = thrown as NodeJS.ErrnoException;
    const { source } = this.#options;
    const reason =
      code === 'EEXIST' || code === 'ENOTDIR' || code === 'EISDIR' ? 'stands in the place of another one' : undefined;
    if (reason === undefined) return asPackageError(source, thrown);
    return packageErrors.create('PACKAGE_ENTRY_REFUSED', { source, entry: nameOf(entry), reason }, thrown);
  }
}

/** Why an entry is not taken. `yauzl` has refused absolute paths, drive letters and `..` before. */
function refusalOf(entry: Entry, pathLength: number): string | undefined {
  const { fileName, externalFileAttributes } = entry;
  const type = (externalFileAttributes >>> 16) & 0o170000;
  if (type === 0o120000) return 'is a symbolic link';
  if (type !== 0 && type !== 0o100000 && type !== 0o040000) return 'is neither a file nor a folder';
  if (entry.isEncrypted()) return 'is encrypted';
  if (fileName.length > pathLength) return `has a path of more than ${pathLength} characters`;
  if (fileName.includes('\0')) return 'has a zero byte in its name';
  const parts = fileName.replace(/\/$/, '').split('/');
  if (parts.some((part) => part === '' || part === '.')) return 'has a path with an empty or dot part';
  return undefined;
}

/** Entry names come from outside: only their beginning, without control characters, is shown. */
function nameOf({ fileName }: Entry): string {
  return fileName.slice(0, 120).replace(/\p{Cc}/gu, '?');
}

async function* entriesOf(source: string, zip: ZipFile): AsyncGenerator<Entry> {
  const entries = zip.eachEntry();
  for (;;) {
    const next = await readable(source, entries.next());
    if (next.done === true) return;
    yield next.value;
  }
}

async function readable<T>(source: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (thrown) {
    throw asPackageError(source, thrown);
  }
}

function asPackageError(source: string, thrown: unknown): Error {
  if (thrown instanceof Error && (thrown.name === 'PlatformError' || thrown.name === 'AbortError')) return thrown;
  return packageErrors.create('PACKAGE_UNREADABLE', { source, reason: messageOf(thrown) }, thrown);
}

function tooLarge(source: string, limit: number, unit: string): Error {
  return packageErrors.create('PACKAGE_LIMIT_EXCEEDED', { source, limit, unit });
}
