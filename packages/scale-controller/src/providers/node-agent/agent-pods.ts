/**
 * Placeholders as pods of a node agent: each is a container with a sidecar and its worker, submitted as a job of the lifecycle
 * `pod`, found by what its sidecar prints first, and cancelled in the end.
 *
 * Ownership: the composition root owns the provider and closes it; pods that it made are cancelled then.
 *
 * I1 A pod is warm once its sidecar says that it is ready, and ends once with what the agent says of its end.
 * I2 A pod that cannot be submitted, or is gone, ends with the reason; the others go on. One that may have been submitted is cancelled.
 * I3 An agent that cannot be asked changes nothing; the next look tells. While looks fail they come less often, and the first is logged.
 * I4 Nothing is looked at while there is no pod, and after `close` none is left that was made here. A pod that the agent could not be told
 *    to cancel is cancelled when it can.
 */
import { Readable } from 'node:stream';
import { type Clock, type Log, messageOf, type Random, type Secret, type Timer } from '@switchyard/kernel';
import type { Stack } from '@switchyard/model';
import type { Pod, PodProvider, WorkerUsage } from '@switchyard/protocol';
import {
  isFinalJobState,
  type JobRecord,
  type JobRequestInput,
  jobProtocolVersion,
  jobRecordSchema,
  parseJobLogEvent,
  readEvents,
} from '@switchyard/protocol/job-api';
import { z } from 'zod';
import { scaleErrors } from '../../errors.ts';
import { stackLabel } from '../../stack-pool.ts';
import { PodRemovals } from '../pod-removals.ts';
import { PodUsageWatch } from '../pod-usage-watch.ts';
import { RemotePod, type RemotePodDeps } from '../remote-pod.ts';

export interface AgentPodsDeps extends Pick<RemotePodDeps, 'exchange' | 'tokenFor'> {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /**
   * A pod has told its agent which certificate its sidecar shows at these origins: that one is believed there, and no other. The
   * answered function ends it.
   */
  readonly trust?: (origins: readonly string[], certificate: string) => () => void;
}

export interface AgentPodsOptions {
  /** Where the agent answers, without a slash at the end. */
  readonly agentUrl: string;
  /** What the agent asks for. */
  readonly agentToken?: Secret;
  /** Tells the pods of this installation from those of others. */
  readonly installation: string;
  /** The image with the sidecar and the worker of a stack; undefined when there is none. */
  readonly imageOf: (stack: Stack) => string | undefined;
  /** Words after `sidecar` in the container: whose tokens count, for example. */
  readonly sidecarFlags: readonly string[];
  /** Variables of the container beside those that say what it is. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly limits: { readonly memoryMb: number; readonly cpus: number };
}

export interface AgentPods extends PodProvider {
  usageOf(workerId: string): WorkerUsage | undefined;
  /** Cancels every pod. Resolves when the agent was told. */
  close(graceMs: number): Promise<void>;
}

/** How often a pod is looked at while it is on its way, and while it is settled. */
const busyLookMs = 250;
const calmLookMs = 5_000;

const goneReason = 'the agent has it no more';

/** The label by which people find the pods of an installation. */
const installationLabel = 'switchyard.installation';

/** What a sidecar prints as soon as it listens. */
const sidecarLineSchema = z.object({
  url: z.url({ protocol: /^https?$/ }),
  httpUrl: z.url().optional(),
  certificate: z.string().optional(),
});

interface AgentPod {
  readonly pod: RemotePod;
  isSubmitted: boolean;
}

export function createAgentPods(deps: AgentPodsDeps, options: AgentPodsOptions): AgentPods {
  return new NodeAgentPods(deps, options);
}

class NodeAgentPods implements AgentPods {
  readonly #deps: AgentPodsDeps;
  readonly #options: AgentPodsOptions;
  readonly #podDeps: RemotePodDeps;
  readonly #usage: PodUsageWatch;
  readonly #pods = new Map<string, AgentPod>();
  /** Pods whose certificate is believed. */
  readonly #trusted = new Set<string>();
  readonly #removals: PodRemovals;
  #timer: Timer | undefined;
  #failedLooks = 0;
  #isLooking = false;
  #isClosed = false;

