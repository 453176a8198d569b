import { createDeferred } from '@switchyard/kernel';
import { createSeededRandom } from '@switchyard/testkit';
import { beforeEach, expect, test } from 'vitest';
import { codeOf } from '../testing/code-of.ts';
import { StartedTasks } from './started-tasks.ts';

const never = new AbortController().signal;
let tasks: StartedTasks;

beforeEach(() => {
  tasks = new StartedTasks({ random: createSeededRandom(1) }, { maxPerLease: 2 });
});

/** Work that ends when it is told to. */
const untilStopped = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

test('I1: a lease sees its own tasks only', async () => {
  const id = tasks.start('a', 'one', async () => 1);
  for (const method of ['state', 'cancel'] as const)
    expect(await codeOf(() => tasks[method]('b', id))).toBe('PARAMETER_INVALID');
  expect(await tasks.result('a', id, never)).toBe(1);
});

test('I2: the end of a lease stops its tasks, and no others', async () => {
  const mine = tasks.result('a', tasks.start('a', 'one', untilStopped), never);
  const gate = createDeferred<number>();
  const other = tasks.start('b', 'two', () => gate.promise);
  tasks.endLease('a');
  expect(await codeOf(() => mine)).toBe('TASK_STOPPED');
  gate.resolve(2);
  expect(await tasks.result('b', other, never)).toBe(2);
});

test('I3: what was cancelled stays cancelled, whatever the work makes of it', async () => {
  const gate = createDeferred<number>();
  const id = tasks.start('a', 'one', () => gate.promise);
  expect(tasks.cancel('a', id)).toBe(true);
  gate.resolve(1);
  await gate.promise;
  expect(tasks.state('a', id)).toBe('cancelled');
  const stopped = tasks.start('a', 'two', untilStopped);
  await Promise.resolve();
  tasks.cancel('a', stopped);
  expect(await codeOf(() => tasks.result('a', stopped, never))).toBe('TASK_STOPPED');
});

test('I4: a lease has only so many tasks, until it asks for results', async () => {
  const first = tasks.start('a', 'one', async () => 1);
  tasks.start('a', 'two', untilStopped);
  expect(await codeOf(() => tasks.start('a', 'three', untilStopped))).toBe('TASKS_EXHAUSTED');
  tasks.start('b', 'four', untilStopped);
  await tasks.result('a', first, never);
  tasks.start('a', 'three', untilStopped);
  tasks.endAll();
  expect(await codeOf(() => tasks.state('a', first))).toBe('PARAMETER_INVALID');
});

test('a caller who gives up waiting does not stop the task', async () => {
  const gate = createDeferred<number>();
  const id = tasks.start('a', 'one', () => gate.promise);
  const controller = new AbortController();
  const waiting = tasks.result('a', id, controller.signal);
  controller.abort(new Error('gave up'));
  await expect(waiting).rejects.toThrow('gave up');
  gate.resolve(1);
  expect(await tasks.result('a', id, never)).toBe(1);
});
