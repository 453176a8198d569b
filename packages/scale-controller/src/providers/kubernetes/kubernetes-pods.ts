/**
 * Placeholders as pods of a Kubernetes cluster: each is created, watched by looking at all of them together, assigned over its
 * sidecar's own port, and deleted in the end.
 *
 * Ownership: the composition root owns the provider and closes it; pods that it made are deleted then.
 *
 * I1 A pod is warm once the cluster says that it is ready, and ends once with what the cluster says of its end.
 * I2 A pod that cannot be created, or is gone, ends with the reason; the others go on.
 * I3 A look that fails changes nothing; the next one tells.
 * I4 An assignment whose end nobody knows counts as failed and tainted.
 * I5 Nothing is looked at while there is no pod, and after `close` none is left that was made here.
 */
import { type Clock, createDeferred, type Log, messageOf, type Random, type Timer } from '@switchyard/kernel';
import type { Stack } from '@switchyard/model';
import {
  type Assignment,
  type AssignOutcome,
  type Pod,
  type PodEnd,
  type PodProvider,
  toAssignmentJson,
} from '@switchyard/protocol';
import type { HttpExchange } from '@switchyard/protocol/http-exchange';
import { z } from 'zod';
import { scaleErrors } from '../../errors.ts';
import { stackLabel } from '../../stack-pool.ts';
import type { KubernetesApi, SeenPod } from './kubernetes-api.ts';
import { assignPort, installationLabel, type KubernetesPodOptions, toPodManifest } from './pod-manifest.ts';

export interface KubernetesPodsDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly api: KubernetesApi;
  /** Reaches the sidecars in their pods. */
  readonly exchange: HttpExchange;
}

export interface KubernetesPods extends PodProvider {
  /** Deletes every pod. Resolves when the cluster was told. */
  close(graceMs: number): Promise<void>;
}

/** How often the pods are looked at while one is on its way, and while all are settled. */
const busyLookMs = 500;
const calmLookMs = 5_000;

/** Pods that the cluster does not list yet, so long after they were created, are gone. */
const unseenMs = 30_000;

export function createKubernetesPods(deps: KubernetesPodsDeps, options: KubernetesPodOptions): KubernetesPods {
  return new ClusterPods(deps, options);
}

