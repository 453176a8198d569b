/**
 * A pod on this machine: a worker's process and its sidecar.
 *
 * Phases: Waiting (for its turn to start) -> Running -> Ended.
 * Ownership: the pod host owns it; it owns the process and the sidecar, which live in the host's own process.
 *
 * I1 `warm` settles once: when the placeholder is warm, or when it never will be, with the last lines of stderr.
 * I2 When the sidecar has ended, the process is ended; when the process has ended, so is the sidecar, after its last frames.
 * I3 `ended` resolves when neither is left.
 * I4 Nothing of a customer stands in the environment, the arguments or the folder of the process, but for the arguments
 *    that an app's settings name for its worker.
 * I5 A worker that is started anew keeps its id and its connection; the pod lives on meanwhile.
 * I6 Where the worker is one that shows the key it was started with, a stream without it is not the worker's. A worker that an
 *    app's settings put in its place shows none.
 */
import {
  type Clock,
  createDeferred,
  type Log,
  messageOf,
  type PlatformError,
  type Random,
  StateMachine,
  settlesWithin,
} from '@switchyard/kernel';
import type { Stack } from '@switchyard/model';
import {
  type Assignment,
  type AssignOutcome,
  type Link,
  type Pod,
  type PodEnd,
  workerKeyMetadata,
  workerKeyVariable,
} from '@switchyard/protocol';
import { connectionArguments } from '../connection-arguments.ts';
import type { WorkerLaunch } from '../contract.ts';
import { podErrors } from '../errors.ts';
import type { PodHostLimits } from '../limits.ts';
import type { ProcessPort } from '../process-port.ts';
import type { IndexOutcome, Sidecar, SidecarTraits } from '../sidecar/sidecar-contract.ts';
import type { WorkerEnd } from '../worker-process.ts';
import type { LaunchChange, RestartOutcome, WorkerControl } from '../wrapper/contract.ts';
import { Supervisor } from '../wrapper/supervisor.ts';

/** Where a worker finds its sidecar. */
export interface PodEndpoint {
  readonly host: string;
  readonly port: number;
}

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
  readonly random: Random;
  readonly log: Log;
  readonly processes: ProcessPort;
  readonly sidecar: Sidecar;
}

export interface LocalPodOptions {
  readonly stack: Stack;
  readonly requestId: string;
  readonly limits: PodHostLimits;
}

type State =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'running'; readonly supervisor: Supervisor; readonly key: WorkerKey | undefined }
  | { readonly kind: 'ended' };

/** What the worker at this path shows. */
interface WorkerKey {
  readonly value: string;
  readonly workerPath: string;
}

const edges = { waiting: ['running', 'ended'], running: ['ended'], ended: [] } as const;

/** How long the last frames of a process that is gone may still arrive. */
const lastFramesMs = 1_000;

export class LocalPod implements Pod, WorkerControl {
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
    return state.kind === 'running' ? state.supervisor.status().pid : undefined;
  }

  assign(assignment: Assignment): Promise<AssignOutcome> {
    return this.sidecar.assign(assignment);
  }

  /** Lists the functions of an app; the worker is for that app from then on. */
  index(assignment: Assignment): Promise<IndexOutcome> {
    return this.sidecar.index(assignment);
  }

  /** True when the stream is the worker's, as far as that can be known. */
  knows({ metadata }: Link): boolean {
    const { state } = this.#machine;
    if (state.kind !== 'running') return false;
    const { key, supervisor } = state;
    if (key === undefined || supervisor.status().launch.workerPath !== key.workerPath) return true;
    return metadata.get(workerKeyMetadata) === key.value;
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
    if (state.kind === 'running' && !this.sidecar.status().isWorkerConnected)
      void state.supervisor.shutdown(this.#graceMs);
  }

  /** Starts the worker anew; the sidecar that asks for it takes the next one. */
  restart(reason: string, change?: LaunchChange): Promise<RestartOutcome> {
    const { state } = this.#machine;
    if (state.kind === 'running') return state.supervisor.restart(reason, change);
    return Promise.resolve({ kind: 'rejected', reason: `the pod is ${state.kind}; use another one` });
  }

  /** Starts the process; its worker dials the endpoint. */
  start({ launch, traits }: PlaceholderLaunch, endpoint: PodEndpoint): void {
    if (this.#machine.kind !== 'waiting') return;
    const key = traits.presentsKey ? { value: this.#deps.random.uuid(), workerPath: launch.workerPath } : undefined;
    const keyed = key === undefined ? {} : { [workerKeyVariable]: key.value };
    const { requestId, limits } = this.#options;
    const connection = connectionArguments({ ...endpoint, workerId: this.workerId, requestId });
    const supervisor = new Supervisor(this.#deps, {
      launch: {
        ...launch,
        workerArguments: [...launch.workerArguments, ...connection],
        environment: { ...launch.environment, ...keyed },
      },
      onCrash: 'exit',
      limits,
      observer: {
        line: (stream, line) => this.sidecar.console(stream, line),
        stopped: (end, next) => {
          this.sidecar.consoleEnded();
          if (next === 'end') void this.#processEnded(end, launch.executable);
        },
      },
    });
    this.#machine.transition({ kind: 'running', supervisor, key });
    supervisor.start();
    this.#deps.log.write('debug', 'Placeholder started', { workerId: this.workerId, pid: this.pid });
  }

  /** It will never start. */
  fail(error: PlatformError): void {
    if (this.#machine.kind !== 'waiting') return;
    void this.#conclude({ exitCode: null, signal: null, stderrTail: [], error });
  }

  #sidecarEnded(): void {
    const { state } = this.#machine;
    if (state.kind === 'running') void state.supervisor.shutdown(this.#graceMs);
    else if (state.kind === 'waiting') {
      void this.#conclude({ exitCode: null, signal: null, stderrTail: [], error: undefined });
    }
  }

  async #processEnded(end: WorkerEnd, executable: string): Promise<void> {
    const { sidecar } = this;
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
