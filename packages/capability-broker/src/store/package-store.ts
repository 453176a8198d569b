/**
 * The code of capabilities that are no part of the program, by the sha256 of its bytes, and which of it is registered.
 *
 * Ownership: the composition root opens one per data folder; nobody else writes there.
 *
 * I1 What `open` gives a path to has exactly the digest that was asked for, now; anything else fails with DIGEST_MISMATCH.
 * I2 A registration is there after a restart, or it was never confirmed.
 * I3 Bytes are kept under their digest alone, whatever a manifest says.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { capabilityErrors } from '../errors.ts';
import { type CapabilityManifest, parseManifest } from '../registry/capability-manifest.ts';

/** A manifest, and the share of accounts that it is offered to. */
export interface Registration {
  readonly manifest: CapabilityManifest;
  readonly weight: number;
}

/** Nobody but the owner may change what hosts run. */
const privateMode = 0o600;
const privateFolderMode = 0o700;

/** Extensions that say how a file is run; anything else is dropped. */
const extensions: ReadonlySet<string> = new Set(['.js', '.mjs', '.cjs', '.wasm', '.py', '.dll', '.exe']);

export class PackageStore {
  readonly #packages: string;
  readonly #manifests: string;

  constructor(directory: string) {
    this.#packages = join(directory, 'packages');
    this.#manifests = join(directory, 'manifests');
  }

  async prepare(): Promise<void> {
    await mkdir(this.#packages, { recursive: true, mode: privateFolderMode });
    await mkdir(this.#manifests, { recursive: true, mode: privateFolderMode });
  }

  /** Keeps bytes; returns their digest and where they are. */
  async put(content: Uint8Array, fileName: string): Promise<{ readonly digest: string; readonly path: string }> {
    const digest = digestOf(content);
    const path = join(this.#packages, `${digest}${extensionOf(fileName)}`);
    await writeWhole(path, content);
    return { digest, path };
  }

  /** Checks what a manifest's entry holds now. */
  async open({ name, entry, digest }: CapabilityManifest): Promise<void> {
    if (entry === null || digest === null) return;
    const actual = digestOf(await readFile(entry));
    if (actual !== digest) throw capabilityErrors.create('DIGEST_MISMATCH', { name, actual, expected: digest });
  }

  /** True for code that is kept here. */
  owns({ entry }: CapabilityManifest): boolean {
    return entry !== null && dirname(entry) === this.#packages;
  }

  async save({ manifest, weight }: Registration): Promise<void> {
    await writeWhole(this.#fileOf(manifest), Buffer.from(JSON.stringify({ manifest, weight })));
  }

  async remove(manifest: CapabilityManifest): Promise<void> {
    await rm(this.#fileOf(manifest), { force: true });
  }

  /** What was registered and not removed. A file that is none of ours is left alone. */
  async registrations(): Promise<Registration[]> {
    const files = (await readdir(this.#manifests)).filter((file) => file.endsWith('.json')).sort();
    const read = files.map(async (file): Promise<Registration> => {
      const { manifest, weight }: Registration = JSON.parse(await readFile(join(this.#manifests, file), 'utf8'));
      return { manifest: parseManifest(manifest), weight };
    });
    return Promise.all(read);
  }

  #fileOf({ name, version, tier }: CapabilityManifest): string {
    return join(this.#manifests, `${name}@${version}.tier-${tier}.json`);
  }
}

function digestOf(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

function extensionOf(fileName: string): string {
  const extension = extname(fileName);
  return extensions.has(extension) ? extension : '';
}

/** A reader sees the old file or the new one, never half of one. */
async function writeWhole(path: string, content: Uint8Array): Promise<void> {
  const draft = `${path}.new`;
  await writeFile(draft, content, { mode: privateMode });
  await rename(draft, path);
}
