import assert from 'node:assert/strict';
import type { ConformanceCase } from '../contract.ts';

const section = '13 Retry and timeout';

interface Try {
  readonly invocationId: string;
  readonly retry: { readonly retryCount: number; readonly maxRetryCount: number } | null;
}

const outcomes: readonly (readonly [policy: string, failures: number, status: number, tries: number])[] = [
  ['none', 0, 200, 1],
  ['none', 1, 500, 1],
  ['fixed', 0, 200, 1],
  ['fixed', 1, 200, 2],
  ['fixed', 2, 200, 3],
  ['fixed', 3, 500, 3],
  ['exponential', 1, 200, 2],
  ['exponential', 3, 200, 4],
  ['exponential', 4, 500, 4],
  ['forever', 7, 200, 8],
];
const outcomeCases = outcomes.map(
  ([policy, failures, status, tries]): ConformanceCase => ({
    section,
    name: `${policy}: ${failures} failures end with ${status} after ${tries} tries`,
    async run(kit) {
      const key = kit.unique();
      assert.equal((await kit.function(`retry/${policy}/${key}/${failures}`)).status, status);
      assert.equal((await kit.notesSoFar(key)).length, tries);
    },
  }),
);

export const retryCases: readonly ConformanceCase[] = [
  ...outcomeCases,
  {
    section,
    name: 'the retry context is there from the first try on, and counts',
    async run(kit) {
      const tries = (await kit.function(`retry/fixed/${kit.unique()}/2`)).json() as Try[];
      assert.deepEqual(
        tries.map(({ retry }) => [retry?.retryCount, retry?.maxRetryCount]),
        [0, 1, 2].map((count) => [count, 2]),
      );
    },
  },
  {
    section,
    name: 'there is no retry context without a policy',
    async run(kit) {
      const tries = (await kit.function(`retry/none/${kit.unique()}/0`)).json() as Try[];
      assert.equal(tries[0]?.retry, null);
    },
  },
  {
    section,
    name: 'over HTTP every try has an id of its own',
    async run(kit) {
      const tries = (await kit.function(`retry/fixed/${kit.unique()}/2`)).json() as Try[];
      assert.equal(new Set(tries.map(({ invocationId }) => invocationId)).size, 3);
    },
  },
  {
    section,
    name: 'tries that a listener started keep their id, and count as one delivery',
    needs: ['storage'],
    async run(kit) {
      const kitKey = kit.unique();
      await kit.storage.send('kit-retries', { kitKey, failures: 2 });
      const tries = (await kit.notes(kitKey, 3)) as (Try & { dequeueCount: unknown })[];
      assert.equal(new Set(tries.map(({ invocationId }) => invocationId)).size, 1);
      assert.deepEqual(
        tries.map(({ dequeueCount }) => Number(dequeueCount)),
        [1, 1, 1],
      );
    },
  },
  {
    section,
    name: 'a message whose tries are spent is delivered again',
    needs: ['storage'],
    async run(kit) {
      const kitKey = kit.unique();
      await kit.storage.send('kit-retries', { kitKey, failures: 4 });
      const tries = (await kit.notes(kitKey, 5)) as (Try & { dequeueCount: unknown })[];
      assert.deepEqual(
        tries.map(({ dequeueCount }) => Number(dequeueCount)),
        [1, 1, 1, 2, 2],
      );
    },
  },
  {
    section,
    name: 'a function that takes longer than functionTimeout is 500 without a word, and the app goes on',
    isDisruptive: true,
    async run(kit) {
      const late = await kit.function('slow/60000');
      assert.deepEqual([late.status, late.text], [500, '']);
      assert.equal((await kit.function('named_byItself')).status, 200);
    },
  },
];
