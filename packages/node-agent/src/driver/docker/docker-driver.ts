/**
 * Runs tasks as containers of a Docker engine.
 *
 * A container has a name that follows from agent and task, so the engine itself refuses a second one; labels tell whose
 * it is after a restart of the agent. Its output is read from the connection that starts it, and from the engine's own
 * file when that connection is gone.
 *
 * I1 Only containers and images with this agent's label are ever touched.
 * I2 `launching` is told before the engine is asked to start the container.
 * I3 A broken connection ends no task: the driver asks again until the engine answers or the patience is over.
 * I4 Output that a connection did not bring (the engine says so, or it ended with nothing or not at all) is read from the engine's own
 *    file, and nothing is told twice for that.
 */
import type { Readable } from 'node:stream';
import {
  backoffMs,
  type Clock,
  createDeferred,
  messageOf,
  type Random,
  settlesWithin,
  sleep,
  type Timer,
} from '@switchyard/kernel';
import type {
  Fingerprint,
  OutputStream,
  RecoverOutcome,
  StartOutcome,
  TaskDriver,
  TaskEvents,
  TaskExit,
  TaskSpec,
} from '../contract.ts';
import { isAttachRemark } from './attach-remark.ts';
import { builtImageName, containerName, containerSettings, jobLabel, workerLabel } from './container-settings.ts';
import { EngineClient, isUnreachable, reasonOf, statusOf } from './engine-client.ts';
import { FrameDecoder } from './frame-decoder.ts';
import { buildImage, type Preparation, pullImage, resolveImage } from './image-preparation.ts';
import { type Inspection, toStarted } from './inspection.ts';
import { ranOutOfMemory } from './memory-kill.ts';
import { startFailure } from './start-failure.ts';

export interface DockerDriverDeps {
  readonly clock: Clock;
  readonly random: Random;
}

export interface DockerDriverOptions {
  readonly socketPath: string;
  /** Whose containers these are; the same over restarts of the agent. */
  readonly workerId: string;
  readonly enginePatienceMs: number;
}

/** What the driver holds of a task that it started or took over. */
interface LiveTask {
  readonly spec: TaskSpec;
  readonly events: TaskEvents;
  /** Settles when the container has ended, and its output with it; rejects when a connection broke. */
  ended: Promise<void>;
  /** What is told of the image, whenever it comes. */
  readonly resolved: Promise<void>;
  readonly closing: AbortController;
  engineFailed: boolean;
  healthTimer: Timer | undefined;
}

type OutputBytes = Readonly<Record<OutputStream, number>>;

/** What a connection has told so far. */
interface Told {
  /** The engine has said that it lost the rest. */
  isCut: boolean;
  readonly bytes: Record<OutputStream, number>;
}

const secondMs = 1_000;
const stopMarginMs = 30_000;
/** Output that comes after the end: the engine closes the connection right after the container. */
const outputGraceMs = 5_000;
const retryBackoff = { minimumMs: 100, maximumMs: 2_000, factor: 2, jitter: 0.2 };

export class DockerDriver implements TaskDriver {
  readonly name = 'docker';
  readonly #deps: DockerDriverDeps;
  readonly #options: DockerDriverOptions;
  readonly #engine: EngineClient;
  readonly #tasks = new Map<string, LiveTask>();

  constructor(deps: DockerDriverDeps, options: DockerDriverOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#engine = new EngineClient(deps.clock, options.socketPath);
  }

  async fingerprint(signal: AbortSignal): Promise<Fingerprint> {
    try {
      const answer = (await this.#engine.send({ method: 'GET', path: '/version', signal, timeoutMs: 5_000 })) as {
        Version?: string;
      };
      return { available: true, version: answer.Version ?? null, reason: null };
    } catch (error) {
      return { available: false, version: null, reason: messageOf(error) };
    }
  }

  async start(spec: TaskSpec, events: TaskEvents, signal: AbortSignal): Promise<StartOutcome> {
    signal.throwIfAborted();
    const created = await this.#create(spec, signal);
    if (created.kind === 'failed') return created;
    const task = this.#track(spec, events, created.image);
    try {
      const connection = await this.#attach(spec, signal);
      signal.throwIfAborted();
      events.launching();
      await this.#engine.send({ method: 'POST', path: `${this.#path(spec.taskId)}/start` });
      connection.end(spec.stdin ?? '');
      task.ended = this.#watch(task, connection);
      task.ended.catch(() => {});
    } catch (error) {
      this.#release(spec.taskId);
      const failure = startFailure(error);
      if (failure === undefined) throw error;
      return { kind: 'failed', error: failure };
    }
    this.#watchHealth(task);
    return await this.#outcome(spec);
  }

