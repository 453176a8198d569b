/**
 * What scaling costs: decisions for many apps, 1 -> 10 workers with a warm pool, specializations per second, and a hundred
 * apps that wake up at once with too few placeholders. Next to bare workers that a scripted host drives, where that is the
 * floor.
 *
 *     node --conditions=switchyard-source test/bench/scale.ts
 */
import { silentLog, silentMeter, systemClock } from '@switchyard/kernel';
import type { ApplicationDefinition } from '@switchyard/model';
import type { RpcFunctionMetadata } from '@switchyard/protocol';
import { createScaleLoop, type ObservedVersion } from '@switchyard/scale-controller';
import { buildWorker, startWorker, type WorkerProcess } from '../conformance/worker-process.ts';
import { type DecoupledPlatform, openDecoupledPlatform } from '../decoupled/decoupled-platform.ts';
import { createHelloApplication, helloFolder, nodeStack } from '../decoupled/hello-application.ts';
import type { BenchRow } from './bench-row.ts';
import { median, quantile } from './statistics.ts';

const scaleOutRounds = 5;
const specializeRounds = 3;
const specializedTogether = 20;
const burstApps = 100;
const burstPool = 20;
const holdMs = 60_000;
const decidedApps = 10_000;
const decisionRounds = 40;

/** How long placeholders wait before they are used: enough to have warmed up. */
const settleMs = 500;

const pause = (waitMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, waitMs));

/** Runs the benchmark; takes about two minutes. */
export async function benchScale(): Promise<{ readonly rows: BenchRow[]; readonly notes: string[] }> {
  // First, while the machine has nothing else to do.
  const decisions = benchDecisions();
  const bundle = await buildWorker();
  try {
    const functions = await indexHello(bundle.path);
    const burst = await benchBurst(bundle.path, functions);
    return {
      rows: [
        decisions,
        await benchScaleOut(bundle.path, functions),
        await benchSpecializations(bundle.path, functions),
        burst.row,
      ],
      notes: [burst.note],
    };
  } finally {
    bundle.remove();
  }
}

/** One look of the loop at apps that are all awake and all different, next to reading what it looks at. */
function benchDecisions(): BenchRow {
  const versions = Array.from({ length: decidedApps }, (_, index) => toBusyVersion(index));
  const policy = { maximum: 20 };
  let looks = 0;
  const runtime = {
    load: () =>
      versions.map((version) => ({
        ...version,
        functions: version.functions.map((one) => ({ ...one, startedCount: looks * 7, endedCount: looks * 7 })),
      })),
    scaleTo: () => {},
  };
  const loop = createScaleLoop(
    { clock: systemClock, log: silentLog, meter: silentMeter, runtime, scaleOf: () => policy },
    { intervalMs: 3_600_000 },
  );
  const [ours, floor]: [number[], number[]] = [[], []];
  for (looks = 1; looks <= decisionRounds; looks += 1) {
    ours.push(timeOf(() => loop.tick()));
    floor.push(timeOf(() => runtime.load()));
  }
  loop.close();
  const name = 'Decisions for 10,000 apps, one look, p50';
  return toRow(name, [ours, floor], 'reading their load', 'ms', 'ours < 50 ms');
}

function timeOf(work: () => void): number {
  const startMs = performance.now();
  work();
  return performance.now() - startMs;
}

function toBusyVersion(index: number): ObservedVersion {
  const readyCount = index % 8;
  return {
    definition: { applicationId: `app-${index}`, metadataVersion: 'm1', codeVersion: 'c1' },
    tenantId: `tenant-${index % 100}`,
    stack: nodeStack,
    weight: 100,
    ...{ wantedCount: readyCount, readyCount, startingCount: 0, drainingCount: 0, blockedCount: 0 },
    ...{
      heldCount: 0,
      pacedCount: 0,
      waitingCount: 0,
      refusedCount: 0,
      startFailureCount: 0,
      quietMs: 0,
      idleMs: 300_000,
    },
    standingCount: 0,
    functions: [
      {
        ...{ name: 'hello', activeCount: index % 50, startedCount: 0, endedCount: 0, failedCount: 0 },
        ...{ totalMs: 0, durationCounts: [] },
      },
    ],
    workerIds: [],
  };
}

/** From the wish for ten workers until all ten are ready, one being there already; next to nine bare workers at once. */
async function benchScaleOut(workerPath: string, functions: readonly RpcFunctionMetadata[]): Promise<BenchRow> {
  const extra = 9;
  const platform = await openDecoupledPlatform({ workerPath, minimum: extra });
  const [ours, raw]: [number[], number[]] = [[], []];
  try {
    for (let round = 0; round < scaleOutRounds; round += 1) {
      const definition = definitionOf(`scale-${round}`);
      await platform.runtime.addApplication(toDormant(definition, functions));
      await warmPool(platform, extra);
      await callApp(platform, definition.applicationId);
      await warmPool(platform, extra);
      const startMs = performance.now();
      platform.runtime.scaleTo(definition, { count: extra + 1 });
      while (platform.runtime.load(definition.applicationId)[0]?.readyCount !== extra + 1) await pause(1);
      ours.push(performance.now() - startMs);
      await platform.runtime.removeApplication(`${definition.applicationId}:m1`, 1_000);
      raw.push(await specializeRaw(workerPath, extra));
    }
  } finally {
    await platform.close();
  }
  return toRow('1 -> 10 workers, pool warm, p50', [ours, raw], 'nine bare workers at once', 'ms', 'ours < 500 ms');
}

