import type { Trace } from '@switchyard/protocol/control-api';

/** A roll-out: how the traffic of an app goes from one version to another, step by step. */
export interface Rollout {
  readonly applicationId: string;
  readonly strategy: RolloutStrategy;
  /** The version that had the traffic, and gets it back when the new one does not do well. */
  readonly from: string;
  readonly to: string;
  readonly steps: readonly RolloutStep[];
  readonly gate: HealthGate;
  readonly state: RolloutState;
  readonly startedAtMs: number;
  /** What has happened, oldest first. */
  readonly history: readonly RolloutEvent[];
  /** The revision of the traffic that was there before the last change of this roll-out. */
  readonly trafficRevision: number;
  /** The trace of the request that it, and all that follows from it, is a part of. */
  readonly trace?: Trace;
  /** True once it is over and the traffic is what it wants. */
  readonly isSettled: boolean;
}

/** `canary`: a growing share goes to the new version. `blueGreen`: all of it at once, and all of it back when that is bad. */
export type RolloutStrategy = 'canary' | 'blueGreen';

export interface RolloutStep {
  /** Percent of the traffic for the new version. */
  readonly weight: number;
  /** How long the new version must do well with it. */
  readonly holdMs: number;
}

/** When a new version counts as bad. */
export interface HealthGate {
  /** It may fail so much more often than the old one: 0.02 are two of a hundred. */
  readonly maxErrorRateIncrease: number;
  /** Its p99 may be so many times that of the old one. */
  readonly maxP99Ratio: number;
  /** Fewer calls than that say nothing. */
  readonly minimumCalls: number;
}

export type RolloutState =
  | { readonly kind: 'running'; readonly step: number; readonly sinceMs: number }
  | { readonly kind: 'paused'; readonly step: number; readonly reason: string }
  | { readonly kind: 'promoted'; readonly atMs: number }
  | { readonly kind: 'rolledBack'; readonly atMs: number; readonly reason: string }
  /** Ended by a person; the old version has the traffic. */
  | { readonly kind: 'aborted'; readonly atMs: number }
  /** Somebody changed the traffic by hand: it stays as they want it. */
  | { readonly kind: 'superseded'; readonly atMs: number };

export interface RolloutEvent {
  readonly atMs: number;
  readonly text: string;
}

export const defaultGate: HealthGate = { maxErrorRateIncrease: 0.02, maxP99Ratio: 2, minimumCalls: 20 };

/** Events that a roll-out keeps. */
const maxEvents = 50;

export function defaultSteps(strategy: RolloutStrategy, holdMs: number): readonly RolloutStep[] {
  const weights = strategy === 'canary' ? [5, 25, 50, 100] : [100];
  return weights.map((weight) => ({ weight, holdMs }));
}

export function isOver({ state }: Pick<Rollout, 'state'>): boolean {
  return state.kind !== 'running' && state.kind !== 'paused';
}

/** The weights that a roll-out wants at the moment; undefined when they are no business of its. */
export function weightsOf(rollout: Rollout): readonly { codeVersion: string; weight: number }[] | undefined {
  const { state, from, to, steps } = rollout;
  switch (state.kind) {
    case 'running':
    case 'paused': {
      const weight = steps[state.step]?.weight ?? 0;
      return split(from, to, weight);
    }
    case 'promoted':
      return split(from, to, 100);
    case 'rolledBack':
    case 'aborted':
      return split(from, to, 0);
    case 'superseded':
      return undefined;
  }
}

function split(from: string, to: string, weight: number): { codeVersion: string; weight: number }[] {
  const shares = [
    { codeVersion: to, weight },
    { codeVersion: from, weight: 100 - weight },
  ];
  return shares.filter((share) => share.weight > 0);
}

export function withEvent(rollout: Rollout, atMs: number, text: string): Rollout {
  return { ...rollout, history: [...rollout.history, { atMs, text }].slice(-maxEvents) };
}
