/**
 * The tasks that leases have started and not yet forgotten.
 *
 * Ownership: the compute capability owns it.
 *
 * I1 A lease sees its own tasks only.
 * I2 The end of a lease stops its tasks and forgets them.
 * I3 A task that was cancelled fails with TASK_STOPPED, and stays cancelled.
 * I4 No lease has more than `maxPerLease` tasks that it has not asked the result of.
 */
import type { Random } from '@switchyard/kernel';
import { libraryErrors } from '../errors.ts';
import { refuseParameter, shorten } from '../parameters.ts';

export type TaskState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';

interface StartedTask {
  readonly name: string;
  readonly controller: AbortController;
  readonly result: Promise<unknown>;
  state: TaskState;
}

export class StartedTasks {
  readonly #random: Random;
  readonly #maxPerLease: number;
  readonly #leases = new Map<string, Map<string, StartedTask>>();

  constructor({ random }: { readonly random: Random }, { maxPerLease }: { readonly maxPerLease: number }) {
    this.#random = random;
    this.#maxPerLease = maxPerLease;
  }

  /** Begins the work and returns the task's id. */
  start(leaseId: string, name: string, work: (signal: AbortSignal, begun: () => void) => Promise<unknown>): string {
    const tasks = this.#leases.get(leaseId) ?? new Map<string, StartedTask>();
    if (tasks.size >= this.#maxPerLease)
      throw libraryErrors.create('TASKS_EXHAUSTED', {
        what: 'the number of started tasks of this lease',
        limit: this.#maxPerLease,
      });
    this.#leases.set(leaseId, tasks);
    const controller = new AbortController();
    const begun = (): void => {
      if (task.state === 'waiting') task.state = 'running';
    };
    const { signal } = controller;
    const stopped = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    const working = Promise.resolve().then(() => (signal.aborted ? stopped : work(signal, begun)));
    // Whatever the work makes of its signal, a task that was stopped fails at once.
    const result = Promise.race([working, stopped]);
    const task: StartedTask = { name, controller, result, state: 'waiting' };
    result.then(
      () => this.#settle(task, 'done'),
      () => this.#settle(task, 'failed'),
    );
    const id = this.#random.uuid();
    tasks.set(id, task);
    return id;
  }

  state(leaseId: string, id: string): TaskState {
    return this.#find(leaseId, id).state;
  }

  /** Settles as the task does, and then forgets it; a caller who gives up does not stop it. */
  async result(leaseId: string, id: string, signal: AbortSignal): Promise<unknown> {
    const task = this.#find(leaseId, id);
    const left = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    try {
      return await Promise.race([task.result, left]);
    } finally {
      if (!signal.aborted) this.#leases.get(leaseId)?.delete(id);
    }
  }

  /** False when it had ended already. */
  cancel(leaseId: string, id: string): boolean {
    const task = this.#find(leaseId, id);
    if (task.state !== 'waiting' && task.state !== 'running') return false;
    stop(task, 'its caller cancelled it');
    return true;
  }

  endLease(leaseId: string): void {
    for (const task of this.#leases.get(leaseId)?.values() ?? []) stop(task, 'its lease has ended');
    this.#leases.delete(leaseId);
  }

  endAll(): void {
    for (const leaseId of [...this.#leases.keys()]) this.endLease(leaseId);
  }

  #find(leaseId: string, id: string): StartedTask {
    const task = this.#leases.get(leaseId)?.get(id);
    return (
      task ?? refuseParameter('The task', `this lease has started no '${shorten(id)}', or has asked for its result`)
    );
  }

  #settle(task: StartedTask, state: 'done' | 'failed'): void {
    if (task.state !== 'cancelled') task.state = state;
  }
}

function stop(task: StartedTask, reason: string): void {
  task.state = 'cancelled';
  task.controller.abort(libraryErrors.create('TASK_STOPPED', { task: task.name, reason }));
}
