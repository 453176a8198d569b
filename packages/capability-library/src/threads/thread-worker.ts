/**
 * A thread that answers one request at a time, and whose end is the way to stop it.
 *
 * Ownership: whoever made it closes or kills it. Its program answers every message but `close`, at which it ends.
 *
 * I1 A request that is stopped or takes too long ends the thread, whatever it does.
 * I2 A thread that died fails its request and is not usable any more.
 */
import { Worker } from 'node:worker_threads';
import { type Clock, createDeferred, messageOf } from '@switchyard/kernel';
import { threadFlags } from '../source-extension.ts';

export interface ThreadWorkerOptions {
  /** The program: a file of this package. */
  readonly program: URL;
  /** What the program finds as `workerData`. */
  readonly data: unknown;
  /** More heap than this ends the thread. */
  readonly maxHeapMb: number;
}

/** The terms of one request. */
export interface ThreadCall {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** The error of a request that took too long. */
  late(): Error;
  /** The error of a request whose thread died. */
  lost(reason: string): Error;
}

/** One collection may not move more than what V8 grants a thread at its limit; a small young generation sees to that. */
const maxYoungGenerationSizeMb = 4;

export class ThreadWorker<Request, Answer> {
  readonly #clock: Clock;
  readonly #worker: Worker;
  #answered: ((answer: Answer) => void) | undefined;
  #died: ((reason: string) => void) | undefined;
  #dead = false;

  constructor({ clock }: { readonly clock: Clock }, { program, data, maxHeapMb }: ThreadWorkerOptions) {
    this.#clock = clock;
    this.#worker = new Worker(program, {
      workerData: data,
      env: {},
      execArgv: [...threadFlags],
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMb, maxYoungGenerationSizeMb },
    });
    this.#worker.on('message', (answer: Answer) => this.#answered?.(answer));
    this.#worker.on('error', (error) => this.#end(messageOf(error)));
    this.#worker.on('exit', () => this.#end('its thread ended'));
    this.#worker.unref();
  }

  /** False once its thread is gone. */
  get usable(): boolean {
    return !this.#dead;
  }

  async run(request: Request, { timeoutMs, signal, late, lost }: ThreadCall): Promise<Answer> {
    signal.throwIfAborted();
    if (this.#dead) throw lost('its thread ended');
    const answer = createDeferred<Answer>();
    this.#answered = answer.resolve;
    this.#died = (reason) => answer.reject(lost(reason));
    const stop = (reason: unknown): void => {
      answer.reject(reason);
      void this.kill();
    };
    const aborted = (): void => stop(signal.reason);
    const timer = this.#clock.schedule(timeoutMs, () => stop(late()));
    signal.addEventListener('abort', aborted, { once: true });
    try {
      this.#worker.postMessage(request);
      return await answer.promise;
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', aborted);
      this.#answered = undefined;
      this.#died = undefined;
    }
  }

  /** Lets the thread end by itself. */
  async close(): Promise<void> {
    if (this.#dead) return;
    const gone = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()));
    this.#worker.postMessage('close');
    await gone;
  }

  /** Ends the thread at once. */
  async kill(): Promise<void> {
    this.#dead = true;
    await this.#worker.terminate();
  }

  #end(reason: string): void {
    this.#dead = true;
    this.#died?.(reason);
  }
}
