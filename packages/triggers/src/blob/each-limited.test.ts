import { expect, it } from 'vitest';
import { eachLimited } from './each-limited.ts';

it('does everything, with no more than the limit at a time', async () => {
  const done: number[] = [];
  let running = 0;
  let most = 0;
  await eachLimited([1, 2, 3, 4, 5], 2, async (item) => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    done.push(item);
  });
  expect(done.sort()).toEqual([1, 2, 3, 4, 5]);
  expect(most).toBe(2);
});

it('rejects with the first failure, when nothing runs any more', async () => {
  const done: number[] = [];
  const work = eachLimited([1, 2, 3], 2, async (item) => {
    if (item === 1) throw new Error('one');
    done.push(item);
  });
  await expect(work).rejects.toThrow('one');
  expect(done).toEqual([2, 3]);
  await eachLimited([], 2, async () => {});
});