class ClusterPods implements KubernetesPods {
  readonly #deps: KubernetesPodsDeps;
  readonly #options: KubernetesPodOptions;
  readonly #pods = new Map<string, ClusterPod>();
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(deps: KubernetesPodsDeps, options: KubernetesPodOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  startPod(stack: Stack): Pod {
    const { clock, random } = this.#deps;
    const workerId = `w-${random.uuid().replaceAll('-', '').slice(0, 20)}`;
    const pod = new ClusterPod(this.#deps, workerId, stack);
    this.#pods.set(workerId, pod);
    void pod.ended.then(() => this.#pods.delete(workerId));
    const image = this.#options.imageOf(stack);
    if (this.#isClosed) pod.fail(new Error('the provider is closed'));
    else if (image === undefined) pod.fail(new Error(`there is no image for ${stackLabel(stack)}`));
    else void this.#create(pod, toPodManifest(workerId, stack, image, this.#options));
    this.#timer ??= clock.schedule(busyLookMs, () => void this.#look());
    return pod;
  }

  async close(graceMs: number): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    const all = [...this.#pods.values()];
    await Promise.all(all.map((pod) => pod.end(graceMs)));
    for (const pod of all) pod.gone(undefined);
  }

  async #create(pod: ClusterPod, manifest: object): Promise<void> {
    try {
      await this.#deps.api.createPod(manifest);
      // It may have been given up meanwhile.
      if (pod.isLeaving) await pod.end(0);
    } catch (thrown) {
      pod.fail(
        scaleErrors.create('KUBERNETES_POD_FAILED', { workerId: pod.workerId, reason: messageOf(thrown) }, thrown),
      );
    }
  }

  async #look(): Promise<void> {
    const { clock, api, log } = this.#deps;
    try {
      const seen = await api.listPods(`${installationLabel}=${this.#options.installation}`);
      const byName = new Map(seen.map((one) => [one.name, one]));
      for (const pod of [...this.#pods.values()]) {
        const found = byName.get(pod.workerId);
        if (found !== undefined) pod.see(found);
        else if (pod.wasSeen || clock.monotonic() - pod.createdAtMs >= unseenMs) pod.gone(undefined);
      }
    } catch (thrown) {
      log.write('warning', 'The pods of the cluster could not be looked at', { reason: messageOf(thrown) });
    }
    this.#timer = undefined;
    if (this.#isClosed || this.#pods.size === 0) return;
    const isBusy = [...this.#pods.values()].some((pod) => !pod.isSettled);
    this.#timer = clock.schedule(isBusy ? busyLookMs : calmLookMs, () => void this.#look());
  }
}

class ClusterPod implements Pod {
  readonly workerId: string;
  readonly stack: Stack;
  readonly createdAtMs: number;
  readonly #deps: KubernetesPodsDeps;
  readonly #warm = createDeferred<void>();
  readonly #ended = createDeferred<PodEnd>();
  #address: string | undefined;
  #phase: 'starting' | 'warm' | 'stopping' | 'ended' = 'starting';
  wasSeen = false;

  constructor(deps: KubernetesPodsDeps, workerId: string, stack: Stack) {
    this.#deps = deps;
    this.workerId = workerId;
    this.stack = stack;
    this.createdAtMs = deps.clock.monotonic();
    // Nobody may wait for it.
    this.#warm.promise.catch(() => {});
  }

  get warm(): Promise<void> {
    return this.#warm.promise;
  }

  get ended(): Promise<PodEnd> {
    return this.#ended.promise;
  }

  /** True while nothing is expected to change soon. */
  get isSettled(): boolean {
    return this.#phase === 'warm';
  }

  get isLeaving(): boolean {
    return this.#phase === 'stopping' || this.#phase === 'ended';
  }

  see({ phase, address, isReady, exitCode, reason }: SeenPod): void {
    this.wasSeen = true;
    this.#address = address ?? this.#address;
    if (phase === 'Failed' || phase === 'Succeeded') {
      void this.end(0);
      this.#end({ exitCode: exitCode ?? null, reason: reason ?? phase });
    } else if (isReady && this.#phase === 'starting') {
      this.#phase = 'warm';
      this.#warm.resolve();
    }
  }

  /** The cluster has it no more. */
  gone(reason: string | undefined): void {
    this.#end({ exitCode: null, reason: reason ?? 'the cluster has it no more' });
  }

  fail(error: Error): void {
    this.#end({ exitCode: null, reason: error.message });
  }

  async assign(assignment: Assignment): Promise<AssignOutcome> {
    const address = this.#address;
    if (this.#phase !== 'warm' || address === undefined) {
      const error = scaleErrors.create('KUBERNETES_POD_FAILED', { workerId: this.workerId, reason: 'it is not warm' });
      return { kind: 'refused', error };
    }
    const host = address.includes(':') ? `[${address}]` : address;
    const { token } = assignment;
    try {
      const { status, text } = await this.#deps.exchange({
        method: 'POST',
        url: `https://${host}:${assignPort}/assign`,
        headers: {
          'content-type': 'application/json',
          ...(token === undefined ? {} : { authorization: `Bearer ${token.reveal()}` }),
        },
        body: JSON.stringify(toAssignmentJson(assignment)),
      });
      return status === 200 ? { kind: 'assigned' } : this.#failure(text);
    } catch (thrown) {
      return { kind: 'failed', error: this.#error(messageOf(thrown)), tainted: true };
    }
  }

  stop(graceMs: number): void {
    if (this.#phase === 'ended' || this.#phase === 'stopping') return;
    this.#phase = 'stopping';
    void this.end(graceMs);
  }

  /** Tells the cluster. Never rejects. */
  async end(graceMs: number): Promise<void> {
    try {
      await this.#deps.api.deletePod(this.workerId, graceMs / 1_000);
    } catch (thrown) {
      const fields = { workerId: this.workerId, reason: messageOf(thrown) };
      this.#deps.log.write('error', 'A pod could not be deleted', fields);
    }
  }

  /** A sidecar that refuses has seen nothing; one that failed says whether it has. */
  #failure(text: string): AssignOutcome {
    let given: unknown;
    try {
      given = JSON.parse(text);
    } catch {
      given = undefined;
    }
    const reading = replySchema.safeParse(given);
    const error = this.#error(reading.success ? reading.data.message : text.slice(0, 200));
    if (!reading.success) return { kind: 'failed', error, tainted: true };
    const { tainted } = reading.data;
    return tainted === undefined ? { kind: 'refused', error } : { kind: 'failed', error, tainted };
  }

  #error(reason: string) {
    return scaleErrors.create('KUBERNETES_POD_FAILED', { workerId: this.workerId, reason });
  }

  #end({ exitCode, reason }: { readonly exitCode: number | null; readonly reason: string }): void {
    if (this.#phase === 'ended') return;
    const wasStarting = this.#phase === 'starting';
    this.#phase = 'ended';
    const error = this.#error(reason);
    if (wasStarting) this.#warm.reject(error);
    this.#warm.reject(error);
    this.#ended.resolve({ exitCode, signal: null, stderrTail: [], error });
  }
}

const replySchema = z.object({ message: z.string(), tainted: z.boolean().optional() });
