/**
 * Packages as files: `<directory>/<sha256>.zip`.
 *
 * Purpose: keep what was deployed, under a name that proves it.
 * Ownership: one per data directory. Several processes may read at the same time.
 *
 * I1 A file with the name of a package holds all of its bytes: drafts lie elsewhere and are renamed when they are right.
 * I2 Bytes that are not those of their hash are never given out in full; their file is put aside.
 * I3 A refused, interrupted or failed upload leaves nothing behind.
 * I4 Collecting never removes a package that is referenced, or younger than the grace period.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, invariant, isPlatformError, messageOf, type Random } from '@switchyard/kernel';
import { controlErrors } from '../errors.ts';
import type { OpenPackage, PackageStore, PutPackageOutcome } from './contract.ts';

export interface PackageStoreDeps {
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Pick<Random, 'uuid'>;
}

export interface PackageStoreOptions {
  /** Made when it is missing. */
  readonly directory: string;
  /** Larger packages are refused; 1 GiB when left out. */
  readonly maxBytes?: number;
  /** How old an unreferenced package must be before it is collected; an hour when left out. */
  readonly graceMs?: number;
}

const defaultMaxBytes = 1024 ** 3;
const defaultGraceMs = 3_600_000;

export function createPackageStore(deps: PackageStoreDeps, options: PackageStoreOptions): PackageStore {
  const { directory, maxBytes = defaultMaxBytes, graceMs = defaultGraceMs } = options;
  const drafts = join(directory, 'incoming');
  const pathOf = (sha256: string): string => {
    invariant(/^[0-9a-f]{64}$/.test(sha256), 'a package is named by 64 hexadecimal digits');
    return join(directory, `${sha256}.zip`);
  };
  return {
    async put(sha256, bytes, signal) {
      const path = pathOf(sha256);
      const draft = join(drafts, `${sha256}.${deps.random.uuid()}`);
      await onDisk(sha256, () => mkdir(drafts, { recursive: true, mode: 0o700 }));
      try {
        const received = await receive(sha256, bytes, draft, { maxBytes, signal });
        if (received.kind === 'refused') return received;
        const isNew = (await sizeOf(path)) === undefined;
        await onDisk(sha256, () => rename(draft, path));
        return { ...received, isNew };
      } finally {
        // Why the upload failed matters more than a draft that stays: the next collection takes it.
        await rm(draft, { force: true }).catch(() => {});
      }
    },
    sizeOf: (sha256) => sizeOf(pathOf(sha256)),
    async pathOf(sha256) {
      const path = pathOf(sha256);
      return (await sizeOf(path)) === undefined ? undefined : path;
    },
    async locate(sha256) {
      const path = pathOf(sha256);
      if ((await sizeOf(path)) === undefined) return undefined;
      for await (const _ of checkedBytes(sha256, path));
      return path;
    },
    async open(sha256): Promise<OpenPackage | undefined> {
      const path = pathOf(sha256);
      const sizeBytes = await sizeOf(path);
      return sizeBytes === undefined ? undefined : { sizeBytes, bytes: checkedBytes(sha256, path) };
    },
    async collect(isReferenced) {
      const before = deps.clock.now() - graceMs;
      const packages = await oldFiles(directory, /^[0-9a-f]{64}\.zip$/, before);
      const unused = packages.map((name) => name.slice(0, 64)).filter((sha256) => !isReferenced(sha256));
      const damaged = await oldFiles(directory, /\.damaged$/, before);
      const left = (await oldFiles(drafts, /./, before)).map((name) => join('incoming', name));
      for (const name of [...unused.map((sha256) => `${sha256}.zip`), ...damaged, ...left]) {
        await rm(join(directory, name), { force: true });
      }
      return unused;
    },
  };
}

type Received =
  | Extract<PutPackageOutcome, { kind: 'refused' }>
  | { readonly kind: 'stored'; readonly sizeBytes: number };

/** Writes the bytes to the draft and judges them. Throws what the source throws. */
async function receive(
  sha256: string,
  bytes: AsyncIterable<Uint8Array>,
  draft: string,
  { maxBytes, signal }: { readonly maxBytes: number; readonly signal: AbortSignal | undefined },
): Promise<Received> {
  const hash = createHash('sha256');
  const file = await onDisk(sha256, () => open(draft, 'wx', 0o600));
  let sizeBytes = 0;
  try {
    for await (const chunk of bytes) {
      signal?.throwIfAborted();
      sizeBytes += chunk.length;
      if (sizeBytes > maxBytes) {
        const details = { sha256, limitBytes: maxBytes };
        return { kind: 'refused', error: controlErrors.create('PACKAGE_TOO_LARGE', details) };
      }
      hash.update(chunk);
      await onDisk(sha256, () => file.appendFile(chunk));
    }
    signal?.throwIfAborted();
    const found = hash.digest('hex');
    if (found !== sha256) {
      return { kind: 'refused', error: controlErrors.create('PACKAGE_MISMATCH', { sha256, found }) };
    }
    await onDisk(sha256, () => file.sync());
    return { kind: 'stored', sizeBytes };
  } finally {
    await file.close();
  }
}

/** The bytes of a file, the last chunk held back until the hash of all is known to be right. */
async function* checkedBytes(sha256: string, path: string): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash('sha256');
  let held: Uint8Array | undefined;
  for await (const chunk of createReadStream(path) as AsyncIterable<Uint8Array>) {
    hash.update(chunk);
    if (held !== undefined) yield held;
    held = chunk;
  }
  if (hash.digest('hex') !== sha256) {
    await rename(path, `${path}.damaged`);
    throw controlErrors.create('PACKAGE_DAMAGED', { sha256 });
  }
  if (held !== undefined) yield held;
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (thrown) {
    if (isMissing(thrown)) return undefined;
    throw thrown;
  }
}

/** The names of the files that match and were last changed before that time. */
async function oldFiles(directory: string, pattern: RegExp, beforeMs: number): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await entriesOf(directory)) {
    if (!entry.isFile() || !pattern.test(entry.name)) continue;
    const changed = await stat(join(directory, entry.name)).catch(() => undefined);
    if (changed !== undefined && changed.mtimeMs < beforeMs) found.push(entry.name);
  }
  return found;
}

async function entriesOf(directory: string): Promise<readonly { name: string; isFile(): boolean }[]> {
  try {
    return await readdir(directory, { withFileTypes: true });
  } catch (thrown) {
    if (isMissing(thrown)) return [];
    throw thrown;
  }
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
}

/** What the disk refuses becomes an error that says what to do. */
async function onDisk<Value>(sha256: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (thrown) {
    if (isPlatformError(thrown)) throw thrown;
    throw controlErrors.create('PACKAGE_NOT_STORED', { sha256, reason: messageOf(thrown) }, thrown);
  }
}