  async recover(spec: TaskSpec, events: TaskEvents, signal: AbortSignal): Promise<RecoverOutcome> {
    const found = await this.#inspect(spec.taskId, signal);
    if (found === undefined) return { kind: 'gone' };
    if (found.State?.Status === 'created') return { kind: 'unstarted' };
    const task = this.#track(spec, events, found.Image ?? '');
    task.ended = this.#replay(task);
    task.ended.catch(() => {});
    this.#watchHealth(task);
    return await this.#outcome(spec);
  }

  async wait(taskId: string, signal: AbortSignal): Promise<TaskExit> {
    const task = this.#tasks.get(taskId);
    if (task === undefined) return { kind: 'lost', reason: `The container of '${taskId}' is not known.` };
    const aborted = createDeferred<never>();
    const abort = (): void => aborted.reject(signal.reason);
    signal.throwIfAborted();
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await Promise.race([this.#follow(task), aborted.promise]);
    } finally {
      signal.removeEventListener('abort', abort);
      this.#release(taskId);
    }
  }

  async stop(taskId: string, graceMs: number): Promise<void> {
    const query = { t: Math.ceil(graceMs / secondMs) };
    const timeoutMs = graceMs + stopMarginMs;
    await this.#unlessMissing({ method: 'POST', path: `${this.#path(taskId)}/stop`, query, timeoutMs });
  }

  async destroy(taskId: string): Promise<void> {
    const source = this.#tasks.get(taskId)?.spec.source.kind;
    this.#release(taskId);
    await this.#unlessMissing({ method: 'DELETE', path: this.#path(taskId), query: { force: 1, v: 1 } });
    if (source === 'image') return;
    const image = builtImageName(this.#options.workerId, taskId);
    await this.#unlessMissing({ method: 'DELETE', path: `/images/${encodeURIComponent(image)}`, query: { force: 1 } });
  }

  async list(): Promise<readonly string[]> {
    const filters = JSON.stringify({ label: [`${workerLabel}=${this.#options.workerId}`] });
    const labelled = async (path: string, query: Record<string, string | number>): Promise<string[]> => {
      const found = (await this.#engine.send({ method: 'GET', path, query })) as {
        Labels?: Record<string, string> | null;
      }[];
      return found.flatMap(({ Labels: labels }) => labels?.[jobLabel] ?? []);
    };
    const containers = await labelled('/containers/json', { all: 1, filters });
    const images = await labelled('/images/json', { filters });
    return [...new Set([...containers, ...images])];
  }

  close(): void {
    for (const taskId of [...this.#tasks.keys()]) this.#release(taskId);
    this.#engine.close();
  }

  #path(taskId: string): string {
    return `/containers/${containerName(this.#options.workerId, taskId)}`;
  }

  /** Makes the container; gets its image first where that is missing. */
  async #create(spec: TaskSpec, signal: AbortSignal): Promise<Preparation> {
    const { workerId } = this.#options;
    const { source } = spec;
    const make = async (image: string): Promise<Preparation> => {
      const query = { name: containerName(workerId, spec.taskId) };
      const json = containerSettings(spec, image, workerId);
      // Not cut off: the engine would make it all the same, maybe after somebody has looked for it to remove it.
      await this.#engine.send({ method: 'POST', path: '/containers/create', query, json });
      signal.throwIfAborted();
      return { kind: 'ready', image };
    };
    if (source.kind === 'build') {
      const built = await buildImage(this.#engine, spec, source, workerId, signal);
      return built.kind === 'ready' ? await make(built.image) : built;
    }
    const pull = async (): Promise<Preparation> => {
      const pulled = await pullImage(this.#engine, source, signal);
      return pulled.kind === 'ready' ? await make(pulled.image) : pulled;
    };
    if (source.pull === 'always') return await pull();
    try {
      return await make(source.reference);
    } catch (error) {
      if (statusOf(error) !== 404 || !/no such image|image not known/i.test(reasonOf(error))) throw error;
      if (source.pull === 'missing') return await pull();
      const message = `The image '${source.reference}' is not on this machine, and the pull policy is 'never'.`;
      return { kind: 'failed', error: { code: 'IMAGE_UNAVAILABLE', message } };
    }
  }

  async #attach(spec: TaskSpec, signal: AbortSignal) {
    const stdin = spec.stdin === undefined ? 0 : 1;
    const query = { stream: 1, stdin, stdout: 1, stderr: 1 };
    return await this.#engine.hijack({ method: 'POST', path: `${this.#path(spec.taskId)}/attach`, query, signal });
  }

  #track(spec: TaskSpec, events: TaskEvents, image: string): LiveTask {
    this.#release(spec.taskId);
    const reference =
      spec.source.kind === 'image' ? spec.source.reference : builtImageName(this.#options.workerId, spec.taskId);
    // What is told of the image may come while the program runs: it is not worth waiting for.
    const resolved = resolveImage(this.#engine, image, reference).then(
      (found) => events.image(found),
      () => {},
    );
    const task: LiveTask = {
      spec,
      events,
      ended: Promise.resolve(),
      resolved,
      closing: new AbortController(),
      engineFailed: false,
      healthTimer: undefined,
    };
    this.#tasks.set(spec.taskId, task);
    return task;
  }

  #release(taskId: string): void {
    const task = this.#tasks.get(taskId);
    this.#tasks.delete(taskId);
    task?.healthTimer?.cancel();
    task?.closing.abort(new Error('the task is not followed any more'));
  }

  /** Reads the output from a connection while it waits for the end. */
  async #watch(task: LiveTask, connection: Readable): Promise<void> {
    const told: Told = { isCut: false, bytes: { stdout: 0, stderr: 0 } };
    const read = readFrames(connection, task, told);
    read.catch(() => {});
    await this.#gone(task);
    const isRead = await settlesWithin(this.#deps.clock, outputGraceMs, read);
    if (isRead) await read;
    else {
      connection.destroy();
      await read.catch(() => {});
    }
    const isSilent = told.bytes.stdout + told.bytes.stderr === 0;
    // Podman ends a connection without a word, too, when the program was over before the connection stood.
    if (!isRead || told.isCut || isSilent) await this.#readRest(task, { ...told.bytes });
  }

  /** Reads what a connection did not bring, from the engine's own file. */
  async #readRest(task: LiveTask, known: OutputBytes): Promise<void> {
    const { signal } = task.closing;
    const path = `${this.#path(task.spec.taskId)}/logs`;
    const body = await this.#engine.stream({ method: 'GET', path, query: { stdout: 1, stderr: 1 }, signal });
    await readFrames(body, task, { isCut: false, bytes: { stdout: 0, stderr: 0 } }, known);
  }

  /** The same from the engine's own file, from the beginning. */
  async #replay(task: LiveTask): Promise<void> {
    const query = { follow: 1, stdout: 1, stderr: 1 };
    const path = `${this.#path(task.spec.taskId)}/logs`;
    const { signal } = task.closing;
    const body = await this.#engine.stream({ method: 'GET', path, query, signal });
    await this.#watch(task, body);
  }

