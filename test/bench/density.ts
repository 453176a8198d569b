/**
 * Memory of many warm apps: fifty on one Runtime, each with its worker behind a sidecar of the same pod host, next to the
 * coupled model, in which every app has a host process and a worker of its own.
 *
 * Both run what was built: types that are stripped at run time cost memory.
 *
 *     node --conditions=switchyard-source test/bench/density.ts
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { buildWorker } from '../conformance/worker-process.ts';
import type { BenchRow } from './bench-row.ts';
import { openServer, type RunningServer, switchyardDev } from './hello-servers.ts';
import { processTree, pssBytes, settled } from './processes.ts';

const apps = 50;
/** Enough for their shared pages to be shared; all fifty would only take longer to start. */
const coupledApps = 8;
const callsPerApp = 20;
const mebibyte = 1024 * 1024;

/** The founding documents' table: memory of 90 placeholders, coupled and not, and the measured sizes of their host. */
const seedSaving = 0.51;

/** Runs the benchmark; takes about half a minute. Linux only: it reads /proc. */
export async function benchDensity(): Promise<{ readonly rows: BenchRow[]; readonly notes: string[] }> {
  const ours = await weighDecoupled();
  const coupled = await weighCoupled();
  const perApp = ours.totalBytes / apps / mebibyte;
  const coupledPerApp = coupled / coupledApps / mebibyte;
  const against = 'coupled: a host and a worker for each app';
  const saving = 1 - perApp / coupledPerApp;
  const onMachine = (gibibytes: number, target: string): BenchRow => {
    const [one, other] = [perApp, coupledPerApp].map((each) => Math.floor((gibibytes * 1024) / each));
    const [mine, reference] = [one ?? 0, other ?? 0];
    return {
      name: `apps on ${gibibytes} GiB`,
      ours: mine,
      reference,
      against,
      ratio: mine / reference,
      unit: 'apps',
      target,
    };
  };
  return {
    rows: [
      {
        name: 'memory per warm app, 50 apps',
        ours: perApp,
        reference: coupledPerApp,
        against,
        ratio: perApp / coupledPerApp,
        unit: 'MiB PSS',
        target: '<= 0.4',
      },
      {
        name: 'saved per app',
        ours: saving * 100,
        reference: seedSaving * 100,
        against: 'seed: 90 placeholders',
        ratio: saving / seedSaving,
        unit: '%',
        target: '>= 60 %',
      },
      onMachine(7, 'seed: 45-90'),
      onMachine(14, 'seed: twice that'),
    ],
    notes: [
      `Decoupled: ${(ours.runtimeBytes / mebibyte).toFixed(0)} MiB for the process with Runtime and sidecars, and ` +
        `${((ours.totalBytes - ours.runtimeBytes) / apps / mebibyte).toFixed(1)} MiB for each worker. Coupled: ` +
        `${coupledApps} times switchyard dev with the same app. Every app has answered ${callsPerApp} calls.`,
    ],
  };
}

interface Weight {
  readonly totalBytes: number;
  readonly runtimeBytes: number;
}

async function weighDecoupled(): Promise<Weight> {
  const bundle = await buildWorker();
  const script = fileURLToPath(new URL('./density-process.ts', import.meta.url));
  const child = spawn(process.execPath, [script, bundle.path, String(apps)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  try {
    const lines = createInterface(child.stdout);
    const [line] = (await Promise.race([once(lines, 'line'), exited.then(() => [''])])) as [string];
    if (line === '') throw new Error('the process with the apps ended before they were ready');
    const { port, pids } = JSON.parse(line) as { port: number; pids: readonly number[] };
    for (let index = 0; index < apps; index += 1) await callOften(port, `app-${index}.localhost`);
    await settled();
    const runtimeBytes = pssBytes(child.pid ?? 0);
    return { runtimeBytes, totalBytes: pids.reduce((sum, pid) => sum + pssBytes(pid), runtimeBytes) };
  } finally {
    child.stdin.end();
    await exited;
    bundle.remove();
  }
}

async function weighCoupled(): Promise<number> {
  const servers: RunningServer[] = [];
  try {
    for (let index = 0; index < coupledApps; index += 1) servers.push(await openServer(switchyardDev));
    for (const { port } of servers) await callOften(port, 'localhost');
    await settled();
    const pids = servers.flatMap(({ started }) => processTree(started.pid));
    return pids.reduce((sum, pid) => sum + pssBytes(pid), 0);
  } finally {
    for (const { started } of servers) await started.stop();
  }
}

async function callOften(port: number, host: string): Promise<void> {
  for (let call = 0; call < callsPerApp; call += 1) {
    await new Promise<void>((resolve, reject) => {
      const outgoing = request({ host: '127.0.0.1', port, path: '/api/hello', headers: { host } }, (response) => {
        response.resume();
        response.once('end', () =>
          response.statusCode === 200 ? resolve() : reject(new Error(`${host}: ${response.statusCode}`)),
        );
      });
      outgoing.once('error', reject);
      outgoing.end();
    });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await benchDensity());
