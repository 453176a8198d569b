/** Joins the parts of a pod: the process, its wrapper, and a sidecar for each life of the worker. */
import type { Stack } from '@switchyard/model';
import type { PodHostLimits } from '../limits.ts';
import type { CapturedLaunch } from '../restart/launch-check.ts';
import { type CreateLife, createRestartableSidecar } from '../restart/restartable-sidecar.ts';
import { createSidecar } from '../sidecar/sidecar.ts';
import type { SidecarTraits } from '../sidecar/sidecar-contract.ts';
import type { PlaceholderPodsDeps, PlaceholderPodsOptions } from './placeholder-pods.ts';
import { LocalPod, type PlaceholderLaunch } from './pod.ts';

export interface PodPlan {
  readonly stack: Stack;
  /** Undefined when nobody knows how to start it: the pod is made to say so. */
  readonly launch: PlaceholderLaunch | undefined;
  readonly limits: PodHostLimits;
  /** Made up unless named. */
  readonly workerId?: string;
  /** The pod's worker is about to dial. */
  readonly expectWorker: (pod: LocalPod) => void;
}

/** Makes a pod that waits for its start. */
export function createPod(
  deps: Omit<PlaceholderPodsDeps, 'launchOf' | 'openDoor'>,
  options: PlaceholderPodsOptions,
  plan: PodPlan,
): LocalPod {
  const { clock, random, log, processes, findLaunch } = deps;
  const { stack, launch, limits } = plan;
  const workerId = plan.workerId ?? random.uuid();
  const createLife: CreateLife = ({ firstEpoch, onRestartRequest, environmentOverrides }) => {
    const attachment = options.attachTo?.(workerId, environmentOverrides);
    return createSidecar(
      { ...deps, onRestartRequest },
      {
        workerId,
        firstEpoch,
        epochBase: options.epochBase ?? 0,
        stack,
        instanceId: options.instanceId,
        hostVersion: options.hostVersion,
        traits: launch?.traits ?? unknownTraits,
        workerDirectory: launch?.workerDirectory ?? '',
        hasConsole: true,
        limits: { startStreamMs: limits.launchTimeoutMs, ...options.sidecarLimits },
        ...(attachment === undefined ? {} : { attachTo: attachment }),
      },
    );
  };
  const sidecar = createRestartableSidecar(
    {
      log,
      createLife,
      control: { restart: (reason, change) => pod.restart(reason, change) },
      expectWorker: () => plan.expectWorker(pod),
      ...(findLaunch === undefined ? {} : { findLaunch }),
    },
    // A worker that fails ends its pod, and the supply starts another one.
    { captured: launch && toCaptured(stack, launch), awaitsReturn: false, graceMs: limits.terminationGraceMs },
  );
  const pod = new LocalPod({ clock, random, log, processes, sidecar }, { stack, requestId: random.uuid(), limits });
  return pod;
}

const unknownTraits: SidecarTraits = {
  workerIndexing: false,
  initializationTimeoutMs: 1,
  environmentReloadTimeoutMs: 1,
};

/** What an app's own settings are compared with. */
function toCaptured({ runtime, version }: Stack, { launch, workerDirectory }: PlaceholderLaunch): CapturedLaunch {
  const { executable, arguments: words, workerPath } = launch;
  return { language: runtime, runtimeVersion: version, executable, arguments: words, workerPath, workerDirectory };
}
