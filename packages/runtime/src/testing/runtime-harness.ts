import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Clock, type Log, type Meter, type Random, type SpanSink, silentMeter } from '@switchyard/kernel';
import type { ApplicationDefinition } from '@switchyard/model';
import { createMemoryLinkPair, type Link } from '@switchyard/protocol';
import type { PrimaryHosts } from '@switchyard/triggers';
import type { AnnouncedApplications, Runtime, VerifyWorker } from '../contract.ts';
import type { ReadVitals } from '../health/process-health.ts';
import type { WorkerHttp } from '../http-stream/worker-http.ts';
import { createRuntime, type RuntimeDeps, type RuntimeOptions } from '../runtime.ts';
import { FakeSupply } from './fake-supply.ts';
import { createSampleKinds, type SampleKinds } from './sample-kinds.ts';
import { sampleDefinition } from './sample-worker.ts';

export interface HarnessParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly meter?: Meter;
  readonly spans?: SpanSink;
  readonly kinds?: SampleKinds;
  readonly options?: Partial<RuntimeOptions>;
  readonly workerHttp?: WorkerHttp;
  readonly announcedApplications?: AnnouncedApplications;
  readonly memory?: Pick<RuntimeDeps, 'memory' | 'onMemoryPressure'>;
  readonly vitals?: ReadVitals;
  readonly primaryHosts?: PrimaryHosts;
  /** Accepts every worker unless given; null leaves the Runtime without a verifier. */
  readonly verifyWorker?: VerifyWorker | null;
}

const acceptEverybody: VerifyWorker = () => ({ kind: 'accepted' });

/** A Runtime between a supply and workers that a test plays. */
export interface Harness {
  readonly runtime: Runtime;
  readonly supply: FakeSupply;
  readonly kinds: SampleKinds;
  /** Announces a worker and opens a stream to the Runtime; returns the worker's end. */
  dial(workerId: string, application?: ApplicationDefinition): Link;
  /** Opens a stream without an announcement. */
  connect(): Link;
}

export function createHarness(parts: HarnessParts): Harness {
  const supply = new FakeSupply();
  const kinds = parts.kinds ?? createSampleKinds();
  const { clock, random, log } = parts;
  const runtime = createRuntime(
    {
      clock,
      random,
      log,
      meter: parts.meter ?? silentMeter,
      spans: parts.spans,
      supply,
      kinds,
      ...(parts.verifyWorker === null ? {} : { verifyWorker: parts.verifyWorker ?? acceptEverybody }),
      ...(parts.announcedApplications ? { announcedApplications: parts.announcedApplications } : {}),
      ...(parts.workerHttp ? { workerHttp: parts.workerHttp } : {}),
      ...parts.memory,
      primaryHosts: parts.primaryHosts,
      ...(parts.vitals ? { vitals: parts.vitals } : {}),
    },
    { cpus: 1, ...parts.options },
  );
  const connect = (): Link => {
    const { opener, acceptor } = createMemoryLinkPair();
    runtime.acceptWorker(acceptor);
    return opener;
  };
  return {
    runtime,
    supply,
    kinds,
    connect,
    dial(workerId, application = sampleDefinition) {
      supply.expect(workerId, application);
      return connect();
    },
  };
}

/** Lets the server listen on loopback; returns its base address. */
export async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
