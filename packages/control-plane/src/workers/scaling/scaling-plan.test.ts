import type { ScalingPolicy, ScalingState } from '@switchyard/protocol/control-api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planScaling, type ScalingSight } from './scaling-plan.ts';

const policy: ScalingPolicy = {
  ...{ serviceId: 's', tenantId: 't', environmentId: 'e', minReplicas: 1, maxReplicas: 10 },
  metrics: [{ metric: 'queue', target: 10 }],
  ...{ tolerancePercent: 10, upCooldownMs: 60_000, downCooldownMs: 300_000, downStabilisationMs: 120_000 },
};

const now = 10_000_000;

function stateOf(replicas: number, more: Partial<ScalingState> = {}): ScalingState {
  const of = { serviceId: 's', tenantId: 't', environmentId: 'e', reason: '' };
  return { ...of, replicas, lastUpAt: 0, lastDownAt: 0, ...more };
}

function sight(replicas: number, queue: number | undefined, more: Partial<ScalingSight> = {}): ScalingSight {
  return {
    ...{ policy, measured: new Map([['queue', queue]]), health: 'healthy', quota: 100, lowSinceMs: 0 },
    service: { replicas, limits: { minReplicas: replicas } },
    state: stateOf(replicas),
    ...more,
  };
}

describe('planScaling', () => {
  it.each<[string, ScalingSight, Partial<ReturnType<typeof planScaling>>]>([
    ['more than the target', sight(2, 25), { replicas: 5, isChange: true }],
    ['at the target', sight(2, 10), { replicas: 2, isChange: false }],
    ['within the tolerance', sight(2, 10.9), { replicas: 2, isChange: false }],
    ['less than the target for long enough', sight(4, 5), { replicas: 2, isChange: true }],
    [
      'less, but only just now',
      sight(4, 5, { lowSinceMs: now - 1_000 }),
      { replicas: 4, isChange: false, isLow: true, wakeAtMs: now + 119_000 },
    ],
    ['less, for the first time', sight(4, 5, { lowSinceMs: undefined }), { replicas: 4, isChange: false, isLow: true }],
    ['nothing measured', sight(4, undefined), { replicas: 4, isChange: false, isLow: false }],
    ['unhealthy never goes down', sight(4, 5, { health: 'unhealthy' }), { replicas: 4, isChange: false, isLow: false }],
    ['unhealthy goes up', sight(2, 25, { health: 'unhealthy' }), { replicas: 5, isChange: true }],
    ['never above the policy', sight(8, 100), { replicas: 10, isChange: true }],
    ['never below the policy', sight(4, 0), { replicas: 1, isChange: true }],
    ['never above the quota', sight(2, 100, { quota: 3 }), { replicas: 3, isChange: true }],
    [
      'back within the quota at once',
      sight(8, 10, { quota: 3, lowSinceMs: undefined }),
      { replicas: 3, isChange: true },
    ],
    [
      'just scaled up',
      sight(2, 25, { state: stateOf(2, { lastUpAt: now - 10_000 }) }),
      { replicas: 2, isChange: false, wakeAtMs: now + 50_000 },
    ],
    [
      'just scaled down',
      sight(4, 5, { state: stateOf(4, { lastDownAt: now - 10_000 }) }),
      { replicas: 4, isChange: false, wakeAtMs: now + 290_000 },
    ],
    [
      'from nothing to the first',
      sight(0, 5, { policy: { ...policy, minReplicas: 0 } }),
      { replicas: 1, isChange: true },
    ],
    [
      'the highest of several',
      sight(2, 5, {
        policy: { ...policy, metrics: [...policy.metrics, { metric: 'cpu', target: 50 }] },
        measured: new Map([
          ['queue', 5],
          ['cpu', 100],
        ]),
      }),
      { replicas: 4, isChange: true },
    ],
    [
      'one metric that is missing holds',
      sight(4, 5, { policy: { ...policy, metrics: [...policy.metrics, { metric: 'cpu', target: 50 }] } }),
      { replicas: 4, isChange: false },
    ],
    [
      'another throughput alone',
      sight(2, 10, { policy: { ...policy, concurrency: 8 } }),
      { replicas: 2, concurrency: 8, isChange: true },
    ],
    ['a policy that is new is taken up once', sight(2, 10, { state: undefined }), { replicas: 2, isChange: true }],
  ])('%s', (_, given, expected) => {
    expect(planScaling(given, now)).toMatchObject(expected);
  });

  it('never leaves the limits, and never goes down without a measurement', () => {
    fc.assert(
      fc.property(
        fc.nat(50),
        fc.option(fc.double({ min: 0, max: 1_000, noNaN: true }), { nil: undefined }),
        fc.integer({ min: 1, max: 20 }),
        (replicas, queue, quota) => {
          const decision = planScaling(sight(replicas, queue, { quota }), now);
          const maximum = Math.min(policy.maxReplicas, quota);
          if (decision.isChange) expect(decision.replicas).toBeLessThanOrEqual(maximum);
          if (queue === undefined && replicas <= maximum)
            expect(decision.replicas).toBeGreaterThanOrEqual(Math.min(replicas, maximum));
        },
      ),
    );
  });
});
