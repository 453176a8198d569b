/**
 * A driver without an engine, for tests and for trying masters out. It understands a few programs as the first word of
 * `cmd`: `echo` writes its words, `cat` copies stdin, `sleep` takes seconds, `exit` a code, `spam` writes so many bytes,
 * `eat` runs out of memory, `stubborn` ignores SIGTERM and ends when killed, `env` prints the environment; without a
 * command it ends at once. Time is the clock's.
 *
 * Tasks live in a `MockEngine`, which outlives drivers as dockerd outlives agents: what one driver started another one
 * recovers.
 */
import { type Clock, createDeferred, type Deferred, type Timer } from '@switchyard/kernel';
import { agentErrors } from '../../errors.ts';
import type {
  OutputStream,
  RecoverOutcome,
  StartOutcome,
  TaskDriver,
  TaskEvents,
  TaskExit,
  TaskSpec,
} from '../contract.ts';
import { mockPrograms } from './mock-programs.ts';

interface MockTask {
  readonly spec: TaskSpec;
  readonly exited: Deferred<number>;
  readonly written: { readonly stream: OutputStream; readonly bytes: Uint8Array }[];
  timer: Timer | undefined;
  events: TaskEvents;
  started: boolean;
  exitCode: number | undefined;
  outOfMemory: boolean;
  engineFailed: boolean;
}

/** Images that the engine has. Others are not found, and pulling fails. */
const knownImages = /\/(?:busybox|alpine|mock)(?::|$)/;

/** SIGKILL, as shells report it. */
const killedExitCode = 137;
const terminatedExitCode = 143;

export class MockEngine {
  readonly clock: Clock;
  readonly tasks = new Map<string, MockTask>();
  /** How often each task's program was begun. */
  readonly launches = new Map<string, number>();
  /** False while it cannot be reached. */
  available = true;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Ends every task, as an engine does that is stopped; it cannot be reached until `available` is true again. */
  stop(): void {
    this.available = false;
    for (const task of this.tasks.values()) {
      task.engineFailed = true;
      this.end(task, killedExitCode);
    }
  }

  /** What a driver says while the engine is away. */
  unreachable(): Error {
    return agentErrors.create('ENGINE_UNREACHABLE', { socket: 'mock', reason: 'it is switched off' });
  }

  end(task: MockTask, exitCode: number): void {
    if (task.exitCode !== undefined || !task.started) return;
    task.timer?.cancel();
    task.exitCode = exitCode;
    task.exited.resolve(exitCode);
  }
}

export class MockDriver implements TaskDriver {
  readonly name = 'mock';
  readonly #engine: MockEngine;
  #closed = false;

  constructor(engine: MockEngine) {
    this.#engine = engine;
  }

  async fingerprint(): Promise<{ available: boolean; version: string | null; reason: string | null }> {
    return this.#engine.available
      ? { available: true, version: '1', reason: null }
      : { available: false, version: null, reason: 'the mock engine is switched off' };
  }

  async start(spec: TaskSpec, events: TaskEvents, signal: AbortSignal): Promise<StartOutcome> {
    this.#reach();
    signal.throwIfAborted();
    const { source } = spec;
    const reference = source.kind === 'image' ? source.reference : `mock-build/${spec.taskId}`;
    if (source.kind === 'image' && !knownImages.test(reference))
      return failed('IMAGE_UNAVAILABLE', `The image '${reference}' could not be found.`);
    if (source.kind === 'build' && !/^\s*FROM\s/im.test(source.build.dockerfile))
      return failed('BUILD_FAILED', 'The Dockerfile has no FROM line.');
    const task: MockTask = {
      spec,
      exited: createDeferred(),
      written: [],
      timer: undefined,
      events,
      started: false,
      exitCode: undefined,
      outOfMemory: false,
      engineFailed: false,
    };
    this.#engine.tasks.set(spec.taskId, task);
    // Where real engines take their time, the signal is heard.
    await Promise.resolve();
    signal.throwIfAborted();
    this.#reach();
    const [program = ''] = spec.cmd;
    if (!mockPrograms.has(program))
      return failed('RUNTIME_ERROR', `The program '${program}' could not be started: not found.`);
    events.launching();
    task.started = true;
    this.#engine.launches.set(spec.taskId, (this.#engine.launches.get(spec.taskId) ?? 0) + 1);
    events.image({ reference, id: `sha256:${'0'.repeat(64)}`, digest: null });
    if (spec.health !== undefined) events.health('healthy');
    this.#begin(task, program);
    return startedOutcome(task);
  }

  async recover(spec: TaskSpec, events: TaskEvents, signal: AbortSignal): Promise<RecoverOutcome> {
    this.#reach();
    signal.throwIfAborted();
    const task = this.#engine.tasks.get(spec.taskId);
    if (task === undefined) return { kind: 'gone' };
    if (!task.started) return { kind: 'unstarted' };
    task.events = events;
    for (const { stream, bytes } of task.written) events.output(stream, bytes);
    return startedOutcome(task);
  }

  async wait(taskId: string, signal: AbortSignal): Promise<TaskExit> {
    const task = this.#engine.tasks.get(taskId);
    if (task === undefined) return { kind: 'lost', reason: 'there is no such task' };
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    signal.throwIfAborted();
    const exitCode = await Promise.race([task.exited.promise, aborted]);
    return { kind: 'exited', exitCode, outOfMemory: task.outOfMemory, engineFailed: task.engineFailed };
  }

  async stop(taskId: string, graceMs: number): Promise<void> {
    this.#reach();
    const task = this.#engine.tasks.get(taskId);
    if (task === undefined || task.exitCode !== undefined) return;
    if (task.spec.cmd[0] !== 'stubborn') {
      this.#engine.end(task, terminatedExitCode);
      return;
    }
    this.#engine.clock.schedule(graceMs, () => this.#engine.end(task, killedExitCode));
    await task.exited.promise;
  }

  async destroy(taskId: string): Promise<void> {
    this.#reach();
    const task = this.#engine.tasks.get(taskId);
    if (task === undefined) return;
    this.#engine.end(task, killedExitCode);
    this.#engine.tasks.delete(taskId);
  }

  async list(): Promise<readonly string[]> {
    this.#reach();
    return [...this.#engine.tasks.keys()];
  }

  close(): void {
    this.#closed = true;
  }

  #reach(): void {
    if (this.#engine.available && !this.#closed) return;
    throw this.#engine.unreachable();
  }

  #begin(task: MockTask, program: string): void {
    const { spec } = task;
    const write = (stream: OutputStream, text: string): void => {
      const bytes = Buffer.from(text);
      task.written.push({ stream, bytes });
      task.events.output(stream, bytes);
    };
    mockPrograms.get(program)?.({
      words: spec.cmd.slice(1),
      spec,
      write,
      end: (exitCode) => this.#engine.end(task, exitCode),
      endAfter: (delayMs, exitCode) => {
        task.timer = this.#engine.clock.schedule(delayMs, () => this.#engine.end(task, exitCode));
      },
      runOutOfMemory: () => {
        task.outOfMemory = true;
        this.#engine.end(task, killedExitCode);
      },
    });
  }
}

function failed(code: 'IMAGE_UNAVAILABLE' | 'BUILD_FAILED' | 'RUNTIME_ERROR', message: string): StartOutcome {
  return { kind: 'failed', error: { code, message } };
}

function startedOutcome({ spec }: MockTask): Extract<StartOutcome, { kind: 'started' }> {
  const ports = Object.fromEntries(spec.ports.map((port) => [String(port), port + 20_000]));
  return { kind: 'started', address: spec.network === 'none' ? null : '127.0.0.1', ports };
}
