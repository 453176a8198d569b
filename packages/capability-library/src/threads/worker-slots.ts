/**
 * A bounded pool: hands out workers one at a time and lets callers wait in order. A worker is a thread, or a connection.
 *
 * Ownership: whoever made it closes it; the workers are its own.
 *
 * I1 No more than `size` workers exist, and each is used by one caller at a time.
 * I2 Callers are served in the order in which they came; one whose signal aborts leaves the line.
 * I3 No more than `maxWaiting` wait; the next one is refused with TASKS_EXHAUSTED.
 * I4 A worker that is no longer usable is replaced, not handed on.
 */
import { libraryErrors } from '../errors.ts';

export interface PooledWorker {
  readonly usable: boolean;
  close(): Promise<void>;
}

export interface WorkerSlotsOptions {
  readonly size: number;
  readonly maxWaiting: number;
}

interface Waiting {
  go(): void;
}

export class WorkerSlots<Worker extends PooledWorker> {
  readonly #open: () => Worker;
  readonly #options: WorkerSlotsOptions;
  readonly #idle: Worker[] = [];
  readonly #waiting: Waiting[] = [];
  #taken = 0;

  constructor(open: () => Worker, options: WorkerSlotsOptions) {
    this.#open = open;
    this.#options = options;
  }

  /** Runs `work` with a worker, as soon as there is one. */
  async use<T>(signal: AbortSignal, work: (worker: Worker) => Promise<T>): Promise<T> {
    await this.#enter(signal);
    const worker = this.#idle.pop() ?? this.#open();
    try {
      return await work(worker);
    } finally {
      if (worker.usable) this.#idle.push(worker);
      this.#taken -= 1;
      this.#waiting.shift()?.go();
    }
  }

  /** True when nobody uses or waits for a worker. */
  get quiet(): boolean {
    return this.#taken === 0 && this.#waiting.length === 0;
  }

  /** Closes the idle workers; the ones in use are closed by nobody, so let the work end first. */
  async close(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map((worker) => worker.close()));
  }

  async #enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { size, maxWaiting } = this.#options;
    if (this.#taken < size) {
      this.#taken += 1;
      return;
    }
    if (this.#waiting.length >= maxWaiting)
      throw libraryErrors.create('TASKS_EXHAUSTED', { what: 'the line for a worker', limit: maxWaiting });
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        const index = this.#waiting.indexOf(entry);
        if (index >= 0) this.#waiting.splice(index, 1);
        reject(signal.reason);
      };
      const entry: Waiting = {
        go: () => {
          signal.removeEventListener('abort', leave);
          this.#taken += 1;
          resolve();
        },
      };
      this.#waiting.push(entry);
      signal.addEventListener('abort', leave, { once: true });
    });
  }
}
