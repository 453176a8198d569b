/**
 * How far an event hub with eight partitions can be fanned out: events per second with 8 and with 32 workers, for a function
 * that waits half a second and workers that run one invocation at a time. Each partition may run four at once, for both. Real
 * workers; a local broker; checkpoints on the storage emulator.
 *
 *     node --conditions=switchyard-source test/bench/partitions.ts
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ApplicationDefinition } from '@switchyard/model';
import type { Runtime } from '@switchyard/runtime';
import { openAmqpPeer } from '@switchyard/testkit/amqp';
import { createAzureBlobService, createAzureEventHubs } from '@switchyard/triggers';
import { findAzurite, startAzurite } from '@switchyard/triggers/testing';
import { buildWorker } from '../conformance/worker-process.ts';
import { openDecoupledPlatform } from '../decoupled/decoupled-platform.ts';
import { createHelloApplication } from '../decoupled/hello-application.ts';
import type { BenchRow } from './bench-row.ts';

const partitions = 8;
const [fewWorkers, manyWorkers] = [8, 32];
/** What each worker runs before the clock starts, and while it runs. */
const warmUpPerWorker = 2;
const measuredPerWorker = 12;
const startTimeoutMs = 120_000;
const pollMs = 2;

const folder = fileURLToPath(new URL('./fixtures/partitions-app', import.meta.url));

const pause = (waitMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, waitMs));

/** Runs the benchmark; takes about a minute. */
export async function benchPartitions(): Promise<{ readonly rows: readonly BenchRow[] }> {
  const entry = findAzurite();
  if (entry === undefined) throw new Error('azurite is not installed');
  const azurite = await startAzurite(entry);
  const bundle = await buildWorker();
  try {
    const reference = await measure(bundle.path, azurite.connectionString, fewWorkers);
    const ours = await measure(bundle.path, azurite.connectionString, manyWorkers);
    const name = `${partitions} partitions, 500 ms an event, one at a time per worker: ${manyWorkers} workers`;
    const against = `${fewWorkers} workers`;
    return {
      rows: [{ name, ours, reference, against, ratio: ours / reference, unit: 'events/s', target: '>= 3.9' }],
    };
  } finally {
    bundle.remove();
    await azurite.stop();
  }
}

/** Events per second with so many workers. */
async function measure(workerPath: string, storage: string, workers: number): Promise<number> {
  const peer = await openAmqpPeer();
  const environment = { Hub: peer.connectionString, AzureWebJobsStorage: storage };
  const platform = await openDecoupledPlatform({
    workerPath,
    minimum: 0,
    scriptRoot: folder,
    environment,
    kinds: { blobs: createAzureBlobService(), eventHubs: createAzureEventHubs() },
  });
  try {
    const definition = { applicationId: `partitions-${workers}`, metadataVersion: 'm1', codeVersion: 'c1' };
    const hub = peer.declareEventHub('partitions', partitions);
    const { runtime } = platform;
    await runtime.addApplication({
      ...createHelloApplication(definition, folder),
      hostJson: JSON.parse(readFileSync(`${folder}/host.json`, 'utf8')),
      settings: new Map(Object.entries(environment)),
    });
    runtime.scaleTo(definition, { count: workers, perWorker: 1, standing: workers });
    await reach(startTimeoutMs, () => runtime.load(definition.applicationId)[0]?.readyCount === workers);
    // Enough to be busy until the end, so that no partition runs dry before the others.
    const perPartition = (workers * (warmUpPerWorker + measuredPerWorker) * 2) / partitions;
    for (let event = 0; event < perPartition; event += 1) {
      for (const id of hub.partitionIds) hub.append({ body: Buffer.from(String(event)) }, id);
    }
    const warm = workers * warmUpPerWorker;
    const measured = workers * measuredPerWorker;
    await reach(startTimeoutMs, () => endedCount(runtime, definition) >= warm);
    const [startMs, before] = [performance.now(), endedCount(runtime, definition)];
    await reach(startTimeoutMs, () => endedCount(runtime, definition) >= before + measured);
    const rate = (endedCount(runtime, definition) - before) / ((performance.now() - startMs) / 1_000);
    return rate;
  } finally {
    await platform.close();
    await peer.close();
  }
}

function endedCount(runtime: Runtime, { applicationId }: ApplicationDefinition): number {
  return runtime.load(applicationId)[0]?.functions[0]?.endedCount ?? 0;
}

async function reach(timeoutMs: number, isThere: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!isThere()) {
    if (performance.now() > deadlineMs) throw new Error(`it was not reached within ${timeoutMs} ms`);
    await pause(pollMs);
  }
}

if (process.argv[1] === import.meta.filename) {
  const { toTable } = await import('./report.ts');
  const { rows } = await benchPartitions();
  console.log(toTable(rows));
}