  constructor(deps: AgentPodsDeps, options: AgentPodsOptions) {
    this.#deps = deps;
    this.#options = options;
    const { exchange, tokenFor } = deps;
    this.#usage = new PodUsageWatch(deps);
    this.#removals = new PodRemovals({ log: deps.log, tell: (workerId) => this.#tellCancel(workerId) });
    const onAssigned = (pod: RemotePod, url: string): void => this.#usage.add(pod, url);
    const toError = (workerId: string, reason: string) => scaleErrors.create('AGENT_POD_FAILED', { workerId, reason });
    this.#podDeps = { exchange, tokenFor, toError, onAssigned, remove: (workerId) => this.#cancel(workerId) };
  }

  startPod(stack: Stack): Pod {
    const { random } = this.#deps;
    const workerId = `w-${random.uuid().replaceAll('-', '').slice(0, 20)}`;
    const pod = new RemotePod(this.#podDeps, workerId, stack);
    const known: AgentPod = { pod, isSubmitted: false };
    this.#pods.set(workerId, known);
    void pod.ended.then(() => this.#pods.delete(workerId));
    const image = this.#options.imageOf(stack);
    if (this.#isClosed) pod.end('the provider is closed');
    else if (image === undefined) pod.end(`there is no image for ${stackLabel(stack)}`);
    else void this.#submit(known, toJob(workerId, stack, image, this.#options));
    this.#plan();
    return pod;
  }

  usageOf(workerId: string): WorkerUsage | undefined {
    return this.#usage.usageOf(workerId);
  }

  /** Containers get the agent's own grace. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#usage.close();
    this.#timer?.cancel();
    const names = new Set([...this.#pods.keys(), ...this.#removals.open]);
    await Promise.all([...names].map((name) => this.#cancel(name)));
    for (const { pod } of [...this.#pods.values()]) pod.end(goneReason);
  }

  async #submit(known: AgentPod, job: JobRequestInput): Promise<void> {
    const { pod } = known;
    let isAnswered = false;
    try {
      const { status, text } = await this.#ask('POST', '/jobs', job);
      isAnswered = true;
      if (status !== 202) throw new Error(`the agent refused it (status ${status}): ${text.slice(0, 300)}`);
      known.isSubmitted = true;
      // It may have been given up meanwhile.
      if (pod.isLeaving) await this.#cancel(pod.workerId);
    } catch (thrown) {
      pod.end(messageOf(thrown));
      // The agent may have it all the same, and nobody would ever end it.
      if (!isAnswered) await this.#cancel(pod.workerId);
    }
  }

  #plan(): void {
    if (this.#isClosed || this.#isLooking || this.#pods.size + this.#removals.open.length === 0) return;
    const isBusy = [...this.#pods.values()].some(({ pod }) => !pod.isSettled);
    const waitMs = isBusy ? Math.min(calmLookMs, busyLookMs * 2 ** this.#failedLooks) : calmLookMs;
    this.#timer?.cancel();
    this.#timer = this.#deps.clock.schedule(waitMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    const { log } = this.#deps;
    this.#isLooking = true;
    await this.#removals.retry();
    try {
      await Promise.all([...this.#pods.values()].filter(({ isSubmitted }) => isSubmitted).map((one) => this.#see(one)));
      if (this.#failedLooks > 0) {
        log.write('information', 'The pods of the node agent can be looked at again', { failed: this.#failedLooks });
        this.#failedLooks = 0;
      }
    } catch (thrown) {
      this.#failedLooks += 1;
      const reason = messageOf(thrown);
      if (this.#failedLooks === 1)
        log.write('warning', 'The pods of the node agent could not be looked at', { reason });
    }
    this.#isLooking = false;
    this.#plan();
  }

  async #see({ pod }: AgentPod): Promise<void> {
    const { status, text } = await this.#ask('GET', `/jobs/${pod.workerId}`);
    if (status === 404) return pod.end(goneReason);
    if (status !== 200) throw new Error(`the agent answered with status ${status}`);
    const record = jobRecordSchema.parse(JSON.parse(text));
    if (isFinalJobState(record.state)) return pod.end(endOf(record), record.exit_code);
    if (!pod.isStarting || record.state !== 'running') return;
    const line = readSidecarLine(await this.#printed(pod.workerId));
    if (line === undefined) return;
    const { url } = line;
    this.#trust(pod, line);
    const ready = await this.#deps.exchange({ method: 'GET', url: `${url}/ready`, headers: {} }).catch(() => undefined);
    if (ready?.status === 200) pod.ready(url);
  }

  #trust({ workerId, ended }: RemotePod, { url, httpUrl = url, certificate }: SidecarLine): void {
    const { trust } = this.#deps;
    if (trust === undefined || certificate === undefined || this.#trusted.has(workerId)) return;
    this.#trusted.add(workerId);
    const forget = trust([new URL(url).origin, new URL(httpUrl).origin], certificate);
    void ended.then(() => {
      this.#trusted.delete(workerId);
      forget();
    });
  }

  /** What it has printed so far; a record has that only in the end. */
  async #printed(workerId: string): Promise<string> {
    const { text } = await this.#ask('GET', `/jobs/${workerId}/logs?follow=false`);
    const chunks: string[] = [];
    for await (const { name, data } of readEvents(Readable.from([Buffer.from(text)]))) {
      const event = parseJobLogEvent(name, data);
      if (event?.name === 'output' && event.data.stream === 'stdout') chunks.push(event.data.text);
    }
    return chunks.join('');
  }

  /** Tells the agent, now or when it can be told. The agent's own grace holds. Never rejects. */
  async #cancel(workerId: string): Promise<void> {
    await this.#removals.remove(workerId, 0);
    // Its end is waited for.
    this.#plan();
  }

  async #tellCancel(workerId: string): Promise<void> {
    const { status } = await this.#ask('DELETE', `/jobs/${workerId}`);
    if (status >= 300 && status !== 404) throw new Error(`the agent answered with status ${status}`);
  }

