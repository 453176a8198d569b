/**
 * What a pool of placeholders of five stacks weighs: those that this machine can run, several of each in one pod host, and
 * from that ninety of them, as the founding documents count. Beside it the coupled model, in which each has a host of its own.
 *
 *     node --conditions=switchyard-source test/bench/placeholder-pool.ts
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { buildWorker, supportedNodes } from '../conformance/worker-process.ts';
import type { BenchRow } from './bench-row.ts';
import { openServer, type RunningServer, switchyardDev } from './hello-servers.ts';
import { processTree, pssBytes, settled } from './processes.ts';

/** A stack and how its worker is started. */
export interface PoolStack {
  readonly name: string;
  readonly executable: string;
  readonly workerPath: string;
}

const ofEach = 4;
const hosts = 4;
const pool = 90;
const mebibyte = 2 ** 20;
const place = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const pythons = ['/usr/bin/python3', 'python3'];

/** Runs the benchmark; takes about fifteen seconds. Linux only: it reads /proc. */
export async function benchPlaceholderPool(): Promise<{ readonly rows: BenchRow[]; readonly notes: string[] }> {
  const bundle = await buildWorker();
  try {
    const { stacks, missing } = findStacks(bundle.path);
    const { host, each } = await weighPool(stacks);
    const coupledHost = await weighHosts();
    const perPlaceholder = [...each.values()].reduce((sum, one) => sum + one, 0) / each.size;
    const ours = (host + pool * perPlaceholder) / 1_024;
    const reference = (pool * (coupledHost + perPlaceholder)) / 1_024;
    const row: BenchRow = {
      name: `${pool} placeholders of ${numeral(each.size)} stacks`,
      ours,
      reference,
      against: 'coupled: a host for each placeholder',
      ratio: ours / reference,
      unit: 'GiB PSS',
      target: 'seed: 14.2 GB of 28.9',
    };
    const list = [...each].map(([name, one]) => `${name} ${one.toFixed(1)}`).join(', ');
    const left = missing.length === 0 ? '' : ` Not here, so not in the mean: ${missing.join(', ')}.`;
    return {
      rows: [row],
      notes: [
        `MiB PSS of a placeholder, ${ofEach} of each in one pod host: ${list}; the pod host itself ${host.toFixed(1)}, a coupled host ${coupledHost.toFixed(1)}. ` +
          `The row is the mean of the stacks times ${pool}, and one pod host. These are the stacks that run here, not the five languages of ` +
          'the founding documents: three releases of Node.js and custom handlers with our workers, and the least that a worker in Python can ' +
          `be, the interpreter with grpcio and a stream: the official one comes in no registry.${left}`,
      ],
    };
  } finally {
    bundle.remove();
  }
}

function findStacks(bundle: string): { readonly stacks: readonly PoolStack[]; readonly missing: readonly string[] } {
  const nodes = supportedNodes().toReversed();
  const python = pythons.find((program) => spawnSync(program, ['-c', 'import grpc']).status === 0);
  const wanted = [
    ...nodes.map(({ major, program }) => ({ name: `Node.js ${major}`, executable: program, workerPath: bundle })),
    {
      name: 'custom handlers',
      executable: process.execPath,
      workerPath: place('../../packages/worker-custom/dist/worker.mjs'),
    },
    { name: 'Python with python3-grpcio', executable: python, workerPath: place('fixtures/bare-python/worker.py') },
  ];
  const stacks = wanted.flatMap(({ executable, ...one }) => (executable === undefined ? [] : [{ ...one, executable }]));
  return { stacks, missing: wanted.filter(({ executable }) => executable === undefined).map(({ name }) => name) };
}

/** Mebibytes of the pod host, and of a placeholder of each stack. */
async function weighPool(
  stacks: readonly PoolStack[],
): Promise<{ readonly host: number; readonly each: ReadonlyMap<string, number> }> {
  const script = place('./pool-process.ts');
  const child = spawn(process.execPath, [script, JSON.stringify(stacks), String(ofEach)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  try {
    const lines = createInterface(child.stdout);
    const [line] = (await Promise.race([once(lines, 'line'), exited.then(() => [''])])) as [string];
    if (line === '') throw new Error('the pod host ended before its placeholders were warm');
    await settled();
    const pids = Object.entries(JSON.parse(line) as Record<string, readonly number[]>);
    const meanOf = (of: readonly number[]): number => of.reduce((sum, pid) => sum + pssBytes(pid), 0) / of.length;
    return {
      host: pssBytes(child.pid ?? 0) / mebibyte,
      each: new Map(pids.map(([name, its]) => [name, meanOf(its) / mebibyte])),
    };
  } finally {
    child.stdin.end();
    await exited;
  }
}

/** Mebibytes of a host that serves one app and was not called yet, several at once, so that they share what they can. */
async function weighHosts(): Promise<number> {
  const servers: RunningServer[] = [];
  try {
    for (let index = 0; index < hosts; index += 1) servers.push(await openServer(switchyardDev));
    await settled();
    const sum = servers.reduce((total, { started }) => total + pssBytes(processTree(started.pid)[0] ?? 0), 0);
    return sum / hosts / mebibyte;
  } finally {
    for (const { started } of servers) await started.stop();
  }
}

function numeral(count: number): string {
  return ['no', 'one', 'two', 'three', 'four', 'five'][count] ?? String(count);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await benchPlaceholderPool());
