/**
 * The process of a custom handler, from its start to its end.
 *
 * Phases: Starting (until its port takes connections) -> Ready -> Stopping (asked to end) -> Ended; any -> Ended.
 * Ownership: whoever started it stops it. The timers and the probe live on the state that waits for them.
 *
 * I1 `ready` settles once: well when the port took a connection while the process lived, otherwise with an error that
 *    says what to do.
 * I2 The port is tried every `readyPollMs` while Starting, by one probe at a time, and never afterwards.
 * I3 A handler that is not ready within its time is stopped.
 * I4 `stop` sends SIGTERM, and SIGKILL after the grace; asking again only ever shortens the grace.
 * I5 `ended` resolves once, and tells whether the end was asked for.
 */
import {
  type Clock,
  createDeferred,
  type Edges,
  invariant,
  type PlatformError,
  StateMachine,
  type Timer,
} from '@switchyard/kernel';
import { customWorkerErrors } from '../errors.ts';
import type { HandlerExit, HandlerLaunch, HandlerNetwork, HandlerProcess, HandlerProcesses } from './ports.ts';

export interface HandlerDeps {
  readonly clock: Clock;
  readonly processes: HandlerProcesses;
  readonly network: HandlerNetwork;
}

export interface HandlerOptions {
  readonly launch: HandlerLaunch;
  readonly port: number;
  readonly initializationTimeoutMs: number;
  readonly readyPollMs: number;
  readonly terminationGraceMs: number;
}

export interface HandlerEnd {
  /** True when `stop` came first, or the handler was stopped because it did not get ready. */
  readonly requested: boolean;
  /** What to tell people when it was not asked for. */
  readonly error: PlatformError;
}

type State =
  | { readonly kind: 'Starting'; readonly deadline: Timer; readonly probing: AbortController }
  | { readonly kind: 'Ready' }
  | { readonly kind: 'Stopping'; readonly killAtMs: number; readonly timer: Timer }
  | { readonly kind: 'Ended' };

const edges: Edges<State['kind']> = {
  Starting: ['Ready', 'Stopping', 'Ended'],
  Ready: ['Stopping', 'Ended'],
  Stopping: ['Stopping', 'Ended'],
  Ended: [],
};

export class Handler {
  readonly port: number;
  readonly #deps: HandlerDeps;
  readonly #options: HandlerOptions;
  readonly #process: HandlerProcess;
  readonly #ready = createDeferred<void>();
  readonly #ended = createDeferred<HandlerEnd>();
  readonly #machine: StateMachine<State>;

  /** Starts the process. */
  constructor(deps: HandlerDeps, options: HandlerOptions) {
    this.port = options.port;
    this.#deps = deps;
    this.#options = options;
    const deadline = deps.clock.schedule(options.initializationTimeoutMs, () => this.#onLate());
    const probing = new AbortController();
    this.#machine = new StateMachine<State>({ kind: 'Starting', deadline, probing }, edges, (from) => {
      if (from.kind === 'Stopping') from.timer.cancel();
      if (from.kind !== 'Starting') return;
      from.deadline.cancel();
      from.probing.abort();
    });
    this.#process = deps.processes.start(options.launch);
    void this.#process.exited.then((exit) => this.#onExited(exit));
    this.#probe(probing.signal);
  }

  /** Resolves when the handler takes requests. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  get ended(): Promise<HandlerEnd> {
    return this.#ended.promise;
  }

  /** Asks the process to end, and resolves when it is gone. */
  async stop(graceMs: number = this.#options.terminationGraceMs): Promise<void> {
    this.#stop(
      graceMs,
      customWorkerErrors.create('CUSTOM_HANDLER_ENDED', this.#describe('before it was ready', 'stopped')),
    );
    await this.ended;
  }

  #stop(graceMs: number, reason: PlatformError): void {
    const { state } = this.#machine;
    if (state.kind === 'Ended') return;
    const killAtMs = this.#deps.clock.monotonic() + graceMs;
    if (state.kind === 'Stopping' && state.killAtMs <= killAtMs) return;
    const timer = this.#deps.clock.schedule(graceMs, () => this.#process.kill('SIGKILL'));
    this.#machine.transition({ kind: 'Stopping', killAtMs, timer });
    if (state.kind === 'Stopping') return;
    this.#ready.reject(reason);
    this.#process.kill('SIGTERM');
  }

  /** One look at the port, and the next one `readyPollMs` after its answer. */
  #probe(signal: AbortSignal): void {
    void this.#deps.network.accepts(this.port, signal).then((accepts) => {
      if (signal.aborted) return;
      if (!accepts) {
        const timer = this.#deps.clock.schedule(this.#options.readyPollMs, () => this.#probe(signal));
        signal.addEventListener('abort', () => timer.cancel(), { once: true });
        return;
      }
      this.#machine.transition({ kind: 'Ready' });
      this.#ready.resolve();
    });
  }

  #onLate(): void {
    const { launch, port, initializationTimeoutMs: timeoutMs } = this.#options;
    const details = { executable: launch.executable, port, timeoutMs };
    this.#stop(this.#options.terminationGraceMs, customWorkerErrors.create('CUSTOM_HANDLER_NOT_READY', details));
  }

  #onExited(exit: HandlerExit): void {
    const { kind } = this.#machine;
    invariant(kind !== 'Ended', 'a process ends once');
    this.#machine.transition({ kind: 'Ended' });
    const error = this.#toError(exit, kind === 'Ready' ? 'while it served' : 'before it was ready');
    this.#ready.reject(error);
    this.#ended.resolve({ requested: kind === 'Stopping', error });
  }

  #toError(exit: HandlerExit, when: string): PlatformError {
    const { executable } = this.#options.launch;
    if (exit.kind === 'not-started') {
      return customWorkerErrors.create('CUSTOM_HANDLER_NOT_STARTED', { executable, reason: exit.reason });
    }
    const how = exit.signal === null ? `exit code ${exit.exitCode}` : `signal ${exit.signal}`;
    return customWorkerErrors.create('CUSTOM_HANDLER_ENDED', this.#describe(when, how));
  }

  #describe(when: string, how: string): { executable: string; when: string; how: string } {
    return { executable: this.#options.launch.executable, when, how };
  }
}
