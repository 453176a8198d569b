import { describe, expect, it } from 'vitest';
import type { InvocationOutcome } from '../contract.ts';
import { failed, lost, succeeded } from '../testing/scripted-invoke.ts';
import { decideDelivery, requeueCountHeader } from './delivery-decision.ts';

const cancelled: InvocationOutcome = { kind: 'cancelled', invocationId: 'i' };
const counted = (count: unknown) => ({ headers: { other: 'x', [requeueCountHeader]: count } });

describe('decideDelivery', () => {
  it.each([
    ['acknowledge', succeeded()],
    ['republish', failed()],
    ['republish', lost('worker-lost')],
    ['republish', lost('timeout')],
    ['give-back', lost('no-worker')],
    ['give-back', lost('overloaded')],
    ['give-back', lost('stopping')],
    ['give-back', cancelled],
  ])('%s', (kind, outcome) => {
    expect(decideDelivery(outcome, { headers: {} }).kind).toBe(kind);
  });

  it.each([
    [undefined, 1],
    [1, 2],
    [3, 4],
    ['7', 1],
    [-2, 1],
    [1.5, 1],
  ])('counts one more than %j', (count, next) => {
    const headers = { other: 'x', [requeueCountHeader]: next };
    expect(decideDelivery(failed(), counted(count))).toEqual({ kind: 'republish', headers });
  });

  it.each([4, 5, 1_000])('rejects after %j', (count) => {
    expect(decideDelivery(failed(), counted(count))).toEqual({ kind: 'reject' });
  });
});
