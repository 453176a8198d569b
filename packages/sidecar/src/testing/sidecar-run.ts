import type { Clock, Log, Random } from '@switchyard/kernel';
import { type Assignment, createMemoryLinkPair, type Link } from '@switchyard/protocol';
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

/** What a test stands on: its clock, its log, and how it plays a worker. */
export interface SidecarKit<TestClock, TestLog, Worker, WorkerOptions> {
  readonly clock: TestClock;
  readonly log: TestLog;
  readonly random: Random;
  readonly playWorker: (link: Link, options: WorkerOptions) => Worker;
}

export interface SidecarRunOptions<WorkerOptions> {
  readonly deps?: Partial<SidecarDeps>;
  readonly sidecar?: Partial<SidecarOptions>;
  readonly worker?: WorkerOptions;
  /** What a Runtime does with a stream; answers WorkerConnect well unless named. */
  readonly onDial?: (runtime: ScriptedRuntime) => void;
}

interface Dialled {
  readonly endpoint: string;
  readonly token: string | undefined;
  readonly runtime: ScriptedRuntime;
}

/** A sidecar between a worker and Runtimes that a test plays. */
export class SidecarRun<
  TestClock extends Clock & { settle(): Promise<void> },
  TestLog extends Log,
  Worker,
  WorkerOptions extends object,
> {
  readonly clock: TestClock;
  readonly log: TestLog;
  readonly sidecar: Sidecar;
  readonly dialled: Dialled[] = [];
  readonly #kit: SidecarKit<TestClock, TestLog, Worker, WorkerOptions>;
  readonly #worker: WorkerOptions | undefined;

  constructor(
    kit: SidecarKit<TestClock, TestLog, Worker, WorkerOptions>,
    options: SidecarRunOptions<WorkerOptions> = {},
  ) {
    const { clock, log, random } = kit;
    this.#kit = kit;
    this.#worker = options.worker;
    this.clock = clock;
    this.log = log;
    const dial: SidecarDeps['dial'] = (endpoint, token) => {
      const { opener, acceptor } = createMemoryLinkPair();
      const runtime = new ScriptedRuntime(acceptor);
      this.dialled.push({ endpoint, token: token?.reveal(), runtime });
      (options.onDial ?? accept)(runtime);
      return opener;
    };
    this.sidecar = createSidecar({ clock, log, random, dial, ...options.deps }, { ...sample, ...options.sidecar });
  }

  /** The Runtime of the latest dial. */
  get runtime(): ScriptedRuntime {
    const last = this.dialled.at(-1);
    if (last === undefined) throw new Error('nothing was dialled');
    return last.runtime;
  }

  /** Opens the local worker's stream and returns its end. */
  connectLink(): Link {
    const { opener, acceptor } = createMemoryLinkPair();
    this.sidecar.acceptWorker(acceptor);
    return opener;
  }

  /** A worker that has dialled. */
  connect(): Worker {
    return this.#kit.playWorker(this.connectLink(), this.#worker ?? ({} as WorkerOptions));
  }

  /** A worker, warm. */
  async warm(): Promise<Worker> {
    const worker = this.connect();
    await this.clock.settle();
    return worker;
  }

  /** A worker with the sample app. */
  async serve(): Promise<Worker> {
    const worker = await this.warm();
    const outcome = await this.sidecar.assign(sampleAssignment);
    if (outcome.kind !== 'assigned') throw outcome.error;
    return worker;
  }
}

const sample: SidecarOptions = {
  workerId: 'w1',
  instanceId: 'machine-1',
  stack: { runtime: 'node', version: '24', architecture: 'x64' },
  traits: { workerIndexing: true, initializationTimeoutMs: 10_000, environmentReloadTimeoutMs: 30_000 },
  hostVersion: '4.1052.0',
  workerDirectory: '/worker',
  hasConsole: false,
};

/** Answers WorkerConnect well. */
export function accept(runtime: ScriptedRuntime): void {
  const result = { status: 1, result: '', exception: undefined, logs: [] } as const;
  runtime.on('workerConnect', () => runtime.answerConnect({ ...result, logs: [] }));
}
