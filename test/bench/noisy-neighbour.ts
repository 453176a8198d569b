/**
 * What a tenant feels while another one floods, at `switchyard up` as anybody starts it: the same calls of the quiet tenant
 * alone, beside the flood, and beside the same flood on an installation of its own, in turns. The last one tells what the
 * machine's processors alone do to the calls. A flood comes from other machines: here, its sender is as nice as can be, so that
 * it takes no processor from what is measured.
 *
 *     node --conditions=switchyard-source test/bench/noisy-neighbour.ts
 */
import { fileURLToPath } from 'node:url';
import { helloFolder } from '../decoupled/hello-application.ts';
import { UpProcess } from '../e2e/up-process.ts';
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
const apart = 'the flood at an installation of its own';

interface Round {
  readonly alone: LoadResult;
  readonly beside: LoadResult;
  readonly apart: LoadResult;
  readonly flood: LoadResult;
  readonly freeFlood: LoadResult;
}

const senderNice = 19;

/** Runs the benchmark; takes about a minute and a half. */
export async function benchNoisyNeighbour(): Promise<{ readonly rows: BenchRow[]; readonly notes: string[] }> {
  const results = await measureRounds();
  return { rows: [...toRows(results), ...(await benchLoopShare())], notes: toNotes(results) };
}

/** All rounds at two installations, which are gone afterwards. */
async function measureRounds(): Promise<readonly Round[]> {
  const installations: UpProcess[] = [];
  try {
    const [port, otherPort] = [await openInstallation(installations), await openInstallation(installations)];
    await measure(port, otherPort);
    const results: Round[] = [];
    for (let round = 0; round < rounds; round += 1) results.push(await measure(port, otherPort));
    return results;
  } finally {
    for (const installation of installations) await installation.close();
  }
}

/** Two tenants with an app each; resolves with the port of the apps. As root, the tenants are users of their own. */
async function openInstallation(installations: UpProcess[]): Promise<number> {
  const flags = process.getuid?.() === 0 ? [] : ['--trusted-tenants'];
  const up = await UpProcess.start({ flags, isReachable: true });
  installations.push(up);
  for (const name of ['loud', 'quiet']) {
    await up.do('deploy', helloFolder, '--app', name, '--tenant', name);
    const { status, text } = await up.call(name, '/api/hello');
    if (status !== 200) throw new Error(`app '${name}' answered ${status}: ${text}`);
  }
  return Number(/Apps\s+http\S+:(\d+)/.exec(up.output)?.[1]);
}

async function measure(port: number, otherPort: number): Promise<Round> {
  const target = { host: '127.0.0.1', path: '/api/hello' };
  const quiet = { ...target, port, authority: 'quiet.localhost', connections: quietConnections, warmUpMs, durationMs };
  const floodAt = (floodPort: number, lengthMs: number): Promise<LoadResult> => {
    const flood = { ...target, port: floodPort, authority: 'loud.localhost', connections: floodConnections };
    return loadFrom({ ...flood, warmUpMs: floodLeadMs, durationMs: lengthMs }, { nice: senderNice });
  };
  const besideFloodAt = async (floodPort: number): Promise<[LoadResult, LoadResult]> => {
    const flooding = floodAt(floodPort, durationMs + warmUpMs + floodLeadMs);
    await new Promise((resolve) => setTimeout(resolve, floodLeadMs));
    return [await loadFrom(quiet), await flooding];
  };
  const alone = await loadFrom(quiet);
  const [beside, flood] = await besideFloodAt(port);
  const [apart, freeFlood] = await besideFloodAt(otherPort);
  return { alone, beside, apart, flood, freeFlood };
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
  const perSecond = (of: (round: Round) => LoadResult): number =>
    Math.round(median(results.map((round) => of(round).requestsPerSecond)));
  const loads = results.flatMap((round) => [round.alone, round.beside, round.apart, round.flood, round.freeFlood]);
  const errors = loads.reduce((sum, load) => sum + load.errors, 0);
  return [
    `The flood has ${floodConnections} connections, the quiet tenant ${quietConnections}. Beside the quiet tenant the flood gets ${perSecond(({ flood }) => flood)} answers per second, on an installation of its own ${perSecond(({ freeFlood }) => freeFlood)}: what is beyond its part of the Runtime waits (\`--busy-percent\`). The senders of floods run with the lowest priority. Wrong answers: ${errors}.`,
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await benchNoisyNeighbour());
