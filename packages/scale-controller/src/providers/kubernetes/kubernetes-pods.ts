/**
 * Placeholders as pods of a Kubernetes cluster: each is created, watched by looking at all of them together, assigned over its
 * sidecar's own port, and deleted in the end.
 *
 * Ownership: the composition root owns the provider and closes it; pods that it made are deleted then.
 *
 * I1 A pod is warm once the cluster says that it is ready, and ends once with what the cluster says of its end.
 * I2 A pod that cannot be created, or is gone, ends with the reason; the others go on. One that may have been created is deleted.
 * I3 A look that fails changes nothing; the next one tells. While they fail they come less often, and the first is logged.
 * I4 Nothing is looked at while there is no pod, and after `close` none is left that was made here. A pod that the cluster could not be
 *    told to delete is deleted when it can.
 * I5 A pod that does not come up ends with what keeps it, once it had time to: little where it waits for what is not there.
 * I6 `sweep` leaves no pod of an earlier start: nobody else would ever end it.
 */
import { type Clock, isPlatformError, type Log, messageOf, type Random, type Timer } from '@switchyard/kernel';
import type { Stack } from '@switchyard/model';
import type { Pod, PodProvider, WorkerUsage } from '@switchyard/protocol';
import { scaleErrors } from '../../errors.ts';
import { stackLabel } from '../../stack-pool.ts';
import { PodRemovals } from '../pod-removals.ts';
import { PodUsageWatch } from '../pod-usage-watch.ts';
import { RemotePod, type RemotePodDeps } from '../remote-pod.ts';
import type { KubernetesApi, SeenPod } from './kubernetes-api.ts';
import { assignPort, installationLabel, type KubernetesPodOptions, toPodManifest } from './pod-manifest.ts';

export interface KubernetesPodsDeps extends Pick<RemotePodDeps, 'exchange' | 'tokenFor'> {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly api: KubernetesApi;
}

export interface KubernetesPods extends PodProvider {
  usageOf(workerId: string): WorkerUsage | undefined;
  /**
   * Deletes what a predecessor of the same installation has left. To be called before the first pod is started. Rejects with
   * KUBERNETES_REFUSED when the cluster does not let its pods be seen or deleted.
   */
  sweep(): Promise<void>;
  /** Deletes every pod. Resolves when the cluster was told. */
  close(graceMs: number): Promise<void>;
}

/** How often the pods are looked at while one is on its way, and while all are settled. */
const busyLookMs = 500;
const calmLookMs = 5_000;

/** Pods that the cluster does not list yet, so long after they were created, are gone. */
const unseenMs = 30_000;

/** A pod may be stuck so long: an image may be pushed a moment later, a Secret made. */
const stuckMs = 30_000;

/** Nodes are made, and large images pulled, within this time. */
const startMs = 600_000;

const goneReason = 'the cluster has it no more';

interface ClusterPod {
  readonly pod: RemotePod;
  readonly createdAtMs: number;
  wasSeen: boolean;
  stuckSinceMs: number | undefined;
}

export function createKubernetesPods(deps: KubernetesPodsDeps, options: KubernetesPodOptions): KubernetesPods {
  return new ClusterPods(deps, options);
}

class ClusterPods implements KubernetesPods {
  readonly #deps: KubernetesPodsDeps;
  readonly #options: KubernetesPodOptions;
  readonly #pods = new Map<string, ClusterPod>();
  readonly #podDeps: RemotePodDeps;
  readonly #usage: PodUsageWatch;
  readonly #removals: PodRemovals;
  #timer: Timer | undefined;
  #failedLooks = 0;
  #isClosed = false;

