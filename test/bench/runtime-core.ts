/**
 * What the Runtime itself costs: a JobHost, a dormant app, a decision where an invocation goes; and how soon a worker
 * serves again when the way to its Runtime was cut.
 *
 *     node --conditions=switchyard-source test/bench/runtime-core.ts
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { buildWorker } from '../conformance/worker-process.ts';
import { type DecoupledPlatform, openDecoupledPlatform } from '../decoupled/decoupled-platform.ts';
import { createHelloApplication } from '../decoupled/hello-application.ts';
import { FaultyRelay } from '../e2e/faulty-relay.ts';
import type { BenchRow } from './bench-row.ts';
import type { CoreResult } from './runtime-core-process.ts';
import { median, quantile } from './statistics.ts';

const rounds = 5;
const reconnects = 21;
/** How long the way is closed; the sidecar has no reason to wait for its end. */
const outageMs = 700;
const kibibyte = 1024;

/** Runs the benchmark; takes about half a minute. */
export async function benchRuntimeCore(): Promise<{ readonly rows: BenchRow[]; readonly notes: string[] }> {
  const results: CoreResult[] = [];
  for (let round = 0; round < rounds; round += 1) results.push(await runCore());
  const of = (pick: (result: CoreResult) => number): number => median(results.map(pick));
  const row = (name: string, ours: number, reference: number, unit: string, target: string): BenchRow => {
    return { name, ours, reference, against: 'target', ratio: ours / reference, unit, target };
  };
  const route = of((result) => result.routeP50Ms);
  const encode = of((result) => result.encodeP50Ms);
  const against = 'encoding its frame alone';
  const rows = [
    row(
      'JobHost creation, p50',
      of((result) => result.createP50Ms),
      5,
      'ms',
      '< 5 ms; seed 500',
    ),
    row(
      'JobHost creation, p99',
      of((result) => result.createP99Ms),
      5,
      'ms',
      '',
    ),
    row(
      'start with 1,000 dormant apps',
      of((result) => result.startMs),
      3_000,
      'ms',
      '< 3 s',
    ),
    row('heap per dormant app', of((result) => result.heapBytesPerApp) / kibibyte, 200, 'KiB', '<= 200 KiB'),
    row(
      'resident memory per dormant app',
      of((result) => result.residentBytesPerApp) / kibibyte,
      200,
      'KiB',
      '<= 200 KiB',
    ),
    row('request to invocation on its way (routing), p50', route, 0.1, 'ms', '< 0.1 ms; seed 5'),
    row(
      'request to invocation on its way (routing), p99',
      of((result) => result.routeP99Ms),
      0.1,
      'ms',
      '',
    ),
    { name: 'routing, p50', ours: route, reference: encode, against, ratio: route / encode, unit: 'ms', target: '' },
  ];
  const { cut, outage } = await benchReconnect();
  return {
    rows: [
      ...rows,
      row('cut connection to Ready, p50', median(cut), 200, 'ms', '< 200 ms; seed 1,000'),
      row('cut connection to Ready, p95', quantile(cut, 0.95), 200, 'ms', '< 200 ms'),
      row('network back to Ready, p50', median(outage), 200, 'ms', '< 200 ms; seed 1,000'),
      row('network back to Ready, p95', quantile(outage, 0.95), 200, 'ms', '< 200 ms'),
    ],
    notes: [
      'A dormant app has two HTTP functions, a timer and 20 settings. Routing runs from the request at the gateway to the ' +
        'invocation on the stream of its worker, with 1,000 other apps beside.',
    ],
  };
}

async function runCore(): Promise<CoreResult> {
  const script = fileURLToPath(new URL('./runtime-core-process.ts', import.meta.url));
  const flags = ['--expose-gc', '--conditions=switchyard-source', script];
  const { stdout } = await promisify(execFile)(process.execPath, flags);
  return JSON.parse(stdout) as CoreResult;
}

/** A worker behind a sidecar, and a relay in the way to its Runtime that breaks. */
async function benchReconnect(): Promise<{ readonly cut: number[]; readonly outage: number[] }> {
  const bundle = await buildWorker();
  const relays: FaultyRelay[] = [];
  const platform = await openDecoupledPlatform({
    workerPath: bundle.path,
    minimum: 0,
    async relayRuntime(port) {
      const relay = await FaultyRelay.open(port);
      relays.push(relay);
      return relay.port;
    },
  });
  try {
    await platform.runtime.addApplication(createHelloApplication());
    const [relay] = relays;
    if (relay === undefined) throw new Error('nobody asked for a relay');
    const cut: number[] = [];
    const outage: number[] = [];
    for (let round = 0; round < reconnects; round += 1) {
      cut.push(await untilReady(platform, () => relay.cut()));
      relay.refuse();
      await lost(platform);
      await new Promise((resolve) => setTimeout(resolve, outageMs));
      outage.push(await untilReady(platform, () => relay.heal()));
    }
    return { cut, outage };
  } finally {
    await platform.close();
    for (const relay of relays) relay.close();
    bundle.remove();
  }
}

const stateOf = ({ runtime }: DecoupledPlatform): string | undefined => runtime.status()[0]?.workers[0]?.state;

async function lost(platform: DecoupledPlatform): Promise<void> {
  while (stateOf(platform) === 'ready') await turn();
}

/** From what `begin` does to a worker that is Ready, which it was not in between. */
async function untilReady(platform: DecoupledPlatform, begin: () => void): Promise<number> {
  const startMs = performance.now();
  begin();
  await lost(platform);
  while (stateOf(platform) !== 'ready') await turn();
  return performance.now() - startMs;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.table((await benchRuntimeCore()).rows);
