/**
 * One job from the moment the scheduler chose it until nothing of it is left.
 *
 * Phases: Preparing (workspace, image, container), Running, Stopping (asked to end, killed after the grace), Ended;
 * a pod may go from Running back to Preparing. Detached: the agent closes, and the container goes on without it.
 * Ownership: the executor makes one per job and awaits `run`; the run owns the job's container and workspace.
 *
 * I1 A job's program is started at most once; only a pod with a restart policy starts again.
 * I2 The end is stored before the container is removed, so a crash between loses no result.
 * I3 Container and workspace are removed after every end, however it came about.
 * I4 A stop, from a limit or on request, ends the run also when the program ignores SIGTERM.
 * I5 A detached run stores no end and removes nothing.
 */
import {
  backoffMs,
  type Clock,
  isPlatformError,
  type Log,
  messageOf,
  type Random,
  StateMachine,
  sleep,
  type Timer,
} from '@switchyard/kernel';
import type { JobError } from '@switchyard/protocol/job-api';
import type { StartOutcome, TaskDriver, TaskEvents } from '../driver/contract.ts';
import type { Job, JobChange } from '../jobs/job.ts';
import type { JobStore } from '../jobs/job-store.ts';
import { cancelledMessage, decideEnd, decideRestart, type JobEnd, type StopReason } from './decide-end.ts';
import { JobOutput } from './job-output.ts';
import { payloadOf, type TaskDefaults, toTaskSpec } from './task-spec.ts';
import type { Workspaces } from './workspaces.ts';

export interface JobRunDeps {
  readonly driver: TaskDriver;
  readonly store: Pick<JobStore, 'get' | 'update'>;
  readonly workspaces: Workspaces;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface JobRunOptions extends TaskDefaults {
  readonly stopGraceMs: number;
  readonly prepareMs: number;
  readonly enginePatienceMs: number;
}

type State =
  | { readonly kind: 'Preparing'; readonly preparation: AbortController }
  | { readonly kind: 'Running'; readonly limit: Timer | undefined; readonly sinceMs: number }
  | { readonly kind: 'Stopping'; readonly reason: StopReason }
  | { readonly kind: 'Ended' }
  | { readonly kind: 'Detached' };

const edges = {
  Preparing: ['Preparing', 'Running', 'Stopping', 'Ended', 'Detached'],
  Running: ['Preparing', 'Stopping', 'Ended', 'Detached'],
  Stopping: ['Preparing', 'Ended', 'Detached'],
  Ended: [],
  Detached: [],
} as const;

/** Between two tries to reach the engine, and before a pod starts again. */
const retryBackoff = { minimumMs: 200, maximumMs: 5_000, factor: 2, jitter: 0.2 };
const restartBackoff = { minimumMs: 1_000, maximumMs: 60_000, factor: 2, jitter: 0.2 };
/** A pod that ran so long starts again at once. */
const soundRunMs = 60_000;
/** Tries to stop before force, and to remove before it is left to the agent's sweep. */
const maxTries = 5;

/** The run was detached: nothing is to be stored. */
const detached = Symbol('detached');

export class JobRun {
  readonly output: JobOutput;
  readonly #deps: JobRunDeps;
  readonly #options: JobRunOptions;
  readonly #jobId: string;
  readonly #log: Log;
  readonly #detach = new AbortController();
  /** Aborts when the job shall not go on, whatever it waits for. */
  readonly #cancel = new AbortController();
  readonly #machine: StateMachine<State>;

  constructor(deps: JobRunDeps, options: JobRunOptions, job: Job) {
    this.#deps = deps;
    this.#options = options;
    this.#jobId = job.id;
    this.#log = deps.log.child({ jobId: job.id });
    this.output = new JobOutput(job.limits.output_bytes);
    this.#machine = new StateMachine<State>({ kind: 'Preparing', preparation: new AbortController() }, edges);
  }

