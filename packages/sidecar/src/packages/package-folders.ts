/**
 * The unpacked packages of a machine, by content: `<directory>/<sha256>`, shared by every worker of that content.
 *
 * Ownership: the composition root owns it and names the directory, which several processes may share.
 *
 * I1 A folder under its hash is whole: it got its name in one step, after every byte was checked and every file written.
 * I2 Calls at the same time for the same hash join one download; one that failed is forgotten and leaves nothing behind.
 * I3 Bytes whose hash is another one are never unpacked.
 * I4 A download that stands still, or takes longer than its limit, is given up.
 * I5 Nothing in a folder can be changed by its readers.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Clock, isPlatformError, type Log, messageOf, type Random, type Timer } from '@switchyard/kernel';
import { packageErrors } from './errors.ts';
import { defaultPackageLimits, type PackageLimits } from './limits.ts';
import {
  checkHash,
  describeSource,
  type FetchPackage,
  openSource,
  type PackageSource,
  unreachable,
} from './package-source.ts';
import { removeTree } from './remove-tree.ts';
import { unpack } from './unpack.ts';

export interface PackageFoldersDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** `fetch` of the platform. */
  readonly fetch: FetchPackage;
}

export interface PackageFoldersOptions {
  /** Where the folders are; made when it is missing. */
  readonly directory: string;
  /** Lets a token go over http to another machine. */
  readonly allowClearTokens?: boolean;
  readonly limits?: Partial<PackageLimits>;
}

/** Opens packages. */
export interface PackageFolders {
  /** Resolves with the folder of the unpacked package. @throws PlatformError of the package catalogue */
  open(source: PackageSource): Promise<string>;
}

/** Marks what is not whole yet. */
const unfinished = '.unfinished-';

export function createPackageFolders(deps: PackageFoldersDeps, options: PackageFoldersOptions): PackageFolders {
  return new Folders(deps, options);
}

class Folders implements PackageFolders {
  readonly #deps: PackageFoldersDeps;
  readonly #options: PackageFoldersOptions;
  readonly #limits: PackageLimits;
  readonly #opening = new Map<string, Promise<string>>();
  #isSwept = false;

  constructor(deps: PackageFoldersDeps, options: PackageFoldersOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#limits = { ...defaultPackageLimits, ...options.limits };
  }

  async open(source: PackageSource): Promise<string> {
    const sha256 = checkHash(source.sha256);
    const known = this.#opening.get(sha256);
    if (known !== undefined) return await known;
    const opening = this.#open({ ...source, sha256 });
    this.#opening.set(sha256, opening);
    try {
      return await opening;
    } finally {
      this.#opening.delete(sha256);
    }
  }

  async #open(source: PackageSource): Promise<string> {
    const { directory } = this.#options;
    const folder = join(directory, source.sha256);
    if (await isFolder(folder)) return folder;
    await mkdir(directory, { recursive: true });
    await this.#sweep();
    const attempt = new Attempt(this.#deps.clock, this.#limits);
    // Beside the folder, not below it: a sealed folder may get another name, but no other parent.
    const target = join(directory, `${unfinished}${this.#deps.random.uuid()}`);
    const zip = `${target}.zip`;
    const shown = describeSource(source.url);
    try {
      await this.#fetch(source, zip, attempt);
      await unpack(zip, target, { source: shown, limits: this.#limits, signal: attempt.signal });
      await adopt(target, folder);
      this.#deps.log.write('debug', 'A package was unpacked.', { sha256: source.sha256, source: shown });
      return folder;
    } catch (thrown) {
      throw attempt.toError(shown) ?? unreachable(shown, thrown);
    } finally {
      attempt.end();
      await rm(zip, { force: true });
      await removeTree(target);
    }
  }

  async #fetch(source: PackageSource, file: string, attempt: Attempt): Promise<void> {
    const shown = describeSource(source.url);
    const hash = createHash('sha256');
    const { packageBytes } = this.#limits;
    let sizeBytes = 0;
    const check = new Transform({
      transform(chunk: Uint8Array, _encoding, done) {
        attempt.moved();
        sizeBytes += chunk.length;
        hash.update(chunk);
        const details = { source: shown, limit: packageBytes, unit: 'bytes' };
        if (sizeBytes <= packageBytes) done(null, chunk);
        else done(packageErrors.create('PACKAGE_LIMIT_EXCEEDED', details));
      },
    });
    const { fetch } = this.#deps;
    const { signal } = attempt;
    const allowClearTokens = this.#options.allowClearTokens ?? false;
    const bytes: Readable = await openSource(source, { fetch, allowClearTokens, signal });
    await pipeline(bytes, check, createWriteStream(file, { flags: 'wx', mode: 0o600 }), { signal });
    attempt.arrived();
    const actual = hash.digest('hex');
    if (actual === source.sha256) return;
    throw packageErrors.create('PACKAGE_HASH_WRONG', { source: shown, actual, expected: source.sha256 });
  }

  /** Removes what processes that died have left behind. */
  async #sweep(): Promise<void> {
    if (this.#isSwept) return;
    this.#isSwept = true;
    const { directory } = this.#options;
    for (const name of await readdir(directory)) {
      if (!name.startsWith(unfinished)) continue;
      const path = join(directory, name);
      try {
        const { mtimeMs } = await stat(path);
        if (this.#deps.clock.now() - mtimeMs > this.#limits.leftoverMs) await removeTree(path);
      } catch (thrown) {
        this.#deps.log.write('debug', 'A leftover was not removed.', { path, reason: messageOf(thrown) });
      }
    }
  }
}

/** The time that one opening has. */
class Attempt {
  readonly #clock: Clock;
  readonly #limits: PackageLimits;
  readonly #abort = new AbortController();
  readonly #whole: Timer;
  #stall: Timer;
  #late: { readonly timeoutMs: number; readonly reason: string } | undefined;

  constructor(clock: Clock, limits: PackageLimits) {
    this.#clock = clock;
    this.#limits = limits;
    this.#whole = clock.schedule(limits.openMs, () => this.#giveUp(limits.openMs, 'it took too long'));
    this.#stall = this.#watch();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** A part of the download came. */
  moved(): void {
    this.#stall.cancel();
    this.#stall = this.#watch();
  }

  /** The download is complete. */
  arrived(): void {
    this.#stall.cancel();
  }

  end(): void {
    this.#stall.cancel();
    this.#whole.cancel();
  }

  /** The error of an attempt that ran out of time. */
  toError(source: string): Error | undefined {
    return this.#late && packageErrors.create('PACKAGE_LATE', { source, ...this.#late });
  }

  #watch(): Timer {
    const { stallMs } = this.#limits;
    return this.#clock.schedule(stallMs, () => this.#giveUp(stallMs, 'nothing came'));
  }

  #giveUp(timeoutMs: number, reason: string): void {
    this.#late = { timeoutMs, reason };
    this.#abort.abort();
  }
}

/** Gives the folder its name; when another process was faster, that one's is as good. */
async function adopt(target: string, folder: string): Promise<void> {
  try {
    await rename(target, folder);
  } catch (thrown) {
    if (!(await isFolder(folder))) throw thrown;
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'ENOENT') return false;
    throw isPlatformError(thrown) ? thrown : unreachable(path, thrown);
  }
}
