import { createDeferred } from '@switchyard/kernel';
import { expect, test } from 'vitest';
import { Bulkheads } from './bulkheads.ts';

test('I1: work beyond the limits is refused, and waiting work runs in turn', async () => {
  const bulkheads = new Bulkheads({ concurrent: 1, queued: 1 });
  const first = createDeferred<number>();
  const running = bulkheads.run('x', () => first.promise);
  const waiting = bulkheads.run('x', async () => 2);
  await expect(bulkheads.run('x', async () => 3)).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  first.resolve(1);
  expect(await Promise.all([running, waiting])).toEqual([1, 2]);
});

test('I2: another account goes on, and failures pass as they are', async () => {
  const bulkheads = new Bulkheads({ concurrent: 1, queued: 0 });
  const first = createDeferred<number>();
  const running = bulkheads.run('x', () => first.promise);
  expect(await bulkheads.run('y', async () => 1)).toBe(1);
  await expect(bulkheads.run('z', () => Promise.reject(new Error('own')))).rejects.toThrow('own');
  first.resolve(1);
  expect(await running).toBe(1);
});
