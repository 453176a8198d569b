import type { RollOutState, RollOutStrategy } from '@switchyard/protocol/control-api';
import { describe, expect, it } from 'vitest';
import { sampleDeployment } from '../../testing/state-contract.ts';
import { planRollOut } from './roll-out-plan.ts';
import { sharesOf, stagesOf } from './stages.ts';
import { advance, finalStates, rollOutEdges } from './transitions.ts';

const canary: RollOutStrategy = { kind: 'canary', steps: [5, 25] };
const seen = { observed: undefined, health: 'healthy' } as const;

describe('stagesOf', () => {
  it.each<[RollOutStrategy, boolean, readonly number[]]>([
    [{ kind: 'rolling', batches: 4 }, false, [25, 50, 75, 100]],
    [{ kind: 'rolling', batches: 3 }, false, [33, 67, 100]],
    [{ kind: 'rolling', batches: 1 }, false, [100]],
    [{ kind: 'blue-green' }, false, [0, 100]],
    [canary, false, [5, 25, 100]],
    [canary, true, [100]],
  ])('%j, first %s: %j', (strategy, isFirst, stages) => {
    expect(stagesOf(strategy, isFirst)).toEqual(stages);
  });

  it('gives shares that add up to 100', () => {
    expect(sharesOf('v2', 5, 'v1')).toEqual([
      { version: 'v2', weight: 5 },
      { version: 'v1', weight: 95 },
    ]);
    expect(sharesOf('v2', 0, 'v1')[0]).toEqual({ version: 'v2', weight: 0 });
    for (const previous of [undefined, 'v2'])
      expect(sharesOf('v2', 5, previous)).toEqual([{ version: 'v2', weight: 100 }]);
    expect(sharesOf('v2', 100, 'v1')).toEqual([{ version: 'v2', weight: 100 }]);
  });
});

describe('planRollOut', () => {
  const plan = (
    state: RollOutState,
    more: Parameters<typeof sampleDeployment>[1] = {},
    sight: Parameters<typeof planRollOut>[1] = seen,
  ) =>
    planRollOut(sampleDeployment('shop', { strategy: canary, previousVersion: 'v0', ...more, state }), sight, 10_000);
  const at = (index: number, since = 9_500) => ({ stage: { index, since } });

  it.each([
    ['requested', {}, { kind: 'begin', previousVersion: 'v0', shares: [] }],
    ['provisioning', {}, { kind: 'provision' }],
    ['configuring', {}, { kind: 'configure' }],
    ['rolling-out', at(0), { kind: 'shift', stage: 0, percent: 5 }],
    ['rolling-out', at(2), { kind: 'shift', stage: 2, percent: 100 }],
    ['rolling-out', { mode: 'restart' }, { kind: 'restart' }],
    ['health-gating', at(0), { kind: 'wait', untilMs: 10_500 }],
    ['health-gating', at(0, 9_000), { kind: 'pass-gate', stage: 0, isLast: false }],
    ['health-gating', at(2, 9_000), { kind: 'pass-gate', stage: 2, isLast: true }],
    ['health-gating', { ...at(0, 0), mode: 'restart' }, { kind: 'pass-gate', stage: 0, isLast: true }],
    ['promoting', {}, { kind: 'promote' }],
    ['rolling-back', {}, { kind: 'roll-back', to: 'v0' }],
    ['rolling-back', { previousVersion: 'v1' }, { kind: 'clean-up' }],
    ['completed', {}, { kind: 'none' }],
    ['rolled-back', {}, { kind: 'none' }],
    ['failed', {}, { kind: 'none' }],
  ] as const)('%s %j: %j', (state, more, action) => {
    expect(plan(state, more)).toEqual(action);
  });

  it('a bad sign ends a gate at once, no sign at all does not', () => {
    expect(plan('health-gating', at(0), { ...seen, health: 'unhealthy' })).toMatchObject({ kind: 'fail-gate' });
    expect(plan('health-gating', at(0, 0), { ...seen, health: 'unknown' })).toMatchObject({ kind: 'pass-gate' });
  });

  it('waits no longer than the gate', () => {
    expect(plan('health-gating', { ...at(0, 9_990), gateMs: 100 })).toEqual({ kind: 'wait', untilMs: 10_090 });
  });

  it('takes what has the traffic for the version before', () => {
    const { previousVersion: _, ...first } = sampleDeployment('shop');
    const observed = { ...{ serviceId: 'shop', componentType: 'app', version: 'v7', weights: [], replicas: 1 } };
    const sight = { health: 'unknown', observed: { ...observed, limits: {}, status: 'running' } } as const;
    expect(planRollOut(first, sight, 0)).toEqual({ kind: 'begin', previousVersion: 'v7', shares: [] });
    expect(planRollOut(first, { ...seen }, 0)).toEqual({ kind: 'begin', previousVersion: undefined, shares: [] });
  });
});

describe('advance', () => {
  it('takes the edges of the table and no other', () => {
    const states = Object.keys(rollOutEdges) as RollOutState[];
    for (const from of states) {
      for (const to of states) {
        const step = () => advance(sampleDeployment('shop', { state: from }), { to, step: 's', nowMs: 5 });
        if (rollOutEdges[from].includes(to)) expect(step()).toMatchObject({ state: to, steps: [{ name: 's', at: 5 }] });
        else expect(step).toThrow(`no edge from ${from} to ${to}`);
      }
    }
  });

  it('every state leads to an end', () => {
    for (const from of Object.keys(rollOutEdges) as RollOutState[]) {
      const seenStates = new Set<RollOutState>([from]);
      const queue: RollOutState[] = [from];
      for (let state = queue.shift(); state !== undefined; state = queue.shift()) {
        for (const next of rollOutEdges[state]) {
          if (!seenStates.has(next)) queue.push(next);
          seenStates.add(next);
        }
      }
      expect([...finalStates].some((end) => seenStates.has(end))).toBe(true);
    }
  });

  it('counts the tries of a step and tells the end', () => {
    const once = advance(sampleDeployment('shop'), { to: 'provisioning', step: 'begin', nowMs: 1 });
    const failed = advance(once, { to: 'failed', step: 'begin', nowMs: 2, reason: 'x'.repeat(2_000) });
    expect(failed).toMatchObject({ finishedAt: 2, steps: [{ attempt: 1 }, { attempt: 2 }] });
    expect(failed.reason).toHaveLength(1_000);
  });
});
