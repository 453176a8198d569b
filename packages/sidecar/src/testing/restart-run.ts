import { type Assignment, createMemoryLinkPair } from '@switchyard/protocol';
import {
  createFakeWorker,
  createMemoryLog,
  createSeededRandom,
  type FakeWorker,
  type FakeWorkerOptions,
  successResult,
  VirtualClock,
} from '@switchyard/testkit';
import type { CapturedLaunch } from '../restart/launch-check.ts';
import { createRestartableSidecar, type FindLaunch } from '../restart/restartable-sidecar.ts';
import { createSidecar } from '../sidecar/sidecar.ts';
import type { RuntimeAttachment } from '../sidecar/sidecar-contract.ts';
import type { LaunchChange, RestartOutcome } from '../wrapper/contract.ts';
import { ScriptedRuntime } from './scripted-runtime.ts';
import { accept, sampleAssignment } from './sidecar-run.ts';

const captured: CapturedLaunch = {
  language: 'node',
  runtimeVersion: '24',
  executable: 'node',
  arguments: [],
  workerPath: '/worker/worker.js',
  workerDirectory: '/worker',
};

export interface RestartRunOptions {
  readonly awaitsReturn?: boolean;
  /** What the wrapper answers; it then ends the worker, unless it refuses. */
  readonly outcome?: RestartOutcome;
  readonly findLaunch?: FindLaunch;
  readonly hasConsole?: boolean;
  /** The sidecar attaches its worker by itself, and gives it this app. */
  readonly ownApp?: Assignment;
}

/** A restartable sidecar whose wrapper, workers and Runtimes the test plays. */
export class RestartRun {
  readonly clock = new VirtualClock();
  readonly log = createMemoryLog(this.clock);
  readonly runtimes: ScriptedRuntime[] = [];
  readonly workers: FakeWorker[] = [];
  readonly asked: { readonly reason: string; readonly change: LaunchChange | undefined }[] = [];
  expected = 0;
  outcome: RestartOutcome;
  readonly sidecar;

  constructor({
    outcome = { kind: 'accepted' },
    awaitsReturn = false,
    findLaunch,
    hasConsole,
    ownApp,
  }: RestartRunOptions = {}) {
    this.outcome = outcome;
    const { clock, log } = this;
    const dial = () => {
      const { opener, acceptor } = createMemoryLinkPair();
      const runtime = new ScriptedRuntime(acceptor);
      this.runtimes.push(runtime);
      accept(runtime);
      runtime.on('startStream', () => runtime.send({ $case: 'workerInitRequest', value: initRequest }));
      runtime.on('workerSpecialized', () => runtime.answerSpecialized(successResult()));
      return opener;
    };
    const deps = { clock, log, dial, random: createSeededRandom(1) };
    this.sidecar = createRestartableSidecar(
      {
        log,
        control: { restart: (reason, change) => this.#restart(reason, change) },
        createLife: ({ firstEpoch, onRestartRequest, environmentOverrides }) =>
          createSidecar(
            { ...deps, onRestartRequest },
            { ...lifeOptions, hasConsole: hasConsole ?? false, firstEpoch, ...attached(ownApp, environmentOverrides) },
          ),
        expectWorker: () => {
          this.expected += 1;
        },
        ...(findLaunch === undefined ? {} : { findLaunch }),
      },
      { captured, awaitsReturn, graceMs: 10_000 },
    );
  }

  /** A worker dials; it has said all that it says by itself when this resolves. */
  async connect(options: Partial<FakeWorkerOptions> = {}): Promise<FakeWorker> {
    const { opener, acceptor } = createMemoryLinkPair();
    this.sidecar.acceptWorker(acceptor);
    const worker = createFakeWorker(opener, { workerId: 'w1', functions: [{ name: 'hello' }], ...options });
    this.workers.push(worker);
    await this.clock.settle();
    return worker;
  }

  async serve(assignment: Assignment = sampleAssignment): Promise<FakeWorker> {
    const worker = await this.connect();
    const outcome = await this.sidecar.assign(assignment);
    if (outcome.kind !== 'assigned') throw outcome.error;
    return worker;
  }

  get runtime(): ScriptedRuntime {
    const last = this.runtimes.at(-1);
    if (last === undefined) throw new Error('nothing was dialled');
    return last;
  }

  /** What the Runtimes were answered. */
  get answers(): readonly unknown[] {
    return this.runtimes.flatMap(({ messages }) =>
      messages.flatMap(({ content }) => (content?.$case === 'workerRestartResponse' ? [content.value.status] : [])),
    );
  }

  wish(newConfiguration?: Partial<Configuration>): void {
    const configuration = { executablePath: '', arguments: [], workerPath: '', environmentOverrides: new Map() };
    const given = newConfiguration === undefined ? undefined : { ...configuration, ...newConfiguration };
    const value = { reason: 'the Runtime wants it', newConfiguration: given };
    this.runtime.send({ $case: 'workerRestartRequest', value }, 'r1');
  }

  async #restart(reason: string, change: LaunchChange | undefined): Promise<RestartOutcome> {
    this.asked.push({ reason, change });
    if (this.outcome.kind === 'accepted') this.workers.at(-1)?.crash();
    return this.outcome;
  }
}

interface Configuration {
  executablePath: string;
  arguments: string[];
  workerPath: string;
  environmentOverrides: Map<string, string>;
}

/** How a sidecar whose app is its own is attached. */
function attached(
  ownApp: Assignment | undefined,
  overrides: ReadonlyMap<string, string>,
): { readonly attachTo?: RuntimeAttachment } {
  if (ownApp === undefined) return {};
  const application = { ...ownApp, environment: new Map([...ownApp.environment, ...overrides]) };
  return { attachTo: { endpoint: ownApp.runtimeEndpoint, token: undefined, application } };
}

const initRequest = {
  hostVersion: '4.1',
  capabilities: new Map<string, string>(),
  logCategories: new Map(),
  workerDirectory: '/worker',
  functionAppDirectory: '',
};

const lifeOptions = {
  workerId: 'w1',
  instanceId: 'machine-1',
  stack: { runtime: 'node', version: '24', architecture: 'x64' },
  traits: { workerIndexing: true, initializationTimeoutMs: 10_000, environmentReloadTimeoutMs: 30_000 },
  hostVersion: '4.1052.0',
  workerDirectory: '/worker',
} as const;
