import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RuntimePlace } from './fleet-state.ts';
import { type PlacementRules, planPlacement, planReHoming, runtimesFor } from './plan-placement.ts';

const rules: PlacementRules = { maxWorkersPerRuntime: 20, minimumRuntimes: 1, maximumRuntimes: 10 };

const runtime = (runtimeId: string, connectedCount: number, more: Partial<RuntimePlace> = {}): RuntimePlace => ({
  ...{ runtimeId, endpoint: '', region: undefined, maxWorkers: 20, connectedCount, tenantIds: [] },
  ...{ dedicatedTo: undefined, state: 'ready' },
  ...more,
});

describe('runtimesFor', () => {
  it.each([
    [0, 1],
    [1, 1],
    [20, 1],
    [21, 2],
    [40, 2],
    [41, 3],
    [999, 10],
  ])('%i workers need %i', (workers, expected) => {
    expect(runtimesFor(workers, rules)).toBe(expected);
  });
});

describe('planPlacement', () => {
  it('starts what is missing, and fills those there are evenly', () => {
    expect(planPlacement(40, [runtime('a', 18)], undefined, rules)).toEqual([
      { kind: 'start-runtime', region: undefined },
      { kind: 'place-placeholders', runtimeId: 'a', count: 2 },
    ]);
    expect(planPlacement(30, [runtime('a', 4), runtime('b', 10)], undefined, rules)).toEqual([
      { kind: 'place-placeholders', runtimeId: 'a', count: 11 },
      { kind: 'place-placeholders', runtimeId: 'b', count: 5 },
    ]);
  });

  it('drains the emptiest that nobody needs, and none that serves', () => {
    const three = [runtime('a', 3, { tenantIds: ['contoso'] }), runtime('b', 5), runtime('c', 1)];
    expect(planPlacement(5, three, undefined, rules)).toEqual([
      { kind: 'drain-runtime', runtimeId: 'c' },
      { kind: 'drain-runtime', runtimeId: 'b' },
      { kind: 'place-placeholders', runtimeId: 'a', count: 2 },
    ]);
  });

  it('counts a region for itself, and only what is ready', () => {
    const others = [runtime('a', 0, { region: 'south' }), runtime('b', 0, { state: 'lost' })];
    expect(planPlacement(5, others, undefined, rules)).toEqual([{ kind: 'start-runtime', region: undefined }]);
  });

  it('never plans more than a Runtime takes, and comes to rest when it was done', () => {
    const count = fc.integer({ min: 0, max: 25 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 120 }), fc.array(count, { maxLength: 6 }), (workers, counts) => {
        const runtimes = counts.map((connected, index) => runtime(`r${index}`, Math.min(20, connected)));
        let now = runtimes;
        for (let round = 0; round < 3; round += 1) {
          let added = 0;
          for (const action of planPlacement(workers, now, undefined, rules)) {
            if (action.kind === 'start-runtime') {
              added += 1;
              now = [...now, runtime(`new${round}-${added}`, 0)];
            } else if (action.kind === 'drain-runtime') {
              now = now.filter(({ runtimeId }) => runtimeId !== action.runtimeId);
            } else {
              now = now.map((one) =>
                one.runtimeId === action.runtimeId
                  ? { ...one, connectedCount: one.connectedCount + action.count }
                  : one,
              );
            }
          }
          for (const { connectedCount, maxWorkers } of now) expect(connectedCount).toBeLessThanOrEqual(maxWorkers);
        }
        expect(planPlacement(workers, now, undefined, rules)).toEqual([]);
      }),
    );
  });
});

describe('planReHoming', () => {
  const app = (applicationId: string, spread: Record<string, number>, listensOn: string | undefined) => ({
    applicationId,
    workersByRuntime: new Map(Object.entries(spread)),
    listensOn,
  });

  it('replaces lost workers, and lets listeners run on one Runtime only', () => {
    const apps = [
      app('alone', { a: 2 }, 'a'),
      app('spread', { a: 1, b: 3, c: 2 }, 'a'),
      app('elsewhere', { a: 1, b: 1 }, 'b'),
      app('safe', { b: 4 }, 'b'),
    ];
    expect(planReHoming('a', apps)).toEqual([
      { applicationId: 'alone', workers: 2, listensOn: undefined },
      { applicationId: 'spread', workers: 1, listensOn: 'b' },
      { applicationId: 'elsewhere', workers: 1, listensOn: 'b' },
    ]);
  });
});
