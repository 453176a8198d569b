/**
 * Takes a roll-out further: one pure function of where it stands, how the versions do, and the time.
 *
 * I1 A verdict that is bad ends the roll-out at once, whatever step it is at, and the old version has everything.
 * I2 A step is left only after its time, and only forward.
 * I3 A roll-out that is over or paused stays as it is.
 * I4 After the last step the new version has everything.
 */
import type { Verdict } from './judge.ts';
import { type Rollout, withEvent } from './rollout.ts';

export function advance(rollout: Rollout, verdict: Verdict, nowMs: number): Rollout {
  const { state, steps } = rollout;
  if (state.kind !== 'running') return rollout;
  if (verdict.kind === 'bad') {
    const reason = verdict.text;
    return withEvent(
      { ...rollout, state: { kind: 'rolledBack', atMs: nowMs, reason } },
      nowMs,
      `rolled back: ${reason}`,
    );
  }
  const step = steps[state.step];
  if (step !== undefined && nowMs - state.sinceMs < step.holdMs) return rollout;
  const next = steps[state.step + 1];
  if (next === undefined) {
    return withEvent({ ...rollout, state: { kind: 'promoted', atMs: nowMs } }, nowMs, `promoted: ${verdict.text}`);
  }
  const moved: Rollout = { ...rollout, state: { kind: 'running', step: state.step + 1, sinceMs: nowMs } };
  return withEvent(moved, nowMs, `${next.weight} %: ${verdict.text}`);
}

/** What a person may do with a roll-out. */
export type RolloutAction = 'pause' | 'resume' | 'promote' | 'abort';

export type ActionOutcome =
  | { readonly kind: 'done'; readonly rollout: Rollout }
  | { readonly kind: 'refused'; readonly reason: string };

export function act(rollout: Rollout, action: RolloutAction, nowMs: number): ActionOutcome {
  const { state } = rollout;
  if (state.kind !== 'running' && state.kind !== 'paused') {
    return { kind: 'refused', reason: `it is over: ${state.kind}` };
  }
  const done = (next: Rollout['state'], text: string): ActionOutcome => ({
    kind: 'done',
    rollout: withEvent({ ...rollout, state: next }, nowMs, text),
  });
  switch (action) {
    case 'pause':
      if (state.kind === 'paused') return { kind: 'refused', reason: 'it is paused already' };
      return done({ kind: 'paused', step: state.step, reason: 'by hand' }, 'paused');
    case 'resume':
      if (state.kind === 'running') return { kind: 'refused', reason: 'it is not paused' };
      return done({ kind: 'running', step: state.step, sinceMs: nowMs }, 'resumed');
    case 'promote':
      return done({ kind: 'promoted', atMs: nowMs }, 'promoted by hand');
    case 'abort':
      return done({ kind: 'aborted', atMs: nowMs }, 'aborted by hand');
  }
}