  /** Runs a chosen job, or takes over one that runs already. Calls `ended` once its end is stored. Never rejects. */
  async run(begin: 'start' | 'recover', ended: (job: Job) => void): Promise<void> {
    const end = await this.#live(begin).catch((error: unknown) => this.#endOf(error));
    if (end === detached) return;
    const job = this.#storeEnd(end);
    this.output.end();
    if (job !== undefined) {
      ended(job);
      await this.#cleanUp();
    }
  }

  /** Ends the job; it fails as cancelled. Harmless when it has ended. */
  cancel(): void {
    this.#cancel.abort();
    this.#stop('cancelled');
  }

  /** Lets go of the job, which goes on in its container. */
  detach(): void {
    if (!this.#machine.allows('Detached')) return;
    this.#leave();
    this.#machine.transition({ kind: 'Detached' });
    this.#detach.abort();
    this.output.end();
  }

  get #job(): Job {
    const job = this.#deps.store.get(this.#jobId);
    if (job === undefined) throw new Error(`the job ${this.#jobId} is not in the store any more`);
    return job;
  }

  async #live(begin: 'start' | 'recover'): Promise<JobEnd | typeof detached> {
    let next = begin;
    for (let quickEnds = 0; ; quickEnds += 1) {
      const beganMs = this.#deps.clock.monotonic();
      const end = await this.#attempt(next);
      next = 'start';
      if (end === detached) return detached;
      const job = this.#job;
      if (this.#cancel.signal.aborted || !decideRestart(end, job.request.runtime.restart, job.restarts)) return end;
      if (this.#deps.clock.monotonic() - beganMs >= soundRunMs) quickEnds = 0;
      this.#log.write('information', 'The pod ended and is started again', { exitCode: end.exitCode });
      this.#leave();
      this.#machine.transition({ kind: 'Preparing', preparation: new AbortController() });
      await this.#deps.driver.destroy(this.#jobId).catch((error: unknown) => this.#note('remove', error));
      this.#change({
        restarts: job.restarts + 1,
        launchedAtMs: null,
        health: job.health === 'none' ? 'none' : 'starting',
      });
      await this.#pause(backoffMs(restartBackoff, quickEnds, this.#deps.random));
      if (this.#detach.signal.aborted) return detached;
      if (this.#cancel.signal.aborted) return cancelledEnd(end.exitCode);
    }
  }

  /** One container, from its making to its end. */
  async #attempt(begin: 'start' | 'recover'): Promise<JobEnd | typeof detached> {
    const outcome = await this.#begin(begin);
    if (this.#detach.signal.aborted) return detached;
    if (outcome.kind === 'failed') return { exitCode: null, error: outcome.error };
    this.#change({ address: outcome.address, ports: outcome.ports });
    this.#enterRunning();
    const exit = await this.#deps.driver.wait(this.#jobId, this.#detach.signal).catch((error: unknown) => {
      if (this.#detach.signal.aborted) return detached;
      this.#note('wait for', error);
      return { kind: 'lost', reason: messageOf(error) } as const;
    });
    if (exit === detached || this.#detach.signal.aborted) return detached;
    const { state } = this.#machine;
    return decideEnd(exit, state.kind === 'Stopping' ? state.reason : undefined, this.#job.limits);
  }

  /** Makes and starts the container, or finds it; tries again while the engine cannot be reached. */
  async #begin(begin: 'start' | 'recover'): Promise<StartOutcome> {
    const { clock, driver, random, workspaces } = this.#deps;
    let awaySinceMs: number | undefined;
    let mode = begin;
    for (let attempt = 0; ; attempt += 1) {
      try {
        if (mode === 'recover') {
          const found = await this.#recover();
          if (found !== undefined) return found;
        }
        const path = await workspaces.create(this.#jobId, payloadOf(this.#job));
        const spec = toTaskSpec(this.#job, path, this.#options);
        return await this.#prepared((signal) => driver.start(spec, this.#events(), signal));
      } catch (error) {
        if (this.#stopped) return { kind: 'failed', error: this.#stopError() };
        const isAway = isPlatformError(error) && error.code === 'ENGINE_UNREACHABLE';
        const nowMs = clock.monotonic();
        awaySinceMs ??= nowMs;
        if (!isAway || nowMs - awaySinceMs >= this.#options.enginePatienceMs)
          return { kind: 'failed', error: toJobError(error) };
        this.#log.write('warning', 'The container engine does not answer; the job waits for it', {
          error: messageOf(error),
        });
        await this.#pause(backoffMs(retryBackoff, attempt, random));
        if (this.#stopped) return { kind: 'failed', error: this.#stopError() };
        // It may have been started before the connection broke.
        mode = 'recover';
      }
    }
  }

  /** What the engine knows of the job; undefined when its program has certainly not begun. */
  async #recover(): Promise<StartOutcome | undefined> {
    const { driver, workspaces } = this.#deps;
    const job = this.#job;
    const spec = toTaskSpec(job, workspaces.pathOf(job.id), this.#options);
    this.output.restart();
    const { state } = this.#machine;
    if (state.kind !== 'Preparing') return { kind: 'failed', error: this.#stopError() };
    const outcome = await driver.recover(spec, this.#events(), state.preparation.signal);
    if (outcome.kind === 'started') return outcome;
    if (outcome.kind === 'unstarted') await driver.destroy(job.id);
    else if (job.launchedAtMs !== null)
      return { kind: 'failed', error: { code: 'DOCKER_ERROR', message: goneMessage } };
    return undefined;
  }

  /** Gives work a signal that aborts when the job is stopped or the preparation takes too long. */
  async #prepared(work: (signal: AbortSignal) => Promise<StartOutcome>): Promise<StartOutcome> {
    const { state } = this.#machine;
    if (state.kind !== 'Preparing') return { kind: 'failed', error: this.#stopError() };
    const late = new Error(`the image was not ready within ${this.#options.prepareMs / 1_000} s`);
    const timer = this.#deps.clock.schedule(this.#options.prepareMs, () => state.preparation.abort(late));
    try {
      return await work(state.preparation.signal);
    } catch (error) {
      if (state.preparation.signal.reason !== late) throw error;
      return {
        kind: 'failed',
        error: { code: 'IMAGE_UNAVAILABLE', message: `The job could not start: ${late.message} (prepare_seconds).` },
      };
    } finally {
      timer.cancel();
    }
  }

  #events(): TaskEvents {
    const change = (fields: JobChange): void => {
      if (this.#isLive) this.#change(fields);
    };
    // News that only the record is poorer without.
    const mention = (fields: JobChange): void => {
      try {
        change(fields);
      } catch (error) {
        this.#log.write('warning', 'News of a job could not be stored', { error: messageOf(error) });
      }
    };
    return {
      output: (stream, bytes) => this.output.write(stream, bytes),
      outputRestarts: () => this.output.restart(),
      launching: () => change({ launchedAtMs: this.#deps.clock.now() }),
      image: (image) => mention({ image }),
      health: (health) => {
        mention({ health });
        if (health === 'unhealthy' && this.#isLive && this.#job.request.runtime.restart.policy !== 'never')
          this.#stop('unhealthy');
      },
    };
  }

  get #isLive(): boolean {
    return this.#machine.kind !== 'Ended' && this.#machine.kind !== 'Detached';
  }

  /** The time limit counts from the launch, also over a restart of the agent. */
  #enterRunning(): void {
    if (this.#machine.kind !== 'Preparing') {
      // It was stopped while it started.
      void this.#stopTask();
      return;
    }
    const { limits, launchedAtMs } = this.#job;
    const nowMs = this.#deps.clock.now();
    const seconds = limits.max_runtime_seconds;
    const leftMs = seconds === null ? undefined : Math.max(0, (launchedAtMs ?? nowMs) + seconds * 1_000 - nowMs);
    const limit = leftMs === undefined ? undefined : this.#deps.clock.schedule(leftMs, () => this.#stop('timeout'));
    this.#machine.transition({ kind: 'Running', limit, sinceMs: nowMs });
    if (this.#job.cancelRequested) this.cancel();
  }

  #stop(reason: StopReason): void {
    const { state } = this.#machine;
    if (!this.#machine.allows('Stopping')) return;
    this.#leave();
    this.#machine.transition({ kind: 'Stopping', reason });
    if (state.kind === 'Running') void this.#stopTask();
  }

  /** Gives up what the state owns. */
  #leave(): void {
    const { state } = this.#machine;
    if (state.kind === 'Preparing') state.preparation.abort(new Error('the job was stopped'));
    if (state.kind === 'Running') state.limit?.cancel();
  }

  /**
   * SIGTERM, then SIGKILL; where even that fails, removal by force. Tried for as long as the job has not ended, because
   * an engine that is away has to hear it when it comes back. Never rejects.
   */
  async #stopTask(): Promise<void> {
    const { driver, clock, random } = this.#deps;
    for (let attempt = 0; this.#machine.kind === 'Stopping'; attempt += 1) {
      try {
        if (attempt < maxTries) await driver.stop(this.#jobId, this.#options.stopGraceMs);
        else await driver.destroy(this.#jobId);
        return;
      } catch (error) {
        this.#note('stop', error);
      }
      await sleep(clock, backoffMs(retryBackoff, attempt, random), this.#detach.signal).catch(() => {});
    }
  }

  async #cleanUp(): Promise<void> {
    const { workspaces } = this.#deps;
    await this.#removeContainer();
    await workspaces.remove(this.#jobId).catch((error: unknown) => this.#note('remove the workspace of', error));
  }

  async #removeContainer(): Promise<void> {
    const { driver, clock, random } = this.#deps;
    for (let attempt = 0; attempt < maxTries; attempt += 1) {
      try {
        await driver.destroy(this.#jobId);
        return;
      } catch (error) {
        this.#note('remove', error);
        await sleep(clock, backoffMs(retryBackoff, attempt, random));
      }
    }
  }

  get #stopped(): boolean {
    return this.#machine.kind === 'Stopping' || this.#machine.kind === 'Detached' || this.#cancel.signal.aborted;
  }

  #stopError(): JobError {
    return { code: 'CANCELLED', message: cancelledMessage };
  }

  /** Resolves after the time, or as soon as the job is cancelled or detached. */
  async #pause(delayMs: number): Promise<void> {
    const signal = AbortSignal.any([this.#detach.signal, this.#cancel.signal]);
    await sleep(this.#deps.clock, delayMs, signal).catch(() => {});
  }

  #endOf(error: unknown): JobEnd | typeof detached {
    if (this.#detach.signal.aborted) return detached;
    this.#note('run', error);
    return { exitCode: null, error: toJobError(error) };
  }

  #storeEnd({ exitCode, error }: JobEnd): Job | undefined {
    this.#leave();
    this.#machine.transition({ kind: 'Ended' });
    const { stdout, stderr } = this.output.kept();
    try {
      return this.#deps.store.update(this.#jobId, {
        state: error === null ? 'finished' : 'failed',
        finishedAtMs: this.#deps.clock.now(),
        exitCode,
        error,
        stdout: stdout.text,
        stderr: stderr.text,
        stdoutDroppedBytes: stdout.droppedBytes,
        stderrDroppedBytes: stderr.droppedBytes,
      });
    } catch (failure) {
      // The container stays: after a restart of the agent its result is found there.
      this.#log.write('critical', 'The end of a job could not be stored', { error: messageOf(failure) });
      return undefined;
    }
  }

  #change(change: JobChange): void {
    this.#deps.store.update(this.#jobId, change);
  }

  #note(what: string, error: unknown): void {
    this.#log.write('warning', 'The container engine failed', { action: what, error: messageOf(error) });
  }
}

const goneMessage = 'The container is not there any more: somebody removed it while the agent was away.';

function cancelledEnd(exitCode: number | null): JobEnd {
  return { exitCode, error: { code: 'CANCELLED', message: cancelledMessage } };
}

function toJobError(error: unknown): JobError {
  const isEngine = isPlatformError(error) && error.code.startsWith('ENGINE_');
  return { code: isEngine ? 'DOCKER_ERROR' : 'INTERNAL_ERROR', message: `The job could not run: ${messageOf(error)}.` };
}
