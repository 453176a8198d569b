/**
 * Runs the benchmarks one after the other, prints their tables and writes BENCHMARKS.md.
 *
 *     npm run bench                      everything
 *     npm run bench -- transport memory  only these parts; BENCHMARKS.md stays as it is
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchRow } from './bench-row.ts';
import { type PartResult, toPage, toTable } from './report.ts';

/** A part: its modules are loaded only when it runs. */
interface Part {
  readonly name: string;
  readonly title: string;
  run(): Promise<{ readonly rows: readonly BenchRow[]; readonly notes?: readonly string[] }>;
}

const parts: readonly Part[] = [
  {
    name: 'transport',
    title: 'The EventStream transport',
    run: async () => ({ rows: await (await import('./transport.ts')).benchTransport() }),
  },
  {
    name: 'codec',
    title: 'The codec',
    run: async () => ({ rows: await (await import('./codec.ts')).benchCodec() }),
  },
  {
    name: 'http',
    title: 'Warm HTTP',
    run: async () => (await import('./warm-http.ts')).benchWarmHttp(),
  },
  {
    name: 'dev',
    title: 'switchyard dev',
    run: async () => ({ rows: await (await import('./dev-start.ts')).benchDevStart() }),
  },
  {
    name: 'reload',
    title: 'Hot reload',
    run: async () => ({ rows: await (await import('./reload.ts')).benchReload() }),
  },
  {
    name: 'worker',
    title: 'Start of the Node worker',
    run: async () => ({ rows: await (await import('./worker-start.ts')).benchWorkerStart() }),
  },
  {
    name: 'specialize',
    title: 'Placeholder to worker, and the sidecar between',
    run: async () => ({ rows: await (await import('./specialize.ts')).benchSpecialize() }),
  },
  {
    name: 'scale',
    title: 'Scaling out',
    run: async () => (await import('./scale.ts')).benchScale(),
  },
  {
    name: 'neighbour',
    title: 'A noisy neighbour',
    run: async () => (await import('./noisy-neighbour.ts')).benchNoisyNeighbour(),
  },
  {
    name: 'fleet',
    title: 'A second Runtime',
    run: async () => (await import('./fleet.ts')).benchFleet(),
  },
  {
    name: 'runtime',
    title: 'The Runtime itself, and reconnecting to it',
    run: async () => (await import('./runtime-core.ts')).benchRuntimeCore(),
  },
  {
    name: 'density',
    title: 'Fifty warm apps',
    run: async () => (await import('./density.ts')).benchDensity(),
  },
  {
    name: 'pool',
    title: 'A pool of placeholders of five stacks',
    run: async () => (await import('./placeholder-pool.ts')).benchPlaceholderPool(),
  },
  {
    name: 'memory',
    title: 'Memory',
    run: async () => ({ rows: await (await import('./memory.ts')).benchMemory() }),
  },
  {
    name: 'streaming',
    title: 'HTTP as streams, and memory over many invocations',
    run: async () => ({ rows: await (await import('./streaming.ts')).benchStreaming() }),
  },
  {
    name: 'queue',
    title: 'A backlog of queue messages',
    run: async () => (await import('./queue-backlog.ts')).benchQueueBacklog(),
  },
  {
    name: 'partitions',
    title: 'Partitions and workers',
    run: async () => (await import('./partitions.ts')).benchPartitions(),
  },
  {
    name: 'timers',
    title: 'A thousand timers',
    run: async () => (await import('./timers.ts')).benchTimers(),
  },
  {
    name: 'capabilities',
    title: 'Capabilities',
    run: async () => (await import('./capabilities.ts')).benchCapabilities(),
  },
  {
    name: 'capability-sizes',
    title: 'What built-in capabilities weigh',
    run: async () => (await import('./capability-sizes.ts')).benchCapabilitySizes(),
  },
  {
    name: 'agent',
    title: 'Container jobs on a node agent',
    run: async () => (await import('./agent.ts')).benchAgent(),
  },
  {
    name: 'bus',
    title: 'The event bus and the store',
    run: async () => (await import('./bus.ts')).benchBus(),
  },
  {
    name: 'control',
    title: 'The control plane at rest',
    run: async () => (await import('./control-plane.ts')).benchControlPlane(),
  },
  {
    name: 'heal',
    title: 'Healing by itself',
    run: async () => (await import('./heal.ts')).benchHeal(),
  },
  {
    name: 'install',
    title: 'What an installation brings',
    run: async () => (await import('./install-footprint.ts')).benchInstallFootprint(),
  },
];

async function runPart(part: Part): Promise<PartResult> {
  console.log(`\n${part.title} (${part.name}) ...`);
  const { rows, notes = [] } = await part.run().catch((error: unknown) => {
    process.exitCode = 1;
    return { rows: [], notes: [`Not measured: ${error instanceof Error ? error.message : String(error)}`] };
  });
  if (rows.length > 0) console.log(toTable(rows));
  for (const note of notes) console.log(note);
  return { title: part.title, rows, notes };
}

/** In a process of its own: what one part leaves in memory must not slow the next one down. */
function runApart(part: Part): PartResult {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-bench-'));
  const file = join(folder, 'result.json');
  try {
    const { status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), part.name, `--result=${file}`], {
      stdio: 'inherit',
    });
    if (status !== 0) process.exitCode = 1;
    return JSON.parse(readFileSync(file, 'utf8')) as PartResult;
  } catch (error) {
    process.exitCode = 1;
    return {
      title: part.title,
      rows: [],
      notes: [`Not measured: ${error instanceof Error ? error.message : String(error)}`],
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const resultFlag = '--result=';
const words = process.argv.slice(2);
const resultFile = words.find((word) => word.startsWith(resultFlag))?.slice(resultFlag.length);
const names = words.filter((word) => !word.startsWith(resultFlag));
const unknown = names.find((name) => !parts.some((part) => part.name === name));
if (unknown !== undefined) {
  console.error(`There is no benchmark '${unknown}'. Benchmarks: ${parts.map((part) => part.name).join(', ')}.`);
  process.exit(2);
}
const results: PartResult[] = [];
for (const part of parts) {
  if (names.length === 0) results.push(runApart(part));
  else if (names.includes(part.name)) results.push(await runPart(part));
}
if (resultFile !== undefined) writeFileSync(resultFile, JSON.stringify(results[0]));
else if (names.length === 0 && process.exitCode === 1) {
  console.error('\nBENCHMARKS.md stays as it is, because a part failed.');
} else if (names.length === 0) {
  const page = fileURLToPath(new URL('../../BENCHMARKS.md', import.meta.url));
  writeFileSync(page, toPage(results, new Date().toISOString().slice(0, 10)));
  console.log('\nWrote BENCHMARKS.md.');
}
