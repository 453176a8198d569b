/**
 * Supervises one worker process: starts it, starts it anew with another command line when asked to, and says how it all
 * ended. The core of a wrapper, in a pod host's process or in one of its own.
 *
 * Phases: created -> running <-> restarting (the old worker is ending); running -> backing-off (it failed) -> running;
 * running or restarting -> stopping -> ended; any -> ended.
 * Ownership: the pod or the wrapper's composition owns it; it owns the process, and the timer while it waits.
 *
 * I1 At most one worker process lives at a time.
 * I2 A restart sends SIGTERM, and SIGKILL after the grace; then the worker starts with the change laid over the launch.
 * I3 While a restart is under way another one is answered `in-progress` and changes nothing.
 * I4 A worker that ends by itself ends the supervisor; only where crashes are to be restarted, one that failed starts
 *    again after a growing wait, `maxCrashesInARow` times at most, and a healthy period starts the count anew.
 * I5 After `shutdown` nothing starts. `ended` resolves once, with the end of the last worker.
 * I6 The lines of a worker come between its `started` and its `stopped`, and nobody else's do.
 */
import {
  backoffMs,
  type Clock,
  createDeferred,
  type Edges,
  type Log,
  type Random,
  StateMachine,
  type Timer,
} from '@switchyard/kernel';
import type { WorkerLaunch } from '../contract.ts';
import type { ConsoleStream, ProcessLaunch, ProcessPort } from '../process-port.ts';
import { type WorkerEnd, WorkerProcess } from '../worker-process.ts';
import {
  faultOfChange,
  type LaunchChange,
  type RestartOutcome,
  type SupervisorStateKind,
  type SupervisorStatus,
  type WorkerControl,
} from './contract.ts';
import { defaultSupervisorLimits, type SupervisorLimits } from './limits.ts';

export interface SupervisorDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly processes: ProcessPort;
}

export interface SupervisorOptions {
  /** How the first worker is started. Nothing of a customer stands in it. */
  readonly launch: WorkerLaunch;
  /** What a worker that failed by itself leads to: the end of the supervisor, or another start. */
  readonly onCrash: CrashPolicy;
  /** True where workers are to notice the end of this process by their stdin. */
  readonly lifeline?: boolean;
  readonly observer: SupervisorObserver;
  readonly limits?: Partial<SupervisorLimits>;
}

export type CrashPolicy = 'exit' | 'restart';

/** Hears what becomes of the workers. Must not throw. */
export interface SupervisorObserver {
  /** A worker was started; `start` counts from 1. */
  started?(start: number, pid: number | undefined): void;
  line(stream: ConsoleStream, line: string): void;
  /** A worker is gone and its console read to the end; `next` says whether another one follows. */
  stopped?(end: WorkerEnd, next: 'restart' | 'end'): void;
}

/** How the last worker ended; undefined when none was ever started. */
export type SupervisorEnd = WorkerEnd | undefined;

type State =
  | { readonly kind: 'created' }
  | { readonly kind: 'running'; readonly process: WorkerProcess }
  | { readonly kind: 'restarting'; readonly process: WorkerProcess; readonly launch: WorkerLaunch }
  | { readonly kind: 'backing-off'; readonly timer: Timer; readonly end: WorkerEnd }
  | { readonly kind: 'stopping'; readonly process: WorkerProcess }
  | { readonly kind: 'ended'; readonly end: SupervisorEnd };

const edges: Edges<SupervisorStateKind> = {
  created: ['running', 'ended'],
  running: ['restarting', 'backing-off', 'stopping', 'ended'],
  restarting: ['running', 'stopping'],
  'backing-off': ['running', 'ended'],
  stopping: ['ended'],
  ended: [],
};

export class Supervisor implements WorkerControl {
  readonly #deps: SupervisorDeps;
  readonly #options: SupervisorOptions;
  readonly #limits: SupervisorLimits;
  readonly #machine: StateMachine<State>;
  readonly #ended = createDeferred<SupervisorEnd>();
  #launch: WorkerLaunch;
  #starts = 0;
  #restarts = 0;
  #crashes = 0;
  #crashesInARow = 0;

