import { parentPort } from 'node:worker_threads';
import { isPlatformError, messageOf } from '@switchyard/kernel';
import type { TaskAnswer, TaskRequest } from './task-messages.ts';

/** The loop of a task thread: runs one task after the other, and ends when it is told to. */
export function serveTasks(tasks: Readonly<Record<string, (...parameters: unknown[]) => unknown>>): void {
  parentPort?.on('message', (request: TaskRequest | 'close') => {
    if (request === 'close') {
      parentPort?.close();
      return;
    }
    void answer(tasks, request).then((result) => parentPort?.postMessage(result));
  });
}

async function answer(
  tasks: Readonly<Record<string, (...parameters: unknown[]) => unknown>>,
  { task, parameters }: TaskRequest,
): Promise<TaskAnswer> {
  try {
    const work = Object.hasOwn(tasks, task) ? tasks[task] : undefined;
    if (work === undefined) return { kind: 'failed', reason: 'there is no such task' };
    return { kind: 'done', result: await work(...parameters) };
  } catch (error) {
    if (!isPlatformError(error)) return { kind: 'failed', reason: messageOf(error) };
    const { what = 'What the task was given', reason = error.message } = error.details;
    return { kind: 'refused', what: String(what), reason: String(reason) };
  }
}
