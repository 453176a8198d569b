import { describe, expect, it } from 'vitest';
import { act, advance } from './advance.ts';
import type { Verdict } from './judge.ts';
import { defaultGate, defaultSteps, type Rollout, weightsOf } from './rollout.ts';

const rollout = (state: Rollout['state'] = { kind: 'running', step: 0, sinceMs: 0 }): Rollout => ({
  ...{ applicationId: 'shop', strategy: 'canary', from: 'old', to: 'new', steps: defaultSteps('canary', 1_000) },
  ...{ gate: defaultGate, state, startedAtMs: 0, history: [], trafficRevision: 1, isSettled: false },
});

const good: Verdict = { kind: 'good', text: 'well' };
const bad: Verdict = { kind: 'bad', text: 'it fails' };

describe('advance', () => {
  it('I1: a bad verdict ends it at any step, at any time', () => {
    for (const step of [0, 1, 2, 3]) {
      const { state } = advance(rollout({ kind: 'running', step, sinceMs: 0 }), bad, 0);
      expect(state).toEqual({ kind: 'rolledBack', atMs: 0, reason: 'it fails' });
    }
  });

  it.each([
    [999, 0],
    [1_000, 1],
    [99_000, 1],
  ])('I2: after %i ms it is at step %i', (nowMs, step) => {
    expect(advance(rollout(), good, nowMs).state).toMatchObject({ kind: 'running', step });
    expect(advance(rollout(), { kind: 'unknown', text: 'few' }, nowMs).state).toMatchObject({ step });
  });

  it('I3: leaves alone what is over or paused', () => {
    for (const state of [
      { kind: 'paused', step: 1, reason: '' },
      { kind: 'promoted', atMs: 0 },
      { kind: 'aborted', atMs: 0 },
    ] as const) {
      const one = rollout(state);
      expect(advance(one, bad, 99_000)).toBe(one);
    }
  });

  it('I4: gives everything to the new version after the last step', () => {
    const done = advance(rollout({ kind: 'running', step: 3, sinceMs: 0 }), good, 1_000);
    expect([done.state.kind, weightsOf(done)]).toEqual(['promoted', [{ codeVersion: 'new', weight: 100 }]]);
  });
});

describe('act', () => {
  it('says why it does not do what makes no sense', () => {
    expect(act(rollout(), 'resume', 0)).toEqual({ kind: 'refused', reason: 'it is not paused' });
    expect(act(rollout({ kind: 'paused', step: 0, reason: '' }), 'pause', 0)).toMatchObject({ kind: 'refused' });
    expect(act(rollout({ kind: 'promoted', atMs: 0 }), 'abort', 0)).toMatchObject({ kind: 'refused' });
  });
});
