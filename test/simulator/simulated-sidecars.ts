/**
 * Pods whose sidecars are processes of their own: each can die, with its timers and links, and leaves its worker alone.
 *
 * Ownership: the world owns them; the supply gets them as its provider.
 */
import { type Clock, silentLog } from '@switchyard/kernel';
import type { Link, Pod, PodEnd, PodProvider } from '@switchyard/protocol';
import { createPlaceholderPods, type ProcessPort } from '@switchyard/sidecar';
import { createMortalClock, createSeededRandom, type FaultyLink } from '@switchyard/testkit';

export interface SimulatedSidecars extends PodProvider {
  /** Sidecars that live. */
  living(): readonly SidecarProcess[];
  /** Links to the Runtime that are open. */
  runtimeLinks(): readonly FaultyLink[];
  /** A worker that was just started dials its sidecar. */
  acceptWorker(link: FaultyLink): void;
  close(deadlineMs: number): Promise<void>;
}

export interface SidecarProcess {
  readonly workerId: string;
  kill(): void;
}

export interface SimulatedSidecarsDeps {
  readonly clock: Clock;
  readonly processes: ProcessPort;
  /** Opens a link to whichever Runtime there is. */
  readonly dial: () => FaultyLink;
  readonly seed: number;
}

interface LivingSidecar extends SidecarProcess {
  readonly links: readonly FaultyLink[];
  close(deadlineMs: number): Promise<void>;
}

const command = { executable: 'worker', arguments: [], workerPath: 'worker.js', workerArguments: [], directory: '/' };

const placeholder = {
  launch: { ...command, environment: {} },
  traits: { workerIndexing: true, initializationTimeoutMs: 30_000, environmentReloadTimeoutMs: 30_000 },
  workerDirectory: '/worker',
};

const endpoint = { host: '127.0.0.1', port: 50_051 };
const options = { instanceId: 'here', hostVersion: '4' };

/** What is left of a pod whose sidecar died. */
const killed: PodEnd = { exitCode: null, signal: 'SIGKILL', stderrTail: [], error: undefined };

export function createSimulatedSidecars({ clock, processes, dial, seed }: SimulatedSidecarsDeps): SimulatedSidecars {
  const living = new Set<LivingSidecar>();
  let started = 0;
  /** Who starts a worker right now: the worker dials within its start. */
  let takeWorker: (link: FaultyLink) => void = () => {};

  const startPod = (stack: Pod['stack']): Pod => {
    const mortal = createMortalClock(clock);
    const death = Promise.withResolvers<PodEnd>();
    const links: FaultyLink[] = [];
    const accept = (link: FaultyLink): void => {
      links.push(link);
      pods.acceptWorker(link.acceptor);
    };
    started += 1;
    const pods = createPlaceholderPods(
      {
        clock: mortal,
        log: silentLog,
        random: createSeededRandom(seed * 1_000 + started),
        processes: {
          spawn(launch, observer) {
            takeWorker = accept;
            return processes.spawn(launch, observer);
          },
        },
        dial: (): Link => {
          const link = dial();
          links.push(link);
          return link.opener;
        },
        launchOf: () => placeholder,
        openDoor: () => ({ endpoint, close: async () => {} }),
      },
      options,
    );
    const pod = pods.startPod(stack);
    const sidecar: LivingSidecar = {
      workerId: pod.workerId,
      links,
      kill() {
        mortal.kill();
        living.delete(sidecar);
        for (const link of links) link.cut();
        death.resolve(killed);
      },
      close: (deadlineMs) => pods.close(deadlineMs),
    };
    living.add(sidecar);
    void pod.ended.then(() => living.delete(sidecar));
    return toMortalPod(pod, death.promise, () => mortal.isAlive);
  };

  return {
    startPod,
    living: () => [...living],
    runtimeLinks: () => [...living].flatMap(({ links }) => links.slice(1).filter(({ isOpen }) => isOpen)),
    acceptWorker: (link) => takeWorker(link),
    close: async (deadlineMs) => {
      await Promise.all([...living].map((sidecar) => sidecar.close(deadlineMs)));
    },
  };
}

/** The pod as the supply sees it: when its sidecar has died it has ended, and answers nothing any more. */
function toMortalPod(pod: Pod, death: Promise<PodEnd>, isAlive: () => boolean): Pod {
  const died = death.then((): never => {
    throw new Error('the sidecar of this simulated pod was killed');
  });
  const warm = Promise.race([pod.warm, died]);
  // Whoever does not wait for it need not hear of it.
  warm.catch(() => {});
  return {
    workerId: pod.workerId,
    stack: pod.stack,
    warm,
    ended: Promise.race([pod.ended, death]),
    assign: (assignment) => (isAlive() ? pod.assign(assignment) : new Promise(() => {})),
    stop: (graceMs) => {
      if (isAlive()) pod.stop(graceMs);
    },
  };
}
