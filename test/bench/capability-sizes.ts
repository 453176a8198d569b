/**
 * What the built-in capabilities weigh when they are loaded: the bytes that a host reads, beside what the founding document
 * claims for its runtimes, how long loading takes, what it adds to the memory of its host, and how long it takes to be gone.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type HostConnection,
  openInProcessHost,
  openProcessHost,
  openThreadHost,
  parseManifest,
} from '@switchyard/capability-broker';
import { createCoreModules, createLibraryManifests, type LibraryManifest } from '@switchyard/capability-library';
import { silentLog, systemClock, systemRandom } from '@switchyard/kernel';
import { rolldown } from 'rolldown';
import type { BenchRow } from './bench-row.ts';
import { median } from './statistics.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const bundle = join(repository, 'packages/capability-library/dist/bundle');
const hostProgram = join(repository, 'packages/capability-broker/dist/host/main.cjs');
const megabyte = 1_000_000;
const rounds = 5;

/** What the founding document says its runtimes weigh, in MB, and what stands for each here. */
const seedSizes = [
  { title: 'core (text, json, http)', names: ['text', 'json', 'http'], seedMb: 4, files: [] },
  { title: 'web', names: ['web'], seedMb: 8, files: ['web.mjs'] },
  { title: 'data (data.sql)', names: ['data.sql'], seedMb: 6, files: ['data-sql.mjs'] },
  {
    ...{ title: 'machine learning (ml.inference)', names: ['ml.inference'], seedMb: 12 },
    files: ['ml-inference.mjs', 'inference-thread.mjs', 'models', 'onnxruntime'],
  },
  { title: 'crypto', names: ['crypto'], seedMb: 3, files: ['crypto.mjs'] },
] as const;

/** One call, so that whatever is loaded late is loaded. */
const firstCalls: Readonly<Record<string, readonly [string, ...unknown[]]>> = {
  'data.sql': ['query', 'SELECT 1 AS one'],
  crypto: ['hash', 'sha256', 'x'],
  web: ['htmlToText', '<p>x</p>'],
  'ml.inference': ['classify', 'language', new Array(512).fill(0)],
  compute: ['run', 'countPrimes', [1_000]],
  background: ['list'],
};

/** Runs the benchmark; takes half a minute. The packages must be built. */
export async function benchCapabilitySizes(): Promise<{
  readonly rows: readonly BenchRow[];
  readonly notes: readonly string[];
}> {
  const rows: BenchRow[] = [];
  for (const { title, seedMb, files } of seedSizes) {
    const bytes =
      files.length === 0 ? await coreBytes() : files.reduce((sum, file) => sum + sizeOf(join(bundle, file)), 0);
    rows.push({
      ...{ name: `size: ${title}`, ours: bytes / megabyte, reference: seedMb, against: "the founding document's" },
      ...{ ratio: bytes / megabyte / seedMb, unit: 'MB', target: '' },
    });
  }
  const notes: string[] = [];
  for (const manifest of createLibraryManifests({ bundleFolder: bundle })) {
    const samples: Sample[] = [];
    for (let round = 0; round < rounds; round += 1) samples.push(await measure(manifest));
    const middle = (pick: (sample: Sample) => number): string => median(samples.map(pick)).toFixed(1);
    const { startMs, loadMs, firstMs, memoryMb, goneMs } = {
      startMs: middle((sample) => sample.startMs),
      loadMs: middle((sample) => sample.loadMs),
      firstMs: middle((sample) => sample.firstMs),
      memoryMb: middle((sample) => sample.memoryMb),
      goneMs: middle((sample) => sample.goneMs),
    };
    notes.push(
      `\`${manifest.name}\` (tier ${manifest.tier}, ${manifest.kind}): host started in ${startMs} ms, loaded in ${loadMs} ms, ` +
        `first call ${firstMs} ms, ${memoryMb} MB more than the bare host, gone in ${goneMs} ms.`,
    );
  }
  return { rows, notes };
}

interface Sample {
  readonly startMs: number;
  readonly loadMs: number;
  readonly firstMs: number;
  readonly memoryMb: number;
  readonly goneMs: number;
}

async function measure(input: LibraryManifest): Promise<Sample> {
  const manifest = parseManifest(input);
  const { name, version, kind, entry, limits, idempotentMethods, config } = manifest;
  const folder = mkdtempSync(join(tmpdir(), 'capability-size-'));
  const beginMs = performance.now();
  const connection = open(input);
  try {
    await connection.host.ping();
    const startMs = performance.now() - beginMs;
    const bare = (await connection.host.stats()).memoryBytes;
    const key = `${name}@${version}`;
    const loadStartMs = performance.now();
    await connection.host.load({
      ...{ key, name, version, kind, entry, limits, idempotentMethods, config },
      ...{ shard: `${name}:shard-0`, statePath: join(folder, 'state.sqlite') },
    });
    const loadMs = performance.now() - loadStartMs;
    const target = await connection.host.open({ key, leaseId: 'lease', account: 'bench', ticket: '' }, {});
    const firstStartMs = performance.now();
    const [method, ...parameters] = firstCalls[name] ?? [];
    if (method !== undefined) await target.invoke(method, parameters);
    const firstMs = performance.now() - firstStartMs;
    const memoryMb = ((await connection.host.stats()).memoryBytes - bare) / megabyte;
    const goneStartMs = performance.now();
    if (connection.dedicated) await connection.kill();
    else await connection.host.unload(key);
    return { startMs, loadMs, firstMs, memoryMb, goneMs: performance.now() - goneStartMs };
  } finally {
    await connection.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

function open({ kind, name }: LibraryManifest): HostConnection {
  const deps = { clock: systemClock, random: systemRandom, log: silentLog };
  switch (kind) {
    case 'builtin': {
      const builtins = createCoreModules({ clock: systemClock });
      const memoryBytes = (): number => process.memoryUsage().heapUsed;
      return openInProcessHost({ ...deps, pid: process.pid, memoryBytes, builtins });
    }
    case 'thread':
      return openThreadHost(deps, { shard: name, program: hostProgram, flags: [], maxHeapMb: 128 });
    case 'process':
      return openProcessHost(deps, {
        ...{ shard: name, executable: process.execPath, parameters: [hostProgram] },
        environment: {},
      });
  }
}

/** The core is part of the broker's program; its share is what it comes to alone. */
async function coreBytes(): Promise<number> {
  const input = join(repository, 'packages/capability-library/src/core-modules.ts');
  const conditionNames = ['switchyard-source', 'node'];
  const core = await rolldown({ input, platform: 'node', resolve: { conditionNames }, tsconfig: false });
  try {
    const { output } = await core.generate({ format: 'esm', codeSplitting: false, minify: true });
    return Buffer.byteLength(output[0].code);
  } finally {
    await core.close();
  }
}

function sizeOf(path: string): number {
  const status = statSync(path);
  if (!status.isDirectory()) return status.size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}