  constructor(deps: SupervisorDeps, options: SupervisorOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#limits = { ...defaultSupervisorLimits, ...options.limits };
    this.#launch = options.launch;
    this.#machine = new StateMachine<State>({ kind: 'created' }, edges, (from, to) =>
      deps.log.write('debug', 'A wrapper changed its state.', { from: from.kind, to: to.kind }),
    );
  }

  /** Resolves when no worker is left and none will be started. Never rejects. */
  get ended(): Promise<SupervisorEnd> {
    return this.#ended.promise;
  }

  /** Starts the worker. To be called once; later calls do nothing. */
  start(): void {
    if (this.#machine.kind === 'created') this.#spawn();
  }

  restart(reason: string, change: LaunchChange = {}): Promise<RestartOutcome> {
    const outcome = this.#restart(change);
    this.#deps.log.write('information', 'A restart of the worker was asked for.', { reason, outcome: outcome.kind });
    return Promise.resolve(outcome);
  }

  /** Ends the worker: SIGTERM now, SIGKILL after `graceMs`. Asking again only ever shortens the grace. */
  shutdown(graceMs: number = this.#limits.terminationGraceMs): Promise<SupervisorEnd> {
    const { state } = this.#machine;
    switch (state.kind) {
      case 'created':
        this.#end(undefined);
        break;
      case 'backing-off':
        state.timer.cancel();
        this.#end(state.end);
        break;
      case 'running':
      case 'restarting':
        this.#machine.transition({ kind: 'stopping', process: state.process });
        state.process.stop(graceMs);
        break;
      case 'stopping':
        state.process.stop(graceMs);
        break;
      case 'ended':
        break;
    }
    return this.ended;
  }

  status(): SupervisorStatus {
    const { state } = this.#machine;
    const { executable, arguments: words, workerPath } = this.#launch;
    return {
      state: state.kind,
      pid: 'process' in state ? state.process.pid : undefined,
      starts: this.#starts,
      restarts: this.#restarts,
      crashes: this.#crashes,
      launch: { executable, arguments: words, workerPath },
    };
  }

  #restart(change: LaunchChange): RestartOutcome {
    const { state } = this.#machine;
    const fault = faultOfChange(change);
    if (fault !== undefined) return { kind: 'rejected', reason: fault };
    const launch = { ...this.#launch, ...change };
    switch (state.kind) {
      case 'running':
        this.#restarts += 1;
        this.#machine.transition({ kind: 'restarting', process: state.process, launch });
        state.process.stop(this.#limits.terminationGraceMs);
        return { kind: 'accepted' };
      case 'backing-off':
        this.#restarts += 1;
        this.#crashesInARow = 0;
        state.timer.cancel();
        this.#launch = launch;
        this.#spawn();
        return { kind: 'accepted' };
      case 'restarting':
        return { kind: 'in-progress' };
      default:
        return { kind: 'rejected', reason: refusals[state.kind] };
    }
  }

  #spawn(): void {
    const { observer, lifeline } = this.#options;
    this.#starts += 1;
    const process: WorkerProcess = new WorkerProcess(this.#deps, this.#limits, toProcess(this.#launch, lifeline), {
      line: (stream, line) => observer.line(stream, line),
      ended: (end) => this.#onEnded(process, end),
    });
    this.#machine.transition({ kind: 'running', process });
    observer.started?.(this.#starts, process.pid);
  }

  #onEnded(process: WorkerProcess, end: WorkerEnd): void {
    const { state } = this.#machine;
    const { stopped } = this.#options.observer;
    if (state.kind === 'restarting') {
      this.#launch = state.launch;
      stopped?.(end, 'restart');
      // The observer may have asked for the end meanwhile.
      if (this.#machine.kind === 'restarting') this.#spawn();
      else this.#end(end);
      return;
    }
    const waitMs = state.kind === 'running' ? this.#waitAfter(process, end) : undefined;
    if (waitMs === undefined) {
      stopped?.(end, 'end');
      this.#end(end);
      return;
    }
    this.#deps.log.write('warning', 'The worker failed and is started again.', { ...describeEnd(end), waitMs });
    const timer = this.#deps.clock.schedule(waitMs, () => this.#spawn());
    this.#machine.transition({ kind: 'backing-off', timer, end });
    stopped?.(end, 'restart');
  }

  /** How long to wait before another start; undefined when there is none. Counts the failure. */
  #waitAfter(process: WorkerProcess, end: WorkerEnd): number | undefined {
    if (end.kind === 'exited' && end.exitCode === 0) return undefined;
    const { clock, random } = this.#deps;
    const { healthyAfterMs, maxCrashesInARow, crashBackoff } = this.#limits;
    this.#crashes += 1;
    if (clock.monotonic() - process.startedAtMs >= healthyAfterMs) this.#crashesInARow = 0;
    if (this.#options.onCrash === 'exit' || this.#crashesInARow >= maxCrashesInARow) return undefined;
    const waitMs = backoffMs(crashBackoff, this.#crashesInARow, random);
    this.#crashesInARow += 1;
    return waitMs;
  }

  #end(end: SupervisorEnd): void {
    if (this.#machine.kind === 'ended') return;
    this.#machine.transition({ kind: 'ended', end });
    this.#ended.resolve(end);
  }
}

const refusals: Readonly<Record<'created' | 'stopping' | 'ended', string>> = {
  created: 'the worker was not started yet; start it first',
  stopping: 'the wrapper is shutting down and starts nothing any more; use another pod',
  ended: 'the wrapper has ended and starts nothing any more; use another pod',
};

function toProcess(launch: WorkerLaunch, lifeline: boolean | undefined): ProcessLaunch {
  const { executable, workerPath, workerArguments, directory, environment } = launch;
  const path = workerPath === '' ? [] : [workerPath];
  const words = [...launch.arguments, ...path, ...workerArguments];
  return { executable, arguments: words, directory, environment, lifeline: lifeline ?? false };
}

function describeEnd(end: WorkerEnd): Readonly<Record<string, unknown>> {
  if (end.kind === 'failed') return { reason: end.reason };
  return { exitCode: end.exitCode, signal: end.signal };
}