  #ask(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) {
    const { agentUrl, agentToken } = this.#options;
    return this.#deps.exchange({
      method,
      url: `${agentUrl}${path}`,
      headers: {
        ...(agentToken === undefined ? {} : { authorization: `Bearer ${agentToken.reveal()}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }
}

/** One placeholder, as the agent is asked for it. A pod serves one app in its life: what ends is never started again. */
function toJob(
  workerId: string,
  stack: Stack,
  image: string,
  { installation, sidecarFlags, variables = {}, limits }: AgentPodsOptions,
): JobRequestInput {
  return {
    protocol_version: jobProtocolVersion,
    job_id: workerId,
    labels: { [installationLabel]: installation },
    runtime: {
      mode: 'image',
      image,
      lifecycle: 'pod',
      cmd: ['sidecar', '--json', ...sidecarFlags],
      env: {
        FUNCTIONS_WORKER_RUNTIME: stack.runtime,
        IS_PLACEHOLDER: 'true',
        WORKER_ID: workerId,
        // Containers share the network of the machine: each takes a port that is free.
        SIDECAR_PORT: '0',
        ...variables,
      },
      limits: { memory_mb: limits.memoryMb, cpus: limits.cpus },
    },
  };
}

type SidecarLine = z.infer<typeof sidecarLineSchema>;

/** The line of a sidecar that listens, among lines of JSON. */
function readSidecarLine(printed: string): SidecarLine | undefined {
  for (const line of printed.split('\n')) {
    if (!line.startsWith('{')) continue;
    try {
      const reading = sidecarLineSchema.safeParse(JSON.parse(line));
      if (reading.success) return reading.data;
    } catch {
      // It is not complete yet.
    }
  }
  return undefined;
}

function endOf({ state, error, stderr, stdout }: JobRecord): string {
  const last = (stderr === '' ? stdout : stderr).trimEnd().split('\n').at(-1) ?? '';
  return [error?.message ?? state, last]
    .filter((text) => text !== '')
    .join(': ')
    .slice(0, 500);
}
