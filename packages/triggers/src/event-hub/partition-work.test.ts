import { createDeferred, type Deferred } from '@switchyard/kernel';
import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InvocationOutcome } from '../contract.ts';
import { failed, lost, succeeded } from '../testing/scripted-invoke.ts';
import type { ReceivedEvent } from './event-hub-client.ts';
import { PartitionWork, type PartitionWorkOptions } from './partition-work.ts';

const event = (sequenceNumber: number): ReceivedEvent => ({
  body: Buffer.from(String(sequenceNumber)),
  sequenceNumber,
  offset: String(sequenceNumber * 10),
  enqueuedMs: 0,
  partitionKey: undefined,
  properties: {},
  systemProperties: {},
  encode: () => new Uint8Array(),
});

const events = (...numbers: number[]): readonly ReceivedEvent[] => numbers.map(event);

interface Run {
  readonly numbers: readonly number[];
  readonly isCheckpointing: boolean;
  readonly answer: Deferred<InvocationOutcome>;
}

function rig(given: Partial<PartitionWorkOptions> = {}) {
  const clock = new VirtualClock(0);
  const runs: Run[] = [];
  const checkpoints: number[] = [];
  const work = new PartitionWork(
    {
      clock,
      random: createSeededRandom(1),
      run: (some, isCheckpointing) => {
        const answer = createDeferred<InvocationOutcome>();
        runs.push({ numbers: some.map(({ sequenceNumber }) => sequenceNumber), isCheckpointing, answer });
        return answer.promise;
      },
      checkpoint: async ({ sequenceNumber }) => void checkpoints.push(sequenceNumber),
    },
    {
      isBatch: false,
      minEvents: 1,
      maxEvents: 100,
      maxWaitMs: 60_000,
      concurrency: 1,
      batchesPerCheckpoint: 1,
      ...given,
    },
  );
  const answer = async (run: number, outcome: InvocationOutcome = succeeded()): Promise<void> => {
    runs[run]?.answer.resolve(outcome);
    await clock.settle();
  };
  return { clock, runs, checkpoints, work, answer, started: () => runs.map(({ numbers }) => numbers) };
}

/** True once the promise has resolved. */
function watch(promise: Promise<void>): () => boolean {
  let isDone = false;
  void promise.then(() => {
    isDone = true;
  });
  return () => isDone;
}

