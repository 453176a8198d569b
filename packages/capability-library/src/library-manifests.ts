import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fieldOf } from './parameters.ts';
import { sourceExtension } from './source-extension.ts';

/** A manifest as the broker's registry takes it. */
export interface LibraryManifest {
  readonly name: string;
  readonly version: string;
  readonly tier: 1 | 2 | 3;
  readonly kind: 'builtin' | 'thread' | 'process';
  readonly entry: string | null;
  /** The sha256 of the entry, where it was bundled; the broker compares before every load. */
  readonly digest: string | null;
  readonly requires: readonly { readonly name: string; readonly range: string }[];
  readonly estimatedLoadMs: number;
  readonly memoryFootprintBytes: number;
  readonly idempotentMethods: readonly string[];
  readonly shards: number;
  readonly limits?: {
    readonly maxConcurrentCalls?: number;
    readonly maxPayloadBytes?: number;
    readonly maxExecutionMs?: number;
  };
  readonly config: Readonly<Record<string, unknown>>;
}

export interface LibraryManifestOptions {
  /** A folder that `build.mjs` wrote; the one of this package when left out. */
  readonly bundleFolder?: string;
  /** Configuration by name, from the operator. */
  readonly config?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

const version = '1.0.0';
const megabyte = 1024 * 1024;

/** Everything but where the file stands and what the operator says. Times and sizes are those of docs/capability-library.md. */
type Fixed = Omit<LibraryManifest, 'entry' | 'digest' | 'config' | 'version'> & { readonly file?: string };

const library: readonly Fixed[] = [
  core('text', ['parseCsv', 'formatCsv', 'encode', 'decode', 'canonicalJson', 'fill', 'tokenise', 'ngrams']),
  core('json', ['pointer', 'patch', 'merge', 'canonical', 'equal']),
  core('http', []),
  {
    ...{ name: 'data.sql', tier: 2, kind: 'thread', file: 'data-sql', shards: 1 },
    ...{ estimatedLoadMs: 60, memoryFootprintBytes: 6 * megabyte },
    ...{ requires: [], idempotentMethods: ['query'] },
  },
  {
    ...{ name: 'crypto', tier: 2, kind: 'thread', file: 'crypto', shards: 1 },
    ...{ estimatedLoadMs: 50, memoryFootprintBytes: 3 * megabyte, requires: [] },
    idempotentMethods: ['hash', 'createKey', 'publicKey', 'hmac', 'verifyHmac', 'verify', 'unseal', 'listKeys'],
  },
  {
    ...{ name: 'web', tier: 2, kind: 'thread', file: 'web', shards: 1 },
    ...{ estimatedLoadMs: 120, memoryFootprintBytes: 8 * megabyte, requires: [] },
    idempotentMethods: ['htmlToText', 'links', 'select', 'sanitise', 'jsonPointer'],
  },
  {
    ...{ name: 'ml.inference', tier: 3, kind: 'process', file: 'ml-inference', shards: 2 },
    ...{ estimatedLoadMs: 250, memoryFootprintBytes: 120 * megabyte },
    requires: [{ name: 'text', range: '^1.0.0' }],
    idempotentMethods: ['models', 'describe', 'run', 'classify', 'classifyText'],
    limits: { maxExecutionMs: 60_000, maxPayloadBytes: 8 * megabyte },
  },
  {
    ...{ name: 'compute', tier: 3, kind: 'process', file: 'compute', shards: 2, requires: [] },
    ...{ estimatedLoadMs: 180, memoryFootprintBytes: 70 * megabyte, idempotentMethods: ['tasks', 'run', 'state'] },
    limits: { maxExecutionMs: 300_000, maxPayloadBytes: 8 * megabyte },
  },
  {
    ...{ name: 'background', tier: 3, kind: 'process', file: 'background', shards: 1, requires: [] },
    ...{ estimatedLoadMs: 250, memoryFootprintBytes: 80 * megabyte },
    idempotentMethods: ['kinds', 'status', 'list', 'cancel'],
    limits: { maxExecutionMs: 300_000 },
  },
];

function core(name: string, idempotentMethods: readonly string[]): Fixed {
  const costs = { estimatedLoadMs: 1, memoryFootprintBytes: 0, shards: 1 };
  return { name, tier: 1, kind: 'builtin', requires: [], idempotentMethods, ...costs };
}

/** The manifests of this library, ready to be registered. */
export function createLibraryManifests(options: LibraryManifestOptions = {}): LibraryManifest[] {
  const { bundleFolder = fileURLToPath(new URL('./bundle', import.meta.url)), config = {} } = options;
  const digests = readDigests(bundleFolder);
  return library.map(({ file, ...fixed }) => ({
    ...fixed,
    ...(file === undefined ? { entry: null, digest: null } : entryOf(file, bundleFolder, digests)),
    version,
    config: (Object.hasOwn(config, fixed.name) ? config[fixed.name] : undefined) ?? {},
  }));
}

/** The bundled entry; without a bundle, the file of this package that it is made of. */
function entryOf(
  file: string,
  bundleFolder: string,
  digests: Readonly<Record<string, unknown>>,
): Pick<LibraryManifest, 'entry' | 'digest'> {
  const digest = fieldOf(digests, `${file}.mjs`);
  if (typeof digest === 'string') return { entry: join(bundleFolder, `${file}.mjs`), digest };
  const entry = fileURLToPath(new URL(`./entries/${file}${sourceExtension}`, import.meta.url));
  return { entry, digest: null };
}

function readDigests(bundleFolder: string): Readonly<Record<string, unknown>> {
  const path = join(bundleFolder, 'digests.json');
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};
}
