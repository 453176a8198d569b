/**
 * A pod on this machine: a worker's process and its sidecar.
 *
 * Phases: Waiting (for its turn to start) -> Running -> Ended.
 * Ownership: the pod host owns it; it owns the process and the sidecar, which live in the host's own process.
 *
 * I1 `warm` settles once: when the placeholder is warm, or when it never will be, with the last lines of stderr.
 * I2 When the sidecar has ended, the process is ended; when the process has ended, so is the sidecar, after its last frames.
 * I3 `ended` resolves when neither is left.
 * I4 Nothing of a customer stands in the environment, the arguments or the folder of the process.
 */
import {
  type Clock,
  createDeferred,
  type Log,
  messageOf,
  type PlatformError,
  StateMachine,
  settlesWithin,
} from '@switchyard/kernel';
import type { Stack } from '@switchyard/model';
import type { Assignment, AssignOutcome, Link, Pod, PodEnd } from '@switchyard/protocol';
import { connectionArguments } from '../connection-arguments.ts';
import type { WorkerLaunch } from '../contract.ts';
import { podErrors } from '../errors.ts';
import type { PodHostLimits } from '../limits.ts';
import type { ProcessPort } from '../process-port.ts';
import type { Sidecar, SidecarTraits } from '../sidecar/sidecar-contract.ts';
import { type WorkerEnd, WorkerProcess } from '../worker-process.ts';

/** How a placeholder of a stack is started. */
export interface PlaceholderLaunch {
  /** The command line; its folder is empty and its environment holds nothing of a customer. */
  readonly launch: WorkerLaunch;
  readonly traits: SidecarTraits;
  /** The worker's own folder, as WorkerInitRequest names it. */
  readonly workerDirectory: string;
}

export interface LocalPodDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly processes: ProcessPort;
  readonly sidecar: Sidecar;
}

export interface LocalPodOptions {
  readonly stack: Stack;
  /** Where the worker finds its sidecar. */
  readonly endpoint: { readonly host: string; readonly port: number };
  readonly requestId: string;
  readonly limits: PodHostLimits;
}

type State =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'running'; readonly process: WorkerProcess }
  | { readonly kind: 'ended' };

const edges = { waiting: ['running', 'ended'], running: ['ended'], ended: [] } as const;

/** How long the last frames of a process that is gone may still arrive. */
const lastFramesMs = 1_000;

export class LocalPod implements Pod {
  readonly workerId: string;
  readonly stack: Stack;
  readonly sidecar: Sidecar;
  readonly #deps: LocalPodDeps;
  readonly #options: LocalPodOptions;
  readonly #machine = new StateMachine<State>({ kind: 'waiting' }, edges);
  readonly #warm = createDeferred<void>();
  readonly #ended = createDeferred<PodEnd>();
  #graceMs: number;

  constructor(deps: LocalPodDeps, options: LocalPodOptions) {
    this.sidecar = deps.sidecar;
    this.workerId = deps.sidecar.workerId;
    this.stack = options.stack;
    this.#deps = deps;
    this.#options = options;
    this.#graceMs = options.limits.terminationGraceMs;
    deps.sidecar.warm.then(this.#warm.resolve, () => {});
    void deps.sidecar.ended.then(() => this.#sidecarEnded());
  }

  get warm(): Promise<void> {
    return this.#warm.promise;
  }

  get ended(): Promise<PodEnd> {
    return this.#ended.promise;
  }

  get pid(): number | undefined {
    const { state } = this.#machine;
    return state.kind === 'running' ? state.process.pid : undefined;
  }

  assign(assignment: Assignment): Promise<AssignOutcome> {
    return this.sidecar.assign(assignment);
  }

  /** Takes the worker's stream. */
  acceptWorker(link: Link): void {
    this.sidecar.acceptWorker(link);
  }

  stop(graceMs: number): void {
    this.#graceMs = Math.min(this.#graceMs, graceMs);
    void this.sidecar.drain(this.#graceMs);
    const { state } = this.#machine;
    // A sidecar that has ended before stops nothing any more.
    if (state.kind === 'running' && !this.sidecar.status().isWorkerConnected) state.process.stop(this.#graceMs);
  }

  /** Starts the process. */
  start({ launch }: PlaceholderLaunch): void {
    if (this.#machine.kind !== 'waiting') return;
    const { endpoint, requestId, limits } = this.#options;
    const connection = connectionArguments({ ...endpoint, workerId: this.workerId, requestId });
    const process = new WorkerProcess(
      this.#deps,
      limits,
      {
        executable: launch.executable,
        arguments: [...launch.arguments, launch.workerPath, ...launch.workerArguments, ...connection],
        directory: launch.directory,
        environment: launch.environment,
      },
      {
        line: (stream, line) => this.sidecar.console(stream, line),
        ended: (end) => void this.#processEnded(end, launch.executable),
      },
    );
    this.#machine.transition({ kind: 'running', process });
    this.#deps.log.write('debug', 'Placeholder started', { workerId: this.workerId, pid: process.pid });
  }

  /** It will never start. */
  fail(error: PlatformError): void {
    if (this.#machine.kind !== 'waiting') return;
    void this.#conclude({ exitCode: null, signal: null, stderrTail: [], error });
  }

  #sidecarEnded(): void {
    const { state } = this.#machine;
    if (state.kind === 'running') state.process.stop(this.#graceMs);
    else if (state.kind === 'waiting') {
      void this.#conclude({ exitCode: null, signal: null, stderrTail: [], error: undefined });
    }
  }

  async #processEnded(end: WorkerEnd, executable: string): Promise<void> {
    const { sidecar } = this;
    sidecar.consoleEnded();
    if (sidecar.status().isWorkerConnected) await settlesWithin(this.#deps.clock, lastFramesMs, sidecar.ended);
    if (end.kind === 'exited') {
      const { exitCode, signal, stderrTail } = end;
      await this.#conclude({ exitCode, signal, stderrTail, error: undefined });
      return;
    }
    const details = { applicationId: '(none yet)', executable, reason: end.reason };
    const error = podErrors.create('POD_START_FAILED', details);
    await this.#conclude({ exitCode: null, signal: null, stderrTail: [], error });
  }

  async #conclude(end: PodEnd): Promise<void> {
    if (this.#machine.kind === 'ended') return;
    this.#machine.transition({ kind: 'ended' });
    await this.sidecar.drain(0);
    const outcome = await this.sidecar.ended;
    const error = end.error ?? (outcome.kind === 'failed' ? outcome.error : undefined);
    const reason = error === undefined ? describeExit(end) : messageOf(error);
    const details = { workerId: this.workerId, reason, output: end.stderrTail.join('\n') };
    this.#warm.reject(podErrors.create('POD_PLACEHOLDER_FAILED', details, error));
    this.#ended.resolve({ ...end, error });
  }
}

function describeExit({ exitCode, signal }: PodEnd): string {
  if (exitCode !== null) return `the process ended with code ${exitCode}`;
  return signal === null ? 'it was stopped' : `the process was ended by ${signal}`;
}