describe('PartitionWork', () => {
  it('I1: the checkpoint moves when all of what came together has ended, well or not', async () => {
    const { clock, work, answer, checkpoints, started } = rig();
    const isTaken = watch(work.take(events(1, 2)));
    await clock.settle();
    expect(started()).toEqual([[1]]);
    await answer(0, failed());
    expect(checkpoints).toEqual([]);
    expect(isTaken()).toBe(false);
    await answer(1);
    expect(checkpoints).toEqual([2]);
    expect(isTaken()).toBe(true);
  });

  it('I1: it moves with every n-th batch, says so beforehand, and moves at the end', async () => {
    const { clock, work, answer, checkpoints, runs } = rig({ isBatch: true, batchesPerCheckpoint: 2 });
    for (const [index, number] of [1, 2, 3].entries()) {
      void work.take(events(number));
      await clock.settle();
      await answer(index);
    }
    expect(runs.map(({ isCheckpointing }) => isCheckpointing)).toEqual([false, true, false]);
    expect(checkpoints).toEqual([2]);
    await clock.runUntil(work.finish());
    expect(checkpoints).toEqual([2, 3]);
  });

  it.each([
    ['worker-lost', lost('worker-lost')],
    ['timeout', lost('timeout')],
    ['no-worker', lost('no-worker')],
    ['cancelled', { kind: 'cancelled', invocationId: 'i' } as const],
  ])('I2: what is %s runs again, later, and nothing overtakes it', async (_name, outcome) => {
    const { clock, work, answer, checkpoints, started } = rig();
    void work.take(events(1, 2));
    await clock.settle();
    await answer(0, outcome);
    expect(started()).toEqual([[1]]);
    await clock.advance(1_000);
    expect(started()).toEqual([[1], [1]]);
    await answer(1);
    expect(started()).toEqual([[1], [1], [2]]);
    expect(checkpoints).toEqual([]);
    await answer(2);
    expect(checkpoints).toEqual([2]);
  });

  it('I3: runs as many at once as it may, and the checkpoint waits for the first that runs', async () => {
    const { clock, work, answer, checkpoints, started } = rig({ concurrency: 2 });
    const isTaken = watch(work.take(events(1, 2, 3, 4, 5)));
    await clock.settle();
    expect(started()).toEqual([[1], [2]]);
    await answer(1);
    expect(started()).toEqual([[1], [2], [3]]);
    await answer(2);
    expect(started()).toEqual([[1], [2], [3], [4]]);
    expect(isTaken()).toBe(true);
    void work.take(events(6));
    await answer(3);
    await answer(4);
    await answer(5);
    expect(checkpoints).toEqual([]);
    await answer(0);
    expect(checkpoints).toEqual([6]);
  });

  it('I4: finishing waits for what runs, starts nothing, and saves how far it came', async () => {
    const { clock, work, answer, checkpoints, started } = rig({ concurrency: 2 });
    void work.take(events(1, 2, 3, 4));
    await clock.settle();
    const isFinished = watch(work.finish());
    await answer(0);
    expect(isFinished()).toBe(false);
    await answer(1, lost('stopping'));
    expect(isFinished()).toBe(true);
    expect(started()).toEqual([[1], [2]]);
    expect(checkpoints).toEqual([1]);
    await work.take(events(9));
    expect(started()).toHaveLength(2);
  });

  it('I4: after a stop nothing is written: the partition is somebody else’s', async () => {
    const { clock, work, answer, checkpoints, started } = rig();
    const isTaken = watch(work.take(events(1, 2)));
    await clock.settle();
    work.stop();
    await answer(0);
    expect(isTaken()).toBe(true);
    expect(checkpoints).toEqual([]);
    await clock.runUntil(work.finish());
    expect(checkpoints).toEqual([]);
    expect(started()).toEqual([[1]]);
  });

  it('I5: a batch waits until it is large enough, but no longer than it may', async () => {
    const { clock, work, answer, started } = rig({ isBatch: true, minEvents: 3, maxEvents: 4, maxWaitMs: 10_000 });
    await work.take(events(1));
    await work.take(events(2));
    expect(started()).toEqual([]);
    void work.take(events(3, 4, 5));
    await clock.settle();
    expect(started()).toEqual([[1, 2, 3, 4]]);
    await answer(0);
    await clock.advance(9_999);
    expect(started()).toHaveLength(1);
    await clock.advance(1);
    expect(started()).toEqual([[1, 2, 3, 4], [5]]);
  });

  it('I1, I2, I3: for any outcomes every event ends in order, and no checkpoint passes one that has not', async () => {
    const outcome = fc.constantFrom(succeeded(), failed(), lost('worker-lost'), lost('timeout'));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 4 }),
        fc.array(outcome, { maxLength: 30 }),
        async (sizes, concurrency, outcomes) => {
          const { clock, work, runs, checkpoints } = rig({ concurrency });
          const ended = new Set<number>();
          let next = 0;
          const total = sizes.reduce((sum, size) => sum + size, 0);
          const feed = (async () => {
            for (const size of sizes) {
              await work.take(events(...Array.from({ length: size }, () => next++)));
            }
          })();
          for (let index = 0; ended.size < total; index += 1) {
            while (runs[index] === undefined) await clock.advance(60_000);
            const { kind } = outcomes[index] ?? succeeded();
            if (kind === 'succeeded' || kind === 'failed') ended.add(runs[index]?.numbers[0] ?? -1);
            runs[index]?.answer.resolve(outcomes[index] ?? succeeded());
            await clock.settle();
            const [last = -1] = checkpoints.slice(-1);
            for (let number = 0; number <= last; number += 1) expect(ended).toContain(number);
            expect(runs.filter((_, at) => at > index).length).toBeLessThanOrEqual(concurrency);
          }
          await clock.runUntil(feed);
          await clock.runUntil(work.finish());
          expect(checkpoints.at(-1)).toBe(total - 1);
          const firsts = [...new Set(runs.map(({ numbers }) => numbers[0]))];
          expect(firsts).toEqual(Array.from({ length: total }, (_, number) => number));
        },
      ),
      { numRuns: 100 },
    );
  });
});
