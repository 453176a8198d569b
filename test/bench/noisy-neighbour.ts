/**
 * What a tenant feels while another one floods: the same calls of the quiet tenant alone, beside the flood, and beside the
 * same flood on a Runtime of its own, in turns. The last one tells what the machine's processors alone do to the calls.
 *
 *     node --conditions=switchyard-source test/bench/noisy-neighbour.ts
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { buildWorker } from '../conformance/worker-process.ts';
import type { BenchRow } from './bench-row.ts';
import type { LoadResult } from './http-load.ts';
import { benchLoopShare } from './loop-share.ts';
import { loadFrom } from './processes.ts';
import { median } from './statistics.ts';

const rounds = 5;
const quietConnections = 2;
const floodConnections = 64;
const durationMs = 2_000;
const warmUpMs = 300;
/** The flood begins before, and lasts beyond, what is measured. */
const floodLeadMs = 1_000;

const alone = 'the same tenant alone';
const apart = 'the flood at a Runtime of its own';

interface Round {
  readonly alone: LoadResult;
  readonly beside: LoadResult;
  readonly apart: LoadResult;
  readonly flood: LoadResult;
}

interface Platform {
  readonly port: number;
  close(): Promise<void>;
}

/** Runs the benchmark; takes about a minute. */
export async function benchNoisyNeighbour(): Promise<{ readonly rows: BenchRow[]; readonly notes: string[] }> {
  const bundle = await buildWorker();
  const platforms: Platform[] = [];
  try {
    const [shared, other] = [await openPlatform(bundle.path, platforms), await openPlatform(bundle.path, platforms)];
    await measure(shared.port, other.port);
    const results: Round[] = [];
    for (let round = 0; round < rounds; round += 1) results.push(await measure(shared.port, other.port));
    return { rows: [...toRows(results), ...(await benchLoopShare())], notes: toNotes(results) };
  } finally {
    for (const platform of platforms) await platform.close();
    bundle.remove();
  }
}

async function openPlatform(workerPath: string, platforms: Platform[]): Promise<Platform> {
  const script = fileURLToPath(new URL('./two-tenants-process.ts', import.meta.url));
  const child = spawn(process.execPath, ['--conditions=switchyard-source', script, workerPath], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const close = async (): Promise<void> => {
    child.stdin.end();
    await exited;
  };
  const [line] = (await Promise.race([once(child.stdout, 'data'), exited.then(() => [''])])) as [Buffer | ''];
  if (line === '') throw new Error('the process with the two tenants ended before it was ready');
  const platform = { port: Number(String(line).trim()), close };
  platforms.push(platform);
  return platform;
}

async function measure(port: number, otherPort: number): Promise<Round> {
  const target = { host: '127.0.0.1', path: '/api/hello' };
  const quiet = { ...target, port, authority: 'quiet.localhost', connections: quietConnections, warmUpMs, durationMs };
  const besideFloodAt = async (floodPort: number): Promise<[LoadResult, LoadResult]> => {
    const flooding = loadFrom({
      ...target,
      port: floodPort,
      authority: 'loud.localhost',
      connections: floodConnections,
      warmUpMs: floodLeadMs,
      durationMs: durationMs + warmUpMs + floodLeadMs,
    });
    await new Promise((resolve) => setTimeout(resolve, floodLeadMs));
    return [await loadFrom(quiet), await flooding];
  };
  const alone = await loadFrom(quiet);
  const [beside, flood] = await besideFloodAt(port);
  const [apart] = await besideFloodAt(otherPort);
  return { alone, beside, apart, flood };
}

function toRows(results: readonly Round[]): BenchRow[] {
  const row = (share: 'p50' | 'p99', against: string, target: string): BenchRow => {
    const of = (load: LoadResult): number => (share === 'p50' ? load.p50Ms : load.p99Ms);
    const ours = median(results.map(({ beside }) => of(beside)));
    const isAlone = against === alone;
    const reference = median(results.map((round) => of(isAlone ? round.alone : round.apart)));
    const name = `a quiet tenant while another floods, ${share}`;
    return { name, ours, reference, against, ratio: ours / reference, unit: 'ms', target };
  };
  return [row('p50', alone, ''), row('p99', alone, '<= 1.5'), row('p50', apart, ''), row('p99', apart, '')];
}

function toNotes(results: readonly Round[]): string[] {
  const flood = median(results.map((round) => round.flood.requestsPerSecond));
  const loads = results.flatMap((round) => [round.alone, round.beside, round.apart, round.flood]);
  const errors = loads.reduce((sum, load) => sum + load.errors, 0);
  return [
    `The flood: ${floodConnections} connections, ${Math.round(flood)} requests per second; the quiet tenant has ${quietConnections}. Wrong answers: ${errors}.`,
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await benchNoisyNeighbour());
