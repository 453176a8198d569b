import { silentLog } from '@switchyard/kernel';
import { VirtualClock } from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openSqliteStore } from '../store/sqlite-store.ts';
import { FakeFleet, type Fate } from '../testing/fake-fleet.ts';
import { nodeStack } from '../testing/fake-provider.ts';
import type { FleetRequest } from './fleet-state.ts';
import { confirmMs, scaleOut } from './scale-out.ts';

const request = (more: Partial<FleetRequest> = {}): FleetRequest => ({
  application: { applicationId: 'shop', metadataVersion: 'm1', codeVersion: 'c1' },
  ...{ tenantId: 'contoso', stack: nodeStack, region: undefined, isolation: 'shared', affinity: 'none' },
  ...{ homes: [], count: 1 },
  ...more,
});

function openRun() {
  const clock = new VirtualClock();
  const store = openSqliteStore(':memory:');
  const fleet = new FakeFleet(clock);
  const deps = (holder: string) => ({ clock, log: silentLog, store, fleet, holder });
  const run = (given: Partial<FleetRequest>, holder = 'one') => clock.runUntil(scaleOut(deps(holder), request(given)));
  const claims = async () => (await store.list('claim')).map(({ key }) => key);
  return { clock, store, fleet, deps, run, claims };
}

describe('scaleOut', () => {
  it('0 -> 1 takes a placeholder where it is, and has another one started', async () => {
    const { fleet, run, claims } = openRun();
    fleet.add('a', 3);
    expect(await run({})).toEqual({ workerIds: ['w1'], missing: 0, reason: undefined });
    expect([fleet.serving('shop').map(({ runtimeId }) => runtimeId), fleet.replenished, await claims()]).toEqual([
      ['a'],
      ['a 1'],
      [],
    ]);
  });

  it('1 -> N takes its own placeholders first, then those of others, which move', async () => {
    const { fleet, run } = openRun();
    fleet.add('a', 2);
    fleet.add('b', 2);
    const { workerIds, missing } = await run({ homes: ['a'], count: 3 });
    expect([workerIds, missing]).toEqual([['w1', 'w2', 'w3'], 0]);
    expect(fleet.serving('shop').map(({ runtimeId }) => runtimeId)).toEqual(['a', 'a', 'a']);
    // The one that moved is missing where it came from.
    expect(fleet.replenished).toEqual(['a 2', 'b 1']);
  });

  it('I4: returns what it got, and why that is less, also when nothing can be replenished', async () => {
    const { fleet, run } = openRun();
    fleet.replenishFails = true;
    fleet.add('a', 2);
    expect(await run({ homes: ['a'], count: 5 })).toEqual({
      workerIds: ['w1', 'w2'],
      missing: 3,
      reason: expect.stringMatching(/no .*placeholder.* of exactly node 24 x64 (is|are) warm/),
    });
    expect(await run({ homes: ['a'], count: 1 })).toMatchObject({ workerIds: [], missing: 1 });
  });

  it('I2: gives a worker up that is not confirmed in time, and takes another one', async () => {
    const { clock, fleet, run, claims } = openRun();
    fleet.add('a', 1, 'hangs');
    fleet.add('b', 1, 'does not move');
    fleet.add('c', 1);
    const startMs = clock.monotonic();
    expect(await run({ homes: ['a'], count: 2 })).toMatchObject({ missing: 1, workerIds: ['w3'] });
    expect(clock.monotonic() - startMs).toBeGreaterThanOrEqual(confirmMs);
    expect(fleet.workers.filter(({ isEnded }) => isEnded).map(({ workerId }) => workerId)).toEqual(['w1', 'w2']);
    expect(await claims()).toEqual([]);
  });

  it.each([
    ['untainted', false],
    ['tainted', true],
    ['throws', true],
  ] as const)('I3: a worker whose assignment failed %s is ended: %s', async (fate, isEnded) => {
    const { fleet, run, claims } = openRun();
    fleet.add('a', 1, fate);
    expect(await run({})).toMatchObject({ workerIds: [], missing: 1, reason: expect.any(String) });
    expect([fleet.workers[0]?.isEnded, await claims()]).toEqual([isEnded, []]);
  });

  it('I5: takes over the claim that a controller left behind, once it is old', async () => {
    const { clock, store, fleet, run } = openRun();
    fleet.add('a', 1);
    await store.write('claim', 'w1', { holder: 'gone', atMs: clock.now() }, 0);
    expect(await run({})).toMatchObject({ missing: 1, reason: 'others were faster' });
    await clock.advance(3 * confirmMs);
    expect(await run({})).toMatchObject({ workerIds: ['w1'] });
  });

  it('I1, I5: whatever fails, and whoever else wants the same, no worker has two apps and nothing leaks', async () => {
    const fate = fc.constantFrom<Fate>(
      'serves',
      'serves',
      'serves',
      'untainted',
      'tainted',
      'hangs',
      'throws',
      'does not move',
    );
    const wish = fc.record({ app: fc.integer({ min: 0, max: 2 }), count: fc.integer({ min: 1, max: 6 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fate), { maxLength: 14 }),
        fc.array(wish, { minLength: 2, maxLength: 5 }),
        async (workers, wishes) => {
          const { clock, fleet, deps, claims } = openRun();
          for (const [runtimeId, how] of workers) fleet.add(runtimeId, 1, how);
          const results = await clock.runUntil(
            Promise.all(
              wishes.map(({ app, count }, index) => {
                const application = { applicationId: `app-${app}`, metadataVersion: 'm1', codeVersion: 'c1' };
                return scaleOut(deps(`c${index % 2}`), request({ application, count }));
              }),
            ),
          );
          expect(fleet.assignedTwice).toEqual([]);
          const got = results.flatMap(({ workerIds }) => workerIds);
          expect(new Set(got).size).toBe(got.length);
          // Every worker serves who got it, waits, or has ended; and no claim is left.
          for (const worker of fleet.workers) {
            expect(got.includes(worker.workerId)).toBe(worker.application !== undefined && !worker.isEnded);
          }
          for (const [index, { workerIds, missing }] of results.entries()) {
            expect(workerIds.length + missing).toBe(wishes[index]?.count);
          }
          expect(await claims()).toEqual([]);
          expect(clock.pendingTimers).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });
});
