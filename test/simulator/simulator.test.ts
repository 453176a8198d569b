/** A thousand small worlds under faults. `SWITCHYARD_SEED=<seed>` runs a single one again. */
import { chooseSeeds, describeFailedSeed } from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import { runSeed, type SimulatedRun } from './run-seed.ts';
import { simulatedFaults } from './simulated-faults.ts';
import type { InjectedBugs } from './simulated-world.ts';

const testFile = 'test/simulator/simulator.test.ts';

const seeds = chooseSeeds(process.env, 1_000);

/** Seeds in one test: few enough for its time limit on a machine under load. */
const seedsPerTest = 50;

const batches = Array.from({ length: Math.ceil(seeds.length / seedsPerTest) }, (_, index) =>
  seeds.slice(index * seedsPerTest, (index + 1) * seedsPerTest),
).map((batch) => ({ batch, first: batch[0], last: batch.at(-1) }));

describe('the platform under faults', () => {
  const struck = new Set<string>();
  const answers = new Set<string>();

  test.each(batches)('keeps its books straight with the seeds $first to $last', async ({ batch }) => {
    for (const seed of batch) {
      const run = await runSeed(seed);
      if (run.violations.length > 0) expect.fail(describeFailedSeed(run, testFile));
      expect(run.accepted).toBeGreaterThan(0);
      for (const fault of run.faults) struck.add(fault);
      for (const answer of run.answered.keys()) answers.add(answer);
    }
  });

  test.runIf(seeds.length > 1)('met every fault, and every kind of answer', () => {
    expect([...struck].sort()).toEqual(simulatedFaults.map(({ name }) => name).sort());
    expect([...answers]).toEqual(expect.arrayContaining(['200', '500', '503', 'connection broke']));
  });
});

describe('the simulator itself', () => {
  test('does the same again with the same seed, and something else with another', async () => {
    const [first, again, other] = [await runSeed(42), await runSeed(42), await runSeed(43)];
    expect(again.events).toEqual(first.events);
    expect(other.events).not.toEqual(first.events);
  });

  const bugs: readonly { readonly what: string; readonly bug: InjectedBugs; readonly finding: RegExp }[] = [
    {
      what: 'a request that is swallowed',
      bug: { handleRequest: () => () => {} },
      finding: /was never answered/,
    },
    {
      what: 'a request that is answered twice',
      bug: {
        handleRequest: (handle) => (request, response) => {
          handle(request, response);
          response.once('finish', () => response._final(() => {}));
        },
      },
      finding: /was answered 2 times: /,
    },
    {
      what: 'a message that is dropped',
      bug: { loseMessage: (messageId) => messageId.endsWith('0') },
      finding: /was never processed/,
    },
    {
      what: 'a delivery that is settled twice',
      bug: {
        settle(delivery) {
          delivery.complete();
          delivery.abandon();
        },
      },
      finding: /was completed, and then abandoned as well/,
    },
    {
      what: 'a delivery that nobody settles',
      bug: { settle: () => {} },
      finding: /was never completed/,
    },
    {
      what: 'a worker that is specialized for another app',
      bug: { specializeAs: () => 'app-1' },
      finding: /ran on a worker of app-1/,
    },
  ];

  test.each(bugs)('finds $what', async ({ bug, finding }) => {
    const runs: SimulatedRun[] = [];
    for (const seed of [1, 2, 3]) runs.push(await runSeed(seed, bug));
    expect(runs.flatMap(({ violations }) => violations).join('\n')).toMatch(finding);
  });
});
