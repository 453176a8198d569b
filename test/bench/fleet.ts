/**
 * What the way to a second Runtime costs: the same warm calls of an app whose home is a Runtime of another process, through the
 * gateway of the installation, and of one on the installation's own Runtime, in turns.
 *
 *     node --conditions=switchyard-source test/bench/fleet.ts
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { helloFolder } from '../decoupled/hello-application.ts';
import { DevProcess } from '../e2e/dev-process.ts';
import { UpProcess } from '../e2e/up-process.ts';
import type { BenchRow } from './bench-row.ts';
import type { LoadResult } from './http-load.ts';
import { loadFrom } from './processes.ts';
import { median } from './statistics.ts';

const rounds = 7;
const connections = 32;
const durationMs = 1_500;
const warmUpMs = 300;
const readyMs = 60_000;
const pollMs = 100;

const apps = ['here', 'there'] as const;

interface Sample {
  readonly single: LoadResult;
  readonly many: LoadResult;
}

type Round = Readonly<Record<(typeof apps)[number], Sample>>;

/** Runs the benchmark; takes about a minute. */
export async function benchFleet(): Promise<{ readonly rows: BenchRow[]; readonly notes: string[] }> {
  const flags = ['--trusted-tenants', '--max-runtimes', '2', '--region', 'south'];
  const up = await UpProcess.start({ flags });
  let runtime: DevProcess | undefined;
  try {
    runtime = await joinRuntime(up);
    for (const app of apps) await host(up, app, app === 'here' ? 'south' : 'north');
    const port = Number(/Apps\s+http\S+:(\d+)/.exec(up.output)?.[1]);
    await measure(port);
    const results: Round[] = [];
    for (let round = 0; round < rounds; round += 1) results.push(await measure(port));
    return { rows: toRows(results), notes: toNotes(results) };
  } finally {
    await runtime?.close();
    await up.close();
  }
}

async function joinRuntime(up: UpProcess): Promise<DevProcess> {
  const scopes = ['--scope', 'deploy', '--scope', 'secrets'];
  const token = await up.runAlone('token', 'control', '--keys', join(up.dataFolder, 'keys'), ...scopes);
  const url = /Workers\s+(http:\S+)/.exec(up.output)?.[1] ?? '';
  const ports = ['--port', '0', '--rpc-port', '0', '--control-port', '0'];
  const runtime = new DevProcess(
    ['runtime', '--join', url, '--name', 'north-1', '--region', 'north', ...ports, '--data-dir', up.dataFolder],
    { SWITCHYARD_JOIN_TOKEN: token.trim() },
  );
  await runtime.line(/has joined/);
  return runtime;
}

/** Resolves when the app is in its region alone, and warm there. */
async function host(up: UpProcess, app: string, region: string): Promise<void> {
  await up.do('deploy', helloFolder, '--app', app);
  await up.do('scale', 'set', app, `region=${region}`, 'alwaysReady=1', 'maximum=1');
  const wanted = region === 'north' ? 'north-1' : 'local';
  const endMs = performance.now() + readyMs;
  for (;;) {
    const { runtimes } = JSON.parse(await up.do('runtimes', '--json')) as {
      runtimes: { id: string; applications: string[] }[];
    };
    const homes = runtimes.filter(({ applications }) => applications.includes(app)).map(({ id }) => id);
    const { status } = await up.call(app, '/api/hello');
    if (homes.join() === wanted && status === 200) return;
    if (performance.now() > endMs) throw new Error(`app '${app}' is on ${homes.join()} and answers ${status}`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

async function measure(port: number): Promise<Round> {
  const sample = async (app: string): Promise<Sample> => {
    const target = { host: '127.0.0.1', path: '/api/hello', port, authority: `${app}.localhost`, warmUpMs, durationMs };
    return { single: await loadFrom({ ...target, connections: 1 }), many: await loadFrom({ ...target, connections }) };
  };
  return { here: await sample('here'), there: await sample('there') };
}

function toRows(results: readonly Round[]): BenchRow[] {
  const row = (name: string, unit: string, of: (sample: Sample) => number): BenchRow => {
    const ours = median(results.map(({ there }) => of(there)));
    const reference = median(results.map(({ here }) => of(here)));
    return { name, ours, reference, against: 'the own Runtime', ratio: ours / reference, unit, target: '' };
  };
  return [
    row('warm call on a second Runtime, p50, 1 connection', 'ms', ({ single }) => single.p50Ms),
    row('warm call on a second Runtime, p99, 1 connection', 'ms', ({ single }) => single.p99Ms),
    row(`requests per second there, ${connections} connections`, '1/s', ({ many }) => many.requestsPerSecond),
  ];
}

function toNotes(results: readonly Round[]): string[] {
  const loads = results.flatMap(({ here, there }) => [here.single, here.many, there.single, there.many]);
  const errors = loads.reduce((sum, load) => sum + load.errors, 0);
  return [
    `Two Runtimes of one installation on one machine, each with a worker of the same app; a call to the second one passes the gateway of the first as a stream. Wrong answers: ${errors}.`,
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await benchFleet());
