import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MessageQueue } from './message-queue.ts';

test('I1: messages leave in order, whether somebody waits or not', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 40 }), async (readFirst) => {
      const queue = new MessageQueue<number>();
      const read: Promise<number>[] = [];
      for (const [index, early] of readFirst.entries()) {
        if (early && read.length === index) read.push(queue.take());
        queue.push(index);
      }
      while (read.length < readFirst.length) read.push(queue.take());
      expect(await Promise.all(read)).toEqual(readFirst.map((_, index) => index));
    }),
  );
});

test('I2: what came before a failure is still read', async () => {
  const queue = new MessageQueue<string>();
  queue.push('first');
  queue.fail(new Error('gone'));
  queue.push('never');
  expect(await queue.take()).toBe('first');
  await expect(queue.take()).rejects.toThrow('gone');
  await expect(queue.take()).rejects.toThrow('gone');
});

test('I3: only the first reason counts, also for a reader who waits', async () => {
  const queue = new MessageQueue<string>();
  const waiting = queue.take();
  queue.fail(new Error('first'));
  queue.fail(new Error('second'));
  await expect(waiting).rejects.toThrow('first');
  await expect(queue.take()).rejects.toThrow('first');
});
