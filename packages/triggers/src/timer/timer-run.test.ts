import { parseSchedule, utcTimeZone } from '@switchyard/model';
import { describe, expect, it } from 'vitest';
import type { InvocationOutcome, LossReason } from '../contract.ts';
import { firstTry, planAfterRun, type TimerRun } from './timer-run.ts';

const timing = { schedule: parseSchedule('00:10:00'), zone: utcTimeZone };
const firedMs = 1_000_000;
const nextMs = firedMs + 600_000;
const retryAtMs = firedMs + 1_000;
const error = { invocationId: 'i', error: { message: '', stack: '', type: '' } };
const succeeded: InvocationOutcome = {
  kind: 'succeeded',
  invocationId: 'i',
  outputs: new Map(),
  returnValue: undefined,
};
const lost = (reason: LossReason): InvocationOutcome => ({ kind: 'lost', reason, ...error });
const run = firstTry(firedMs);

describe('planAfterRun', () => {
  it.each([
    succeeded,
    { kind: 'failed', ...error },
    { kind: 'cancelled', invocationId: 'i' },
    lost('timeout'),
  ] as InvocationOutcome[])('counts $kind as a run', (outcome) => {
    expect(planAfterRun(run, outcome, timing, firedMs, retryAtMs)).toEqual({
      status: { lastMs: firedMs, nextMs, lastUpdatedMs: firedMs },
      next: firstTry(nextMs),
    });
  });

  it.each(['worker-lost', 'no-worker', 'overloaded', 'stopping'] as LossReason[])('tries again after %s', (reason) => {
    const after = planAfterRun(run, lost(reason), timing, firedMs, retryAtMs);
    expect(after.status).toBeUndefined();
    expect(after.next).toMatchObject({ dueMs: retryAtMs, reason: 'IsPastDue', originalMs: firedMs, attempt: 1 });
  });

  it('keeps the first missed occurrence over tries', () => {
    const second: TimerRun = { dueMs: retryAtMs, reason: 'IsPastDue', originalMs: 5, attempt: 1, lostRuns: 0 };
    const after = planAfterRun(second, lost('no-worker'), timing, firedMs, retryAtMs);
    expect(after.next).toMatchObject({ originalMs: 5, attempt: 2 });
  });

  it('lets the next occurrence take over from a try that would come later', () => {
    const after = planAfterRun(run, lost('no-worker'), timing, firedMs, nextMs);
    expect(after).toEqual({ status: undefined, next: firstTry(nextMs) });
  });

  it('gives up on a run that took three workers down', () => {
    const third: TimerRun = { ...run, reason: 'IsPastDue', attempt: 2, lostRuns: 2 };
    const after = planAfterRun(third, lost('worker-lost'), timing, firedMs, retryAtMs);
    expect(after.status?.lastMs).toBe(firedMs);
    expect(after.next).toEqual(firstTry(nextMs));
    const patient: TimerRun = { ...third, attempt: 50 };
    expect(planAfterRun(patient, lost('no-worker'), timing, firedMs, retryAtMs).next?.dueMs).toBe(retryAtMs);
  });
});
