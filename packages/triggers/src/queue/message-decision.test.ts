import { describe, expect, it } from 'vitest';
import type { InvocationOutcome, LossReason } from '../contract.ts';
import { failed, lost, succeeded } from '../testing/scripted-invoke.ts';
import { decideAfterRun, decideSpent, isSpent } from './message-decision.ts';

const limits = { maxDequeueCount: 5, visibilityTimeoutMs: 7_000 };

function decide(outcome: InvocationOutcome, dequeueCount = 1, hasPoisonQueue = true): unknown {
  return decideAfterRun(outcome, { dequeueCount }, limits, hasPoisonQueue);
}

describe('decideAfterRun', () => {
  it('deletes what succeeded, at any count', () => {
    expect(decide(succeeded())).toEqual({ kind: 'delete' });
    expect(decide(succeeded(), 5)).toEqual({ kind: 'delete' });
  });

  it('releases what failed until the last try, then calls it poison', () => {
    expect(decide(failed())).toEqual({ kind: 'release', visibilityMs: 7_000 });
    expect(decide(failed(), 4)).toEqual({ kind: 'release', visibilityMs: 7_000 });
    expect(decide(failed(), 5)).toEqual({ kind: 'poison' });
  });

  it('leaves what failed invisible where there is no poison queue', () => {
    expect(decide(failed(), 1, false)).toEqual({ kind: 'leave' });
    expect(decide(failed(), 5, false)).toEqual({ kind: 'leave' });
  });

  it.each(['worker-lost', 'timeout', 'stopping'] as LossReason[])(
    'abandons what was lost by %s, never poison',
    (reason) => {
      expect(decide(lost(reason), 5)).toEqual({ kind: 'release', visibilityMs: 0 });
    },
  );

  it.each(['no-worker', 'overloaded'] as LossReason[])('holds what did not begin: %s', (reason) => {
    expect(decide(lost(reason), 5)).toEqual({ kind: 'hold' });
  });

  it('abandons what was cancelled', () => {
    expect(decide({ kind: 'cancelled', invocationId: 'i' }, 5)).toEqual({ kind: 'release', visibilityMs: 0 });
  });
});

describe('a spent message', () => {
  it('is one received more often than allowed', () => {
    expect(isSpent({ dequeueCount: 5 }, limits)).toBe(false);
    expect(isSpent({ dequeueCount: 6 }, limits)).toBe(true);
  });

  it('is poison where there is a queue for it', () => {
    expect(decideSpent(true)).toEqual({ kind: 'poison' });
    expect(decideSpent(false)).toEqual({ kind: 'leave' });
  });
});
