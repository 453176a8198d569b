/** What becomes of calls that wait for a turn of the Runtime, and not for a worker. */
import { expect, test } from 'vitest';
import { createSampleDispatcher as createDispatcher } from '../testing/sample-dispatcher.ts';
import { createReadyWorker } from '../testing/sample-worker.ts';

test('whoever waits for a turn for too long, or finds no place to wait, is told so, and no worker is wanted for that', async () => {
  const share = () => ({ take: () => false, give: () => {}, leave: () => {} });
  const { dispatcher, submit, clock } = createDispatcher({}, share);
  const { worker, channel } = createReadyWorker();
  dispatcher.addWorker(worker, channel);
  const calls = ['a', 'b', 'c', 'd'].map((id) => submit(id));
  expect(dispatcher.pacedCount).toBe(3);
  await clock.advance(30_000);
  expect(calls.map(({ results }) => results)).toEqual(
    ['no turn came', 'no turn came', 'no turn came', 'wait already'].map((reason) => [
      {
        kind: 'lost',
        reason: 'overloaded',
        error: expect.objectContaining({ message: expect.stringContaining(reason) }),
      },
    ]),
  );
  expect(dispatcher.refusedCount).toBe(0);
});
