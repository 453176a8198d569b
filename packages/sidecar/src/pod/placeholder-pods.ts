/**
 * The pods of a single machine, many in one process: starts placeholders, and gives each worker that dials
 * the door of its pod its sidecar.
 *
 * Ownership: the composition root owns it, and the server that calls `acceptWorker`; it owns every pod.
 *
 * I1 At most `maxConcurrentStarts` placeholders are in their start-up at a time.
 * I2 A pod that cannot be started ends with the reason; the others go on.
 * I3 After `close` no pod is left and none is started.
 */
import { type Clock, type Log, messageOf, type Random, settlesWithin } from '@switchyard/kernel';
import type { Stack } from '@switchyard/model';
import type { Link, Pod, PodProvider } from '@switchyard/protocol';
import { podErrors } from '../errors.ts';
import type { HttpProxy } from '../http-proxy/worker-http-proxy.ts';
import { defaultPodHostLimits, type PodHostLimits } from '../limits.ts';
import type { ProcessPort } from '../process-port.ts';
import type { FindLaunch } from '../restart/restartable-sidecar.ts';
import type { SidecarLimits } from '../sidecar/limits.ts';
import type { CallRuntime, DialRuntime, OpenPackage, RuntimeAttachment, Sidecar } from '../sidecar/sidecar-contract.ts';
import { StartGate } from '../start-gate.ts';
import { createPod } from './create-pod.ts';
import type { LocalPod, PlaceholderLaunch, PodEndpoint } from './pod.ts';
import { WorkerLobby } from './worker-lobby.ts';

/** The way into one pod. */
export interface PodDoor {
  readonly endpoint: PodEndpoint;
  close(): Promise<void>;
}

export interface PlaceholderPodsDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly processes: ProcessPort;
  readonly dial: DialRuntime;
  readonly callRuntime?: CallRuntime;
  /**
   * Opens the way by which the worker of a pod reaches `acceptWorker`, and its sidecar for calls beside its stream: whoever
   * comes that way is the worker of that pod. It is closed when the pod has ended.
   */
  readonly openDoor: (sidecar: Pick<Sidecar, 'callRuntime'>) => Promise<PodDoor> | PodDoor;
  /** How placeholders of a stack are started. Throws what keeps it from knowing. */
  readonly launchOf: (stack: Stack) => PlaceholderLaunch;
  readonly httpProxy?: HttpProxy;
  readonly openPackage?: OpenPackage;
  /** For apps that ask for a version that is not their pod's; without it they are refused there. */
  readonly findLaunch?: FindLaunch;
}

export interface PlaceholderPodsOptions {
  readonly instanceId: string;
  readonly hostVersion: string;
  readonly limits?: Partial<PodHostLimits>;
  readonly sidecarLimits?: Partial<SidecarLimits>;
  /**
   * The Runtime on which the placeholder of this id waits, and its own app, if any, with what a Runtime wants laid over its
   * environment; late binding without one.
   */
  readonly attachTo?: (
    workerId: string,
    environmentOverrides: ReadonlyMap<string, string>,
  ) => RuntimeAttachment | undefined;
  /** Where streams to Runtimes are counted from, for worker ids that outlive a process; 0 unless named. */
  readonly epochBase?: number;
}

export interface PlaceholderPods extends PodProvider {
  startPod(stack: Stack): LocalPod;
  /** Takes the stream of a local worker. */
  acceptWorker(link: Link): void;
  /** Ends every pod; what is left after `deadlineMs` is killed. Resolves when all are gone. */
  close(deadlineMs: number): Promise<void>;
}

/** After SIGKILL the kernel decides; how long `close` waits for it. */
const killWaitMs = 2_000;

export function createPlaceholderPods(deps: PlaceholderPodsDeps, options: PlaceholderPodsOptions): PlaceholderPods {
  const limits = { ...defaultPodHostLimits, ...options.limits };
  const { clock, log } = deps;
  const gate = new StartGate(limits.maxConcurrentStarts, limits.maxWaitingStarts);
  const lobby = new WorkerLobby(clock, { introductionMs: limits.launchTimeoutMs });
  const pods = new Set<LocalPod>();
  let isClosed = false;

  const expectWorker = (pod: LocalPod): void => {
    const forget = lobby.expect(
      pod.workerId,
      (link) => pod.acceptWorker(link),
      (link) => pod.knows(link),
    );
    void pod.ended.then(forget);
  };

  const start = async (pod: LocalPod, launch: PlaceholderLaunch): Promise<void> => {
    const pass = await gate.enter(false);
    if (pass === undefined) {
      const details = { applicationId: '(none yet)', limit: limits.maxWaitingStarts };
      pod.fail(podErrors.create('POD_START_QUEUE_FULL', details));
      return;
    }
    const giveBack = (): void => pass.giveBack();
    pod.warm.then(giveBack, giveBack);
    const door = await openDoor(deps, pod);
    if (door === undefined) return;
    expectWorker(pod);
    pod.start(launch, door.endpoint);
  };

  return {
    startPod(stack) {
      const launch = launchOrReason(deps.launchOf, stack);
      const known = launch.kind === 'known' ? launch.launch : undefined;
      const pod = createPod(deps, options, { stack, launch: known, limits, expectWorker });
      pods.add(pod);
      void pod.ended.then(() => pods.delete(pod));
      if (isClosed) pod.stop(0);
      else if (launch.kind === 'known') void start(pod, launch.launch);
      else pod.fail(podErrors.create('POD_STACK_UNKNOWN', { runtime: stack.runtime, reason: launch.reason }));
      return pod;
    },
    acceptWorker: (link) => lobby.accept(link),
    async close(deadlineMs) {
      isClosed = true;
      const all = [...pods];
      for (const pod of all) pod.stop(deadlineMs);
      const ended = Promise.all(all.map((pod: Pod) => pod.ended));
      const inTime = await settlesWithin(clock, 2 * deadlineMs + killWaitMs + limits.consoleDrainMs, ended);
      if (!inTime) log.write('error', 'Some pods did not end, not even when killed');
    },
  };
}

/** The pod that nobody can reach has failed. */
async function openDoor(deps: Pick<PlaceholderPodsDeps, 'openDoor'>, pod: LocalPod): Promise<PodDoor | undefined> {
  try {
    const door = await deps.openDoor(pod.sidecar);
    void pod.ended.then(() => door.close());
    return door;
  } catch (thrown) {
    const details = { workerId: pod.workerId, reason: messageOf(thrown), output: '' };
    pod.fail(podErrors.create('POD_PLACEHOLDER_FAILED', details, thrown));
    return undefined;
  }
}

function launchOrReason(
  launchOf: (stack: Stack) => PlaceholderLaunch,
  stack: Stack,
): { kind: 'known'; launch: PlaceholderLaunch } | { kind: 'unknown'; reason: string } {
  try {
    return { kind: 'known', launch: launchOf(stack) };
  } catch (thrown) {
    return { kind: 'unknown', reason: messageOf(thrown) };
  }
}
