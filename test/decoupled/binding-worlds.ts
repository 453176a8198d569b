/** Both ways of binding workers to a Runtime, in memory and on virtual time. */
import { silentMeter } from '@switchyard/kernel';
import { createMemoryLinkPair, type Link, type WorkerSupply } from '@switchyard/protocol';
import { createRuntime, type Runtime } from '@switchyard/runtime';
import { createPooledSupply } from '@switchyard/scale-controller';
import { createPlaceholderPods, createPodHost, type PlaceholderPodsOptions } from '@switchyard/sidecar';
import { createMemoryLog, createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { createAzureQueueService, createKinds } from '@switchyard/triggers';
import type { BindingWorld } from './binding-contract.ts';
import { createFakeFleet, type FakeFleet } from './fake-fleet.ts';
import type { FlowRecorder } from './flow-recorder.ts';
import { createHelloApplication, nodeStack } from './hello-application.ts';
import { ask } from './in-memory-request.ts';

const endpoint = { host: '127.0.0.1', port: 50_051 };
const launch = { executable: 'worker', arguments: [], workerPath: 'worker.js', workerArguments: [], directory: '/' };

/** Workers come by themselves. */
const noSupply: WorkerSupply = { ensure: () => {}, release: () => {}, watch: () => () => {} };

interface Parts {
  readonly clock: VirtualClock;
  readonly log: ReturnType<typeof createMemoryLog>;
  readonly fleet: FakeFleet;
  /** Set once there is somebody to take workers. */
  acceptor: (link: Link) => void;
}

function createParts(): Parts {
  const clock = new VirtualClock();
  const parts: Parts = {
    clock,
    log: createMemoryLog(clock),
    acceptor: () => {},
    fleet: createFakeFleet(() => dialTo((link) => parts.acceptor(link))),
  };
  return parts;
}

function dialTo(accept: (link: Link) => void): Link {
  const { opener, acceptor } = createMemoryLinkPair();
  accept(acceptor);
  return opener;
}

function openRuntime({ clock, log }: Parts, supply: WorkerSupply): Runtime {
  const timerStatus = { read: async () => undefined, write: async () => {} };
  const kinds = createKinds({ queues: createAzureQueueService(), timerStatus });
  return createRuntime(
    {
      clock,
      log,
      random: createSeededRandom(11),
      meter: silentMeter,
      supply,
      kinds,
      verifyWorker: () => ({ kind: 'accepted' }),
    },
    { cpus: 1 },
  );
}

/** The worker dials the Runtime itself. */
export function openClassicBinding(settings: Readonly<Record<string, string>>, recorder?: FlowRecorder): BindingWorld {
  const parts = createParts();
  const { clock, log, fleet } = parts;
  const podHost = createPodHost(
    {
      clock,
      log,
      random: createSeededRandom(7),
      processes: fleet,
      launches: { launchOf: async () => ({ ...launch, environment: settings }) },
    },
    { endpoint },
  );
  const runtime = openRuntime(parts, podHost);
  parts.acceptor = (link) => runtime.acceptWorker(recorder?.tap(link, { near: 'Runtime', far: 'Worker' }) ?? link);
  return {
    clock,
    log,
    runtime,
    fleet,
    ask: (path, host) => ask(runtime, path, host),
    environmentOf: (worker) => new Map(Object.entries(worker.launch.environment)),
    async close() {
      await runtime.drain(1_000);
      await podHost.close(1_000);
    },
  };
}

/** A world whose links to the Runtime a test can cut. */
export interface LateWorld extends BindingWorld {
  /** The sidecars' ends of their links to the Runtime, in order. */
  readonly runtimeLinks: readonly Link[];
  /** Another Runtime, without apps. */
  readonly elsewhere: Runtime;
}

/** Placeholders wait in a pool, behind sidecars; no Runtime knows of them. */
export function openLateBinding(settings: Readonly<Record<string, string>>, recorder?: FlowRecorder): LateWorld {
  return openPooled(settings, {}, recorder);
}

/** Placeholders wait in a pool, behind sidecars, and each hangs on the Runtime from its start. */
export function openAttachedBinding(settings: Readonly<Record<string, string>>, recorder?: FlowRecorder): LateWorld {
  return openPooled(settings, { attachTo: () => ({ endpoint: 'memory', token: undefined }) }, recorder);
}

/** They hang on one Runtime, and their apps are on another: each moves there with its app. */
export function openMovedBinding(settings: Readonly<Record<string, string>>, recorder?: FlowRecorder): LateWorld {
  return openPooled(settings, { attachTo: () => ({ endpoint: 'elsewhere', token: undefined }) }, recorder);
}

function openPooled(
  settings: Readonly<Record<string, string>>,
  attachment: Pick<PlaceholderPodsOptions, 'attachTo'>,
  recorder?: FlowRecorder,
): LateWorld {
  const parts = createParts();
  const { clock, log, fleet } = parts;
  const runtimeLinks: Link[] = [];
  const pods = createPlaceholderPods(
    {
      clock,
      log,
      random: createSeededRandom(7),
      processes: fleet,
      dial: (address) => {
        const link = dialTo((accepted) => (address === 'memory' ? runtime : elsewhere).acceptWorker(accepted));
        if (address === 'memory') runtimeLinks.push(link);
        const far = address === 'memory' ? 'Runtime' : 'OtherRuntime';
        return recorder?.tap(link, { near: 'Sidecar', far }) ?? link;
      },
      launchOf: () => ({
        launch: { ...launch, environment: { PATH: '/bin' } },
        traits: { workerIndexing: true, initializationTimeoutMs: 30_000, environmentReloadTimeoutMs: 30_000 },
        workerDirectory: '/worker',
      }),
      openDoor: () => ({ endpoint, close: async () => {} }),
    },
    { instanceId: 'here', hostVersion: '4', ...attachment },
  );
  parts.acceptor = (link) => pods.acceptWorker(recorder?.tap(link, { near: 'Sidecar', far: 'Worker' }) ?? link);
  const { tenantId, scriptRoot } = createHelloApplication();
  const assignmentOf = async (application: Parameters<WorkerSupply['ensure']>[0]['application']) => ({
    stack: nodeStack,
    assignment: {
      runtimeEndpoint: 'memory',
      application,
      tenantId,
      content: { kind: 'folder', scriptRoot } as const,
      environment: new Map(Object.entries(settings)),
      token: undefined,
    },
  });
  const supply = createPooledSupply(
    { clock, log, random: createSeededRandom(9), meter: silentMeter, provider: pods, assignments: { assignmentOf } },
    { defaultMinimum: 1 },
  );
  const runtime = openRuntime(parts, supply);
  const elsewhere = openRuntime(parts, noSupply);
  return {
    clock,
    log,
    runtime,
    elsewhere,
    fleet,
    runtimeLinks,
    ask: (path, host) => ask(runtime, path, host),
    environmentOf: (worker) => worker.bodies('functionEnvironmentReloadRequest')[0]?.environmentVariables ?? new Map(),
    async close() {
      await Promise.all([runtime.drain(1_000), elsewhere.drain(1_000)]);
      await supply.close(1_000);
      await pods.close(1_000);
    },
  };
}