/** Apps that get their first worker at once, each out of a warm placeholder; per second. */
async function benchSpecializations(workerPath: string, functions: readonly RpcFunctionMetadata[]): Promise<BenchRow> {
  const platform = await openDecoupledPlatform({ workerPath, minimum: specializedTogether });
  const [ours, raw]: [number[], number[]] = [[], []];
  try {
    for (let round = 0; round < specializeRounds; round += 1) {
      const definitions = definitionsOf(specializedTogether, `s${round}`);
      for (const definition of definitions) await platform.runtime.addApplication(toDormant(definition, functions));
      await warmPool(platform, specializedTogether);
      const startMs = performance.now();
      await Promise.all(definitions.map(({ applicationId }) => callApp(platform, applicationId)));
      ours.push((specializedTogether * 1_000) / (performance.now() - startMs));
      for (const { applicationId } of definitions) {
        await platform.runtime.removeApplication(`${applicationId}:m1`, 1_000);
      }
      raw.push((specializedTogether * 1_000) / (await specializeRaw(workerPath, specializedTogether)));
    }
  } finally {
    await platform.close();
  }
  const name = `Specializations per second, ${specializedTogether} at once`;
  return toRow(name, [ours, raw], 'bare workers: reload, index, load', '1/s', '>= 0.5');
}

/** Every app is called once, at the same moment, and all but a fifth find no placeholder. */
async function benchBurst(
  workerPath: string,
  functions: readonly RpcFunctionMetadata[],
): Promise<{ readonly row: BenchRow; readonly note: string }> {
  const platform = await openDecoupledPlatform({ workerPath, minimum: burstPool });
  try {
    const definitions = definitionsOf(burstApps, 'burst');
    for (const definition of definitions) await platform.runtime.addApplication(toDormant(definition, functions));
    await warmPool(platform, burstPool);
    const startMs = performance.now();
    let errors = 0;
    const tookMs = await Promise.all(
      definitions.map(async ({ applicationId }) => {
        await callApp(platform, applicationId).catch(() => {
          errors += 1;
        });
        return performance.now() - startMs;
      }),
    );
    const p95 = quantile(tookMs, 0.95);
    const name = `${burstApps} apps from zero in one burst, pool of ${burstPool}, p95`;
    const row = { name, ours: p95, reference: holdMs, against: 'the hold deadline', ratio: p95 / holdMs, unit: 'ms' };
    const seconds = (value: number): string => `${(value / 1_000).toFixed(2)} s`;
    const note = `Burst of ${burstApps} apps: ${errors} errors (target 0), p50 ${seconds(median(tookMs))}, last ${seconds(Math.max(...tookMs))}.`;
    return { row: { ...row, target: '< 1, no errors' }, note };
  } finally {
    await platform.close();
  }
}

const definitionOf = (applicationId: string): ApplicationDefinition => ({
  applicationId,
  metadataVersion: 'm1',
  codeVersion: 'c1',
});

const definitionsOf = (count: number, prefix: string): ApplicationDefinition[] =>
  Array.from({ length: count }, (_, index) => definitionOf(`${prefix}-${index}`));

/** An app that sleeps until it is called. */
function toDormant(definition: ApplicationDefinition, functions: readonly RpcFunctionMetadata[]) {
  const index = { functions, useDefaultIndexing: false };
  return { ...createHelloApplication(definition), index, scale: { alwaysReady: 0, idleMs: 3_600_000, holdMs } };
}

async function callApp({ url }: DecoupledPlatform, applicationId: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const { request } = await import('node:http');
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const headers = { host: `${applicationId}.localhost:${port}` };
    request({ hostname, port, path: '/api/hello', headers, agent: false }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode));
    })
      .on('error', reject)
      .end();
  });
  if (status !== 200) throw new Error(`app ${applicationId} answered ${status}`);
}

async function warmPool({ supply }: DecoupledPlatform, count: number): Promise<void> {
  while ((supply.pools()[0]?.warm ?? 0) < count) await pause(5);
  await pause(settleMs);
}

async function indexHello(bundle: string): Promise<readonly RpcFunctionMetadata[]> {
  const worker = await startWorker({ program: process.execPath, bundle, directory: helloFolder });
  try {
    await worker.host.init('');
    await worker.host.reload(helloFolder, { PATH: process.env.PATH ?? '' });
    return (await worker.host.index(helloFolder)).functionMetadataResults;
  } finally {
    await worker.stop();
  }
}

/** Milliseconds until so many bare workers that wait have an app, all at once. */
async function specializeRaw(bundle: string, count: number): Promise<number> {
  const workers: WorkerProcess[] = [];
  try {
    for (let index = 0; index < count; index += 1) {
      const worker = await startWorker({ program: process.execPath, bundle, directory: helloFolder });
      workers.push(worker);
      await worker.host.init('');
    }
    await pause(settleMs);
    const startMs = performance.now();
    await Promise.all(workers.map(specializeOne));
    return performance.now() - startMs;
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
  }
}

async function specializeOne({ host, stderr }: WorkerProcess): Promise<void> {
  await host.reload(helloFolder, { PATH: process.env.PATH ?? '' });
  const { functionMetadataResults } = await host.index(helloFolder);
  const [metadata] = functionMetadataResults;
  if (metadata === undefined) throw new Error(`the worker found no function: ${stderr()}`);
  await host.load(metadata.functionId, metadata);
}

function toRow(
  name: string,
  [ours, reference]: readonly [readonly number[], readonly number[]],
  against: string,
  unit: string,
  target: string,
): BenchRow {
  const [one, other] = [median(ours), median(reference)];
  return { name, ours: one, reference: other, against, ratio: one / other, unit, target };
}

if (process.argv[1] === import.meta.filename) {
  const { toTable } = await import('./report.ts');
  const { rows, notes } = await benchScale();
  console.log(toTable(rows));
  for (const note of notes) console.log(note);
}