  /** Resolves when the container does not run any more. */
  async #gone(task: LiveTask): Promise<void> {
    await this.#engine.send({
      method: 'POST',
      path: `${this.#path(task.spec.taskId)}/wait`,
      query: { condition: 'not-running' },
      signal: task.closing.signal,
      timeoutMs: Number.POSITIVE_INFINITY,
    });
  }

  /** Waits for the end, over broken connections. */
  async #follow(task: LiveTask): Promise<TaskExit> {
    const { clock, random } = this.#deps;
    let awaySinceMs: number | undefined;
    for (let attempt = 0; ; attempt += 1) {
      try {
        await task.ended;
        const found = await this.#inspect(task.spec.taskId);
        if (found === undefined) return lost('The container is not there any more: somebody removed it.');
        if (found.State?.Running === true) throw new Error('the container runs, and its connection is gone');
        await task.resolved;
        const { engineFailed } = task;
        const state = found.State ?? {};
        const container = containerName(this.#options.workerId, task.spec.taskId);
        // What an engine was asked before it went away, it may have forgotten.
        const outOfMemory = engineFailed
          ? state.OOMKilled === true
          : await ranOutOfMemory(this.#engine, container, state);
        return { kind: 'exited', exitCode: state.ExitCode ?? -1, outOfMemory, engineFailed };
      } catch (error) {
        if (task.closing.signal.aborted) throw error;
        const nowMs = clock.monotonic();
        awaySinceMs ??= nowMs;
        // An engine that answers, and answers oddly, has not taken the task along.
        if (isUnreachable(error)) task.engineFailed = true;
        if (nowMs - awaySinceMs >= this.#options.enginePatienceMs)
          return lost(`The container engine did not come back: ${messageOf(error)}.`);
        await sleep(clock, backoffMs(retryBackoff, attempt, random), task.closing.signal);
        if (!(await this.#reconnect(task).catch(() => false))) continue;
        awaySinceMs = undefined;
      }
    }
  }

  /** Follows a task again from its beginning; false while the engine is away. */
  async #reconnect(task: LiveTask): Promise<boolean> {
    const { available } = await this.fingerprint(task.closing.signal);
    if (!available) {
      task.ended = Promise.reject(new Error('it cannot be reached'));
      task.ended.catch(() => {});
      return false;
    }
    if ((await this.#inspect(task.spec.taskId)) !== undefined) {
      task.events.outputRestarts();
      task.ended = this.#replay(task);
    } else task.ended = Promise.resolve();
    task.ended.catch(() => {});
    return true;
  }

  /** Undefined when there is no container of that task. */
  async #inspect(taskId: string, signal?: AbortSignal): Promise<Inspection | undefined> {
    try {
      const found = (await this.#engine.send({
        method: 'GET',
        path: `${this.#path(taskId)}/json`,
        signal,
      })) as Inspection;
      return found.Config?.Labels?.[workerLabel] === this.#options.workerId ? found : undefined;
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  /** Where the task can be reached; asked for only when it has a network. */
  async #outcome({ taskId, network }: TaskSpec): Promise<Extract<StartOutcome, { kind: 'started' }>> {
    if (network === 'none') return toStarted(undefined);
    return toStarted(await this.#inspect(taskId).catch(() => undefined));
  }

  /** Asks for the health as often as the check runs, and tells changes. */
  #watchHealth(task: LiveTask, last = 'starting'): void {
    const { health } = task.spec;
    if (health === undefined) return;
    task.healthTimer = this.#deps.clock.schedule(health.intervalMs, () => {
      void this.#askHealth(task, last).then((status) => {
        if (!task.closing.signal.aborted) this.#watchHealth(task, status);
      });
    });
  }

  /** Never rejects: an engine that does not answer says nothing about the task. */
  async #askHealth(task: LiveTask, last: string): Promise<string> {
    const found = await this.#inspect(task.spec.taskId, task.closing.signal).catch(() => undefined);
    const status = found?.State?.Health?.Status;
    if (status !== 'starting' && status !== 'healthy' && status !== 'unhealthy') return last;
    if (status !== last && !task.closing.signal.aborted) task.events.health(status);
    return status;
  }

  /** Sends a call for which a thing that is not there, or is going already, is as good as done. */
  async #unlessMissing(call: Parameters<EngineClient['send']>[0]): Promise<void> {
    try {
      await this.#engine.send(call);
    } catch (error) {
      const status = statusOf(error);
      const isGoing = status === 409 && /already in progress|is not running/i.test(reasonOf(error));
      if (status !== 404 && status !== 304 && !isGoing) throw error;
    }
  }
}

function lost(reason: string): TaskExit {
  return { kind: 'lost', reason };
}

/** Tells the output of a task, and keeps `told` up to date. `known` bytes of each stream have been told before. */
async function readFrames(
  connection: Readable,
  { events, closing }: LiveTask,
  told: Told,
  known: OutputBytes = { stdout: 0, stderr: 0 },
): Promise<void> {
  const { bytes } = told;
  const decoder = new FrameDecoder((stream, frame) => {
    if (isAttachRemark(stream, frame)) {
      told.isCut = true;
      return;
    }
    const fresh = frame.subarray(Math.max(0, known[stream] - bytes[stream]));
    bytes[stream] += frame.byteLength;
    if (fresh.byteLength > 0) events.output(stream, fresh);
  });
  const cut = (): void => {
    connection.destroy();
  };
  closing.signal.addEventListener('abort', cut, { once: true });
  try {
    for await (const chunk of connection as AsyncIterable<Buffer>) decoder.write(chunk);
  } finally {
    closing.signal.removeEventListener('abort', cut);
  }
}
