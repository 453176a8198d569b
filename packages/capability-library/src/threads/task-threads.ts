import type { Clock } from '@switchyard/kernel';
import { libraryErrors } from '../errors.ts';
import { refuseParameter } from '../parameters.ts';
import type { TaskAnswer, TaskRequest } from './task-messages.ts';
import { ThreadWorker } from './thread-worker.ts';
import { WorkerSlots } from './worker-slots.ts';

export interface TaskThreadsOptions {
  readonly program: URL;
  /** How many run at once. */
  readonly size: number;
  readonly maxWaiting: number;
  /** No task runs longer. */
  readonly maxTaskMs: number;
  readonly maxHeapMb: number;
}

/** Threads for work that keeps a processor busy. Stopping a task ends its thread; another one takes its place. */
export class TaskThreads {
  readonly #options: TaskThreadsOptions;
  readonly #slots: WorkerSlots<ThreadWorker<TaskRequest, TaskAnswer>>;

  constructor(deps: { readonly clock: Clock }, options: TaskThreadsOptions) {
    this.#options = options;
    const { program, maxHeapMb, size, maxWaiting } = options;
    this.#slots = new WorkerSlots(() => new ThreadWorker(deps, { program, data: null, maxHeapMb }), {
      size,
      maxWaiting,
    });
  }

  /** Runs a task to its end. `started` is called when it has a thread. */
  async run(request: TaskRequest, signal: AbortSignal, started?: () => void): Promise<unknown> {
    const { task } = request;
    const { maxTaskMs } = this.#options;
    const stopped = (reason: string): Error => libraryErrors.create('TASK_STOPPED', { task, reason });
    const answer = await this.#slots.use(signal, (thread) => {
      started?.();
      return thread.run(request, {
        timeoutMs: maxTaskMs,
        signal,
        late: () => stopped(`it took more than ${maxTaskMs} ms`),
        lost: stopped,
      });
    });
    switch (answer.kind) {
      case 'done':
        return answer.result;
      case 'refused':
        return refuseParameter(answer.what, answer.reason);
      case 'failed':
        throw libraryErrors.create('TASK_FAILED', { task, reason: answer.reason });
    }
  }

  close(): Promise<void> {
    return this.#slots.close();
  }
}
