/** The one pod of a process: its worker, and the sidecar that the process is there for. */
import type { Stack } from '@switchyard/model';
import type { Link } from '@switchyard/protocol';
import { defaultPodHostLimits } from '../limits.ts';
import { createPod } from './create-pod.ts';
import type { PlaceholderPodsDeps, PlaceholderPodsOptions } from './placeholder-pods.ts';
import type { LocalPod, PlaceholderLaunch, PodEndpoint } from './pod.ts';
import { WorkerLobby } from './worker-lobby.ts';

export interface SinglePodOptions extends PlaceholderPodsOptions {
  /** Where the worker reaches `acceptWorker`. */
  readonly endpoint: PodEndpoint;
  readonly workerId: string;
  readonly stack: Stack;
  readonly launch: PlaceholderLaunch;
}

export interface SinglePod {
  readonly pod: LocalPod;
  /** Takes the stream of the local worker; whoever else dials is turned away. */
  acceptWorker(link: Link): void;
}

/** Starts the worker. Its end is the pod's end. */
export function startSinglePod(
  deps: Omit<PlaceholderPodsDeps, 'launchOf' | 'openDoor'>,
  options: SinglePodOptions,
): SinglePod {
  const { workerId, stack, launch } = options;
  const limits = { ...defaultPodHostLimits, ...options.limits };
  const lobby = new WorkerLobby(deps.clock, { introductionMs: limits.launchTimeoutMs });
  const expectWorker = (expected: LocalPod): void => {
    const forget = lobby.expect(
      expected.workerId,
      (link) => expected.acceptWorker(link),
      (link) => expected.knows(link),
    );
    void expected.ended.then(forget);
  };
  const pod = createPod(deps, options, {
    stack,
    launch,
    limits,
    workerId,
    expectWorker,
  });
  expectWorker(pod);
  pod.start(launch, options.endpoint);
  return { pod, acceptWorker: (link) => lobby.accept(link) };
}
