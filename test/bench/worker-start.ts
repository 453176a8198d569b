/**
 * How soon our Node.js worker is there, and what it weighs: from the start of the process to StartStream and to the first
 * answer, from the specialization of a placeholder to the first answer, and a warm call. The host is scripted, so that
 * nothing else is measured. Beside it stands what was recorded of the official worker (3.9.1 on Node.js 20), on a machine
 * with two cores; and, from the same run, what Node.js itself takes to connect a socket.
 *
 *     node --conditions=switchyard-source test/bench/worker-start.ts
 */
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type RpcFunctionMetadata, RpcHttp } from '@switchyard/protocol';
import type { ScriptedHost } from '@switchyard/testkit';
import { buildWorker, startWorker, type WorkerProcess } from '../conformance/worker-process.ts';
import type { BenchRow } from './bench-row.ts';
import { pssBytes } from './processes.ts';
import { median } from './statistics.ts';

const rounds = 15;
const warmCalls = 2_000;
/** How long a placeholder waits for its app: enough to have warmed up. */
const placeholderMs = 300;

const application = fileURLToPath(new URL('./fixtures/hello-app', import.meta.url));

/** Medians of the official worker, measured once on the machine of BENCHMARKS.md. */
const official = { startStreamMs: 124, firstAnswerMs: 187, specializedMs: 65, warmMs: 0.55, placeholderMib: 58 };

/** Runs the benchmark; takes about twenty seconds. */
export async function benchWorkerStart(): Promise<BenchRow[]> {
  const bundle = await buildWorker();
  try {
    const direct: Direct[] = [];
    const placeholders: Specialized[] = [];
    const floors: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      floors.push(await connectSocketMs());
      direct.push(await measureDirect(bundle.path, round === rounds - 1 ? warmCalls : 0));
      placeholders.push(await measurePlaceholder(bundle.path));
    }
    return toRows(direct, placeholders, median(floors));
  } finally {
    bundle.remove();
  }
}

function toRows(direct: readonly Direct[], placeholders: readonly Specialized[], floorMs: number): BenchRow[] {
  const recorded = 'official worker, recorded';
  const row = (name: string, ours: number, reference: number, unit: string, target: string): BenchRow => {
    return { name, ours, reference, against: recorded, ratio: ours / reference, unit, target };
  };
  const startMs = median(direct.map((one) => one.startStreamMs));
  const bare = { name: 'Node worker: start to StartStream, over Node.js itself', ours: startMs, reference: floorMs };
  return [
    row('Node worker: start to StartStream', startMs, official.startStreamMs, 'ms', '< 1'),
    { ...bare, against: 'bare Node.js connects a socket', ratio: startMs / floorMs, unit: 'ms', target: '<= 2' },
    row(
      'Node worker: start to first answer',
      median(direct.map((one) => one.firstAnswerMs)),
      official.firstAnswerMs,
      'ms',
      '<= 1.5',
    ),
    row(
      'Node worker: specialize to first answer',
      median(placeholders.map((one) => one.firstAnswerMs)),
      official.specializedMs,
      'ms',
      '< 1',
    ),
    row('Node worker: warm call p50', median(direct.at(-1)?.warmMs ?? []), official.warmMs, 'ms', '< 1'),
    row(
      'Node worker: PSS of a placeholder',
      median(placeholders.map((one) => one.placeholderMib)),
      official.placeholderMib,
      'MiB',
      '< 1',
    ),
  ];
}

interface Direct {
  readonly startStreamMs: number;
  readonly firstAnswerMs: number;
  readonly warmMs: readonly number[];
}

async function measureDirect(bundle: string, calls: number): Promise<Direct> {
  const startMs = performance.now();
  const worker = await startWorker({ program: process.execPath, bundle, directory: application });
  const startStreamMs = performance.now() - startMs;
  try {
    await worker.host.init(application);
    const hello = await load(worker);
    await invoke(worker.host, hello, 'first');
    const firstAnswerMs = performance.now() - startMs;
    const warmMs: number[] = [];
    for (let call = 0; call < calls; call += 1) {
      const sentMs = performance.now();
      await invoke(worker.host, hello, `warm-${call}`);
      warmMs.push(performance.now() - sentMs);
    }
    return { startStreamMs, firstAnswerMs, warmMs };
  } finally {
    await worker.stop();
  }
}

interface Specialized {
  readonly firstAnswerMs: number;
  readonly placeholderMib: number;
}

async function measurePlaceholder(bundle: string): Promise<Specialized> {
  const worker = await startWorker({ program: process.execPath, bundle, directory: application });
  try {
    await worker.host.init('');
    await new Promise((resolve) => setTimeout(resolve, placeholderMs));
    const placeholderMib = pssBytes(worker.pid) / 2 ** 20;
    const assignedMs = performance.now();
    await worker.host.reload(application, { PATH: process.env.PATH ?? '' });
    await invoke(worker.host, await load(worker), 'first');
    return { firstAnswerMs: performance.now() - assignedMs, placeholderMib };
  } finally {
    await worker.stop();
  }
}

async function load({ host, stderr }: WorkerProcess): Promise<RpcFunctionMetadata> {
  const { functionMetadataResults } = await host.index(application);
  const [metadata] = functionMetadataResults;
  if (!metadata) throw new Error(`the worker found no function: ${stderr()}`);
  await host.load(metadata.functionId, metadata);
  return metadata;
}

async function invoke(host: ScriptedHost, { functionId, bindings }: RpcFunctionMetadata, invocationId: string) {
  const url = 'http://127.0.0.1:7071/api/hello';
  const value = { ...RpcHttp.decode(new Uint8Array()), method: 'GET', url };
  const data = { data: { $case: 'http' as const, value } };
  const [name = ''] = bindings.keys();
  const inputData = [{ name, rpcData: { $case: 'data' as const, value: data } }];
  const { result } = await host.invoke({ invocationId, functionId, inputData });
  if (result?.status !== 1) throw new Error(`the call failed: ${result?.exception?.message}`);
}

/** What Node.js itself takes from its start until a socket of its reaches us. */
async function connectSocketMs(): Promise<number> {
  const server = createServer();
  const listening = new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await listening;
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const connected = new Promise<void>((resolve) =>
    server.once('connection', (socket) => {
      socket.destroy();
      resolve();
    }),
  );
  const startMs = performance.now();
  const child = spawn(process.execPath, ['-e', `require('node:net').connect(${port}, '127.0.0.1')`], {
    stdio: 'ignore',
  });
  await connected;
  const tookMs = performance.now() - startMs;
  child.kill('SIGKILL');
  server.close();
  return tookMs;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.table(await benchWorkerStart());
