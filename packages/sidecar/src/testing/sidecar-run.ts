import { type Assignment, createMemoryLinkPair, type Link, type MemoryLinkLimits } from '@switchyard/protocol';
import {
  createFakeWorker,
  createMemoryLog,
  createSeededRandom,
  type FakeWorker,
  type FakeWorkerOptions,
  successResult,
  VirtualClock,
} from '@switchyard/testkit';
import { createSidecar } from '../sidecar/sidecar.ts';
import type { Sidecar, SidecarDeps, SidecarOptions } from '../sidecar/sidecar-contract.ts';
import { ScriptedRuntime } from './scripted-runtime.ts';

export const sampleAssignment: Assignment = {
  runtimeEndpoint: 'http://runtime:50051',
  application: { applicationId: 'shop', metadataVersion: 'm1', codeVersion: 'c1' },
  tenantId: 'contoso',
  content: { kind: 'folder', scriptRoot: '/apps/shop' },
  environment: new Map([['GREETING', 'hello']]),
  token: undefined,
};

export interface SidecarRunOptions {
  readonly deps?: Partial<SidecarDeps>;
  readonly sidecar?: Partial<SidecarOptions>;
  readonly worker?: Partial<FakeWorkerOptions>;
  /** What a Runtime does with a stream; answers WorkerConnect well unless named. */
  readonly onDial?: (runtime: ScriptedRuntime) => void;
  readonly linkLimits?: Partial<MemoryLinkLimits>;
}

/** A sidecar between a fake worker and Runtimes that a test plays, on virtual time. */
export function createSidecarRun(options: SidecarRunOptions = {}) {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const dialled: { endpoint: string; token: string | undefined; runtime: ScriptedRuntime }[] = [];
  const linkLimits = options.linkLimits ?? {};
  const sidecar: Sidecar = createSidecar(
    {
      clock,
      log,
      random: createSeededRandom(1),
      dial: (endpoint, token) => {
        const { opener, acceptor } = createMemoryLinkPair({ limits: linkLimits });
        const runtime = new ScriptedRuntime(acceptor);
        dialled.push({ endpoint, token: token?.reveal(), runtime });
        (options.onDial ?? accept)(runtime);
        return opener;
      },
      ...options.deps,
    },
    {
      workerId: 'w1',
      instanceId: 'machine-1',
      stack: { runtime: 'node', version: '24', architecture: 'x64' },
      traits: { workerIndexing: true, initializationTimeoutMs: 10_000, environmentReloadTimeoutMs: 30_000 },
      hostVersion: '4.1052.0',
      workerDirectory: '/worker',
      hasConsole: false,
      ...options.sidecar,
    },
  );
  /** Opens the local worker's stream. */
  const connectLink = (): { workerEnd: Link; sidecarEnd: Link } => {
    const { opener, acceptor } = createMemoryLinkPair({ limits: linkLimits });
    sidecar.acceptWorker(acceptor);
    return { workerEnd: opener, sidecarEnd: acceptor };
  };
  const connect = (more: Partial<FakeWorkerOptions> = {}): FakeWorker =>
    createFakeWorker(connectLink().workerEnd, {
      workerId: 'w1',
      functions: [{ name: 'hello' }],
      ...options.worker,
      ...more,
    });
  return {
    clock,
    log,
    sidecar,
    dialled,
    connect,
    connectLink,
    /** The Runtime of the latest dial. */
    get runtime(): ScriptedRuntime {
      const last = dialled.at(-1);
      if (last === undefined) throw new Error('nothing was dialled');
      return last.runtime;
    },
    /** A worker, warm. */
    async warm(more: Partial<FakeWorkerOptions> = {}): Promise<FakeWorker> {
      const worker = connect(more);
      await clock.settle();
      return worker;
    },
    /** A worker with the sample app. */
    async serve(more: Partial<FakeWorkerOptions> = {}): Promise<FakeWorker> {
      const worker = connect(more);
      await clock.settle();
      const outcome = await sidecar.assign(sampleAssignment);
      if (outcome.kind !== 'assigned') throw outcome.error;
      return worker;
    },
  };
}

/** Answers WorkerConnect well. */
export function accept(runtime: ScriptedRuntime): void {
  runtime.on('workerConnect', () => runtime.answerConnect(successResult()));
}
