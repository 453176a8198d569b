/**
 * Warm HTTP: the same hello from `switchyard dev`, bare `node:http` and other projects' servers, beside the raw call of
 * our worker over its stream; all alternating within one run. Also the memory of our processes after that load.
 */
import type { BenchRow } from './bench-row.ts';
import {
  bareHttp,
  type HelloServer,
  openServer,
  type RunningServer,
  type ServerSample,
  sampleServer,
  switchyardDev,
} from './hello-servers.ts';
import { openPeers } from './peers.ts';
import { openRawWorker, type RawWorker } from './raw-worker.ts';
import { median } from './statistics.ts';

const rounds = 7;

/** What the field's published figure for Node says: requests per core and second. */
const targetPerCpuSecond = 2_000;

export interface WarmHttpResult {
  readonly rows: readonly BenchRow[];
  /** What could not be measured, and why. */
  readonly notes: readonly string[];
}

/** Runs the benchmark; takes about two minutes. */
export async function benchWarmHttp(): Promise<WarmHttpResult> {
  const peers = openPeers();
  const notes = peers.kind === 'missing' ? [`No rows for other projects' servers: ${peers.reason}`] : [];
  const servers: HelloServer[] = [switchyardDev, bareHttp, ...(peers.kind === 'ready' ? peers.servers : [])];
  const running: RunningServer[] = [];
  let worker: RawWorker | undefined;
  try {
    worker = await openRawWorker();
    for (const server of servers) running.push(await openServer(server));
    const samples = new Map<string, ServerSample[]>(running.map((server) => [server.name, []]));
    const rawMs: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      rawMs.push(await worker.sampleP50Ms());
      for (const server of running) samples.get(server.name)?.push(await sampleServer(server));
    }
    return { rows: toRows(samples, median(rawMs)), notes };
  } finally {
    await worker?.stop();
    for (const server of running) await server.started.stop();
  }
}

function toRows(samples: ReadonlyMap<string, readonly ServerSample[]>, rawMs: number): BenchRow[] {
  const of = (name: string, value: (sample: ServerSample) => number): number =>
    median((samples.get(name) ?? []).map(value));
  const mine = switchyardDev.name;
  const p50Ms = of(mine, (sample) => sample.p50Ms);
  const perCpu = of(mine, (sample) => sample.requestsPerCpuSecond);
  const others = [...samples.keys()].filter((name) => name !== mine);
  const against = (name: string, unit: string, target: string, ours: number) => (reference: number, other: string) =>
    ({ name, unit, target, ours, reference, against: other, ratio: ours / reference }) satisfies BenchRow;
  const latency = 'warm HTTP hello p50, 1 connection';
  const perCpuRow = against('requests per CPU-second, 32 connections', '1/s', '', perCpu);
  const perSecondRow = against(
    'requests per second, 32 connections',
    '1/s',
    '',
    of(mine, (sample) => sample.requestsPerSecond),
  );
  return [
    against(latency, 'ms', '<= 2.5 x, aim 2.0', p50Ms)(rawMs, 'raw worker call'),
    ...others.map((other) =>
      against(
        latency,
        'ms',
        '',
        p50Ms,
      )(
        of(other, (sample) => sample.p50Ms),
        other,
      ),
    ),
    against(
      'requests per CPU-second, 32 connections',
      '1/s',
      `>= ${targetPerCpuSecond}/s`,
      perCpu,
    )(targetPerCpuSecond, 'target'),
    ...others.map((other) =>
      perCpuRow(
        of(other, (sample) => sample.requestsPerCpuSecond),
        other,
      ),
    ),
    ...others.map((other) =>
      perSecondRow(
        of(other, (sample) => sample.requestsPerSecond),
        other,
      ),
    ),
  ];
}
