import { createDeferred } from '@switchyard/kernel';
import { expect, test } from 'vitest';
import { codeOf } from '../testing/code-of.ts';
import { WorkerSlots } from './worker-slots.ts';

const never = new AbortController().signal;

function createPool(size: number, maxWaiting = 10) {
  const made: { usable: boolean; closed: boolean; close(): Promise<void> }[] = [];
  const open = () => {
    const connection = {
      usable: true,
      closed: false,
      async close() {
        connection.closed = true;
      },
    };
    made.push(connection);
    return connection;
  };
  return { made, slots: new WorkerSlots(open, { size, maxWaiting }) };
}

test('I1: no more connections than slots, and each has one user', async () => {
  const { made, slots } = createPool(2, 100);
  const users = new Map<object, number>();
  const work = Array.from({ length: 20 }, () =>
    slots.use(never, async (connection) => {
      users.set(connection, (users.get(connection) ?? 0) + 1);
      expect(users.get(connection)).toBe(1);
      await Promise.resolve();
      users.set(connection, 0);
    }),
  );
  await Promise.all(work);
  expect(made).toHaveLength(2);
  expect(slots.quiet).toBe(true);
  await slots.close();
  expect(made.every((connection) => connection.closed)).toBe(true);
});

test('I2: callers are served in order, and one who gives up leaves the line', async () => {
  const { slots } = createPool(1);
  const gate = createDeferred<void>();
  const order: number[] = [];
  const controller = new AbortController();
  const first = slots.use(never, () => gate.promise);
  const enter = (index: number, signal = never) => slots.use(signal, async () => void order.push(index));
  const others = [enter(1), enter(2, controller.signal), enter(3)];
  controller.abort(new Error('gave up'));
  await expect(others[1]).rejects.toThrow('gave up');
  gate.resolve();
  await Promise.all([first, others[0], others[2]]);
  expect(order).toEqual([1, 3]);
  await expect(enter(4, controller.signal)).rejects.toThrow('gave up');
});

test('I3: the line has an end', async () => {
  const { slots } = createPool(1, 1);
  const gate = createDeferred<void>();
  const work = [slots.use(never, () => gate.promise), slots.use(never, () => gate.promise)];
  expect(await codeOf(() => slots.use(never, async () => {}))).toBe('TASKS_EXHAUSTED');
  gate.resolve();
  await Promise.all(work);
});

test('I4: what is no longer usable is replaced', async () => {
  const { made, slots } = createPool(1);
  await slots.use(never, async (connection) => {
    connection.usable = false;
  });
  await expect(slots.use(never, () => Promise.reject(new Error('work failed')))).rejects.toThrow('work failed');
  await slots.use(never, async (connection) => expect(connection).toBe(made[1]));
  expect(made).toHaveLength(2);
});
