/** A driver that asks a script before each call goes through: to fail, to wait, or to do more. */
import type {
  Fingerprint,
  RecoverOutcome,
  StartOutcome,
  TaskDriver,
  TaskEvents,
  TaskExit,
  TaskSpec,
} from '../driver/contract.ts';

/** One call of the driver. */
export interface EngineStep {
  readonly method: 'start' | 'recover' | 'wait' | 'stop' | 'destroy' | 'list';
  readonly taskId: string | undefined;
  readonly signal: AbortSignal | undefined;
  /** Does what the driver would; it is done again after the script unless the script throws. */
  run(): Promise<unknown>;
}

export type EngineScript = (step: EngineStep) => void | Promise<void>;

export class ScriptedDriver implements TaskDriver {
  readonly name = 'scripted';
  readonly #inner: TaskDriver;
  readonly #script: EngineScript;

  constructor(inner: TaskDriver, script: EngineScript) {
    this.#inner = inner;
    this.#script = script;
  }

  fingerprint(signal: AbortSignal): Promise<Fingerprint> {
    return this.#inner.fingerprint(signal);
  }

  start(spec: TaskSpec, events: TaskEvents, signal: AbortSignal): Promise<StartOutcome> {
    return this.#step('start', spec.taskId, signal, () => this.#inner.start(spec, events, signal));
  }

  recover(spec: TaskSpec, events: TaskEvents, signal: AbortSignal): Promise<RecoverOutcome> {
    return this.#step('recover', spec.taskId, signal, () => this.#inner.recover(spec, events, signal));
  }

  wait(taskId: string, signal: AbortSignal): Promise<TaskExit> {
    return this.#step('wait', taskId, signal, () => this.#inner.wait(taskId, signal));
  }

  stop(taskId: string, graceMs: number): Promise<void> {
    return this.#step('stop', taskId, undefined, () => this.#inner.stop(taskId, graceMs));
  }

  destroy(taskId: string): Promise<void> {
    return this.#step('destroy', taskId, undefined, () => this.#inner.destroy(taskId));
  }

  list(): Promise<readonly string[]> {
    return this.#step('list', undefined, undefined, () => this.#inner.list());
  }

  close(): void {
    this.#inner.close();
  }

  async #step<T>(
    method: EngineStep['method'],
    taskId: string | undefined,
    signal: AbortSignal | undefined,
    run: () => Promise<T>,
  ): Promise<T> {
    await this.#script({ method, taskId, signal, run });
    return await run();
  }
}
