import { describe, expect, it } from 'vitest';
import { createFleetApp, type Stay } from './fleet-app.ts';
import { planReturn } from './plan-return.ts';

const untilMs = 1_000;

function open(remembered: readonly string[], stays: Readonly<Record<string, Stay['state']>>) {
  const app = createFleetApp('shop', remembered, untilMs);
  for (const [id, state] of Object.entries(stays)) app.stays.set(id, { state, idleSinceMs: undefined });
  return app;
}

const there = () => true;
const away = () => false;

describe('planReturn', () => {
  it.each([
    ['nothing is remembered', open([], { local: 'serving' }), there, 0, { kind: 'over' }],
    ['it is there', open(['r2', 'local'], { r2: 'serving' }), there, 0, { kind: 'over' }],
    ['that is not there yet', open(['r2'], { local: 'serving' }), away, untilMs - 1, { kind: 'waits' }],
    ['that did not come in time', open(['r2'], { local: 'serving' }), away, untilMs, { kind: 'over' }],
    ['that is there', open(['r2'], { local: 'serving' }), there, untilMs, { kind: 'enter', runtimeId: 'r2' }],
    ['it is on its way', open(['r2'], { local: 'serving', r2: 'entering' }), there, 0, { kind: 'waits' }],
    [
      'it is served there again',
      open(['r2', 'r3'], { local: 'serving', r3: 'serving', r4: 'leaving', r2: 'serving' }),
      there,
      0,
      { kind: 'settle', runtimeId: 'r2', leave: ['local'] },
    ],
  ] as const)('when %s', (_, app, mayBe, nowMs, plan) => {
    expect(planReturn(app, mayBe, nowMs)).toEqual(plan);
  });
});
