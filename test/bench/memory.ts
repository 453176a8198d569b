/** Memory of our processes (PSS: shared pages counted by their share), idle and after a load, beside an idle Node. */
import type { BenchRow } from './bench-row.ts';
import { openServer, type RunningServer, switchyardDev } from './hello-servers.ts';
import { loadFrom, processTree, pssBytes, settled, start } from './processes.ts';
import { median } from './statistics.ts';

const rounds = 3;
const mebibyte = 1024 * 1024;

/** One look at the two processes. */
interface Weights {
  readonly node: number;
  readonly runtime: number;
  readonly worker: number;
  readonly runtimeAfterLoad: number;
  readonly workerAfterLoad: number;
}

/** Runs the benchmark; takes about ten seconds. */
export async function benchMemory(): Promise<BenchRow[]> {
  const samples: Weights[] = [];
  for (let round = 0; round < rounds; round += 1) samples.push(await weigh());
  const node = median(samples.map((sample) => sample.node));
  const row = (name: string, key: keyof Weights): BenchRow => {
    const ours = median(samples.map((sample) => sample[key]));
    return {
      name,
      ours,
      reference: node,
      against: 'idle Node process',
      ratio: ours / node,
      unit: 'MiB PSS',
      target: '',
    };
  };
  return [
    row('memory of switchyard dev with one app (Runtime, pod host)', 'runtime'),
    row('memory of its Node worker', 'worker'),
    row('memory of switchyard dev after a load', 'runtimeAfterLoad'),
    row('memory of its Node worker after a load', 'workerAfterLoad'),
  ];
}

async function weigh(): Promise<Weights> {
  const idle = start(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  const server = await openServer(switchyardDev);
  try {
    await settled();
    const before = weightsOf(server);
    const node = pssBytes(idle.pid) / mebibyte;
    await loadFrom({
      host: '127.0.0.1',
      port: server.port,
      path: server.path,
      connections: 32,
      warmUpMs: 0,
      durationMs: 2_000,
    });
    await settled();
    const after = weightsOf(server);
    return { node, ...before, runtimeAfterLoad: after.runtime, workerAfterLoad: after.worker };
  } finally {
    await server.started.stop();
    await idle.stop();
  }
}

function weightsOf(server: RunningServer): { runtime: number; worker: number } {
  const [runtime, worker] = processTree(server.started.pid);
  if (runtime === undefined || worker === undefined) throw new Error('expected a Runtime and a worker');
  return { runtime: pssBytes(runtime) / mebibyte, worker: pssBytes(worker) / mebibyte };
}