  constructor(deps: KubernetesPodsDeps, options: KubernetesPodOptions) {
    this.#deps = deps;
    this.#options = options;
    const { exchange, tokenFor } = deps;
    this.#usage = new PodUsageWatch(deps);
    const tell = (workerId: string, graceMs: number) => deps.api.deletePod(workerId, graceMs / 1_000);
    this.#removals = new PodRemovals({ log: deps.log, tell });
    const onAssigned = (pod: RemotePod, url: string): void => this.#usage.add(pod, url);
    const toError = (workerId: string, reason: string) =>
      scaleErrors.create('KUBERNETES_POD_FAILED', { workerId, reason });
    this.#podDeps = {
      exchange,
      tokenFor,
      toError,
      onAssigned,
      remove: (workerId, graceMs) => this.#remove(workerId, graceMs),
    };
  }

  startPod(stack: Stack): Pod {
    const { clock, random } = this.#deps;
    const workerId = `w-${random.uuid().replaceAll('-', '').slice(0, 20)}`;
    const pod = new RemotePod(this.#podDeps, workerId, stack);
    this.#pods.set(workerId, { pod, createdAtMs: clock.monotonic(), wasSeen: false, stuckSinceMs: undefined });
    void pod.ended.then(() => this.#pods.delete(workerId));
    const image = this.#options.imageOf(stack);
    if (this.#isClosed) pod.end('the provider is closed');
    else if (image === undefined) pod.end(`there is no image for ${stackLabel(stack)}`);
    else void this.#create(pod, toPodManifest(workerId, stack, image, this.#options));
    this.#timer ??= clock.schedule(busyLookMs, () => void this.#look());
    return pod;
  }

  usageOf(workerId: string): WorkerUsage | undefined {
    return this.#usage.usageOf(workerId);
  }

  async sweep(): Promise<void> {
    const { api, log } = this.#deps;
    const left = await api.listPods({ [installationLabel]: this.#options.installation });
    if (left.length === 0) return;
    log.write('information', 'Pods of an earlier start are deleted', { count: left.length });
    await Promise.all(left.map(({ name }) => api.deletePod(name, 0)));
  }

  async close(graceMs: number): Promise<void> {
    this.#isClosed = true;
    this.#usage.close();
    this.#timer?.cancel();
    const names = new Set([...this.#pods.keys(), ...this.#removals.open]);
    await Promise.all([...names].map((name) => this.#remove(name, graceMs)));
    for (const { pod } of [...this.#pods.values()]) pod.end(goneReason);
  }

  async #create(pod: RemotePod, manifest: object): Promise<void> {
    try {
      await this.#deps.api.createPod(manifest);
      // It may have been given up meanwhile.
      if (pod.isLeaving) await this.#remove(pod.workerId, 0);
    } catch (thrown) {
      pod.end(messageOf(thrown));
      // Without an answer it may be there all the same, and nobody would ever end it.
      if (!isPlatformError(thrown)) await this.#remove(pod.workerId, 0);
    }
  }

  async #look(): Promise<void> {
    const { clock, api, log } = this.#deps;
    await this.#removals.retry();
    try {
      const seen = await api.listPods({ [installationLabel]: this.#options.installation });
      if (this.#failedLooks > 0) {
        log.write('information', 'The pods of the cluster can be looked at again', { failed: this.#failedLooks });
        this.#failedLooks = 0;
      }
      const byName = new Map(seen.map((one) => [one.name, one]));
      for (const known of [...this.#pods.values()]) {
        const found = byName.get(known.pod.workerId);
        if (found !== undefined) this.#see(known, found);
        else if (known.wasSeen || clock.monotonic() - known.createdAtMs >= unseenMs) known.pod.end(goneReason);
      }
    } catch (thrown) {
      this.#failedLooks += 1;
      const reason = messageOf(thrown);
      if (this.#failedLooks === 1) log.write('warning', 'The pods of the cluster could not be looked at', { reason });
    }
    this.#timer = undefined;
    if (this.#isClosed || this.#pods.size + this.#removals.open.length === 0) return;
    const isBusy = [...this.#pods.values()].some(({ pod }) => !pod.isSettled);
    const waitMs = isBusy ? Math.min(calmLookMs, busyLookMs * 2 ** this.#failedLooks) : calmLookMs;
    this.#timer = clock.schedule(waitMs, () => void this.#look());
  }

  #see(known: ClusterPod, seen: SeenPod): void {
    const { pod } = known;
    const { phase, address, isReady, exitCode, reason } = seen;
    known.wasSeen = true;
    const end = (why: string): void => {
      void this.#remove(pod.workerId, 0);
      pod.end(why, exitCode ?? null);
    };
    if (phase === 'Failed' || phase === 'Succeeded') end(reason ?? phase);
    else if (isReady && address !== undefined) {
      pod.ready(`https://${address.includes(':') ? `[${address}]` : address}:${assignPort}`);
    } else if (pod.isStarting && this.#isLate(known, seen)) end(reason ?? `it was not ready within ${startMs} ms`);
  }

  #isLate(known: ClusterPod, { isStuck }: SeenPod): boolean {
    const nowMs = this.#deps.clock.monotonic();
    known.stuckSinceMs = isStuck ? (known.stuckSinceMs ?? nowMs) : undefined;
    return nowMs - (known.stuckSinceMs ?? nowMs) >= stuckMs || nowMs - known.createdAtMs >= startMs;
  }

  /** Tells the cluster, now or when it can be told. Never rejects. */
  async #remove(workerId: string, graceMs: number): Promise<void> {
    const isTold = await this.#removals.remove(workerId, graceMs);
    if (!isTold && !this.#isClosed) this.#timer ??= this.#deps.clock.schedule(calmLookMs, () => void this.#look());
  }
}
