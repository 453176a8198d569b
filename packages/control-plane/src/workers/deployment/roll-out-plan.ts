/** What a deployment has to do next. Pure: the record, what was seen and the time in; one action out. */
import type { ObservedService, RuntimeDeployment, TrafficShare } from '@switchyard/protocol/control-api';
import type { VersionHealth } from '../../targets/contract.ts';
import { stagesOf } from './stages.ts';

/** What was seen at the target and in the records. */
export interface RollOutSight {
  /** Undefined when the target has no such service yet. */
  readonly observed: ObservedService | undefined;
  /** Of the new version, by the target and by the probes. */
  readonly health: VersionHealth;
}

export type RollOutAction =
  | { readonly kind: 'begin'; readonly previousVersion: string | undefined; readonly shares: readonly TrafficShare[] }
  | { readonly kind: 'provision' }
  | { readonly kind: 'configure' }
  | { readonly kind: 'restart' }
  | { readonly kind: 'shift'; readonly stage: number; readonly percent: number }
  | { readonly kind: 'wait'; readonly untilMs: number }
  | { readonly kind: 'pass-gate'; readonly stage: number; readonly isLast: boolean }
  | { readonly kind: 'fail-gate'; readonly stage: number; readonly reason: string }
  | { readonly kind: 'promote' }
  /** Shares the traffic as somebody has asked. */
  | { readonly kind: 'share'; readonly shares: readonly TrafficShare[] }
  /** Shares it as it was before. */
  | { readonly kind: 'share-back'; readonly shares: readonly TrafficShare[] }
  /** Gives the traffic back to the version before. */
  | { readonly kind: 'roll-back'; readonly to: string }
  /** There is none before: what was begun is cleaned up. */
  | { readonly kind: 'clean-up' }
  | { readonly kind: 'none' };

/** How often a gate looks. */
const gatePollMs = 1_000;

export function planRollOut(deployment: RuntimeDeployment, sight: RollOutSight, nowMs: number): RollOutAction {
  const { state, stage, mode } = deployment;
  switch (state) {
    case 'requested':
      return {
        ...{ kind: 'begin', previousVersion: previousOf(deployment, sight.observed) },
        shares: sight.observed?.weights ?? [],
      };
    case 'provisioning':
      return { kind: 'provision' };
    case 'configuring':
      return { kind: 'configure' };
    case 'rolling-out': {
      if (mode === 'restart') return { kind: 'restart' };
      if (mode === 'traffic') return { kind: 'share', shares: deployment.traffic?.shares ?? [] };
      return { kind: 'shift', stage: stage.index, percent: stagesFor(deployment)[stage.index] ?? 100 };
    }
    case 'health-gating':
      return planGate(deployment, sight, nowMs);
    case 'promoting':
      return { kind: 'promote' };
    case 'rolling-back': {
      const { previousVersion, version, previousShares } = deployment;
      if (mode === 'traffic') return { kind: 'share-back', shares: previousShares ?? [] };
      if (previousVersion === undefined || previousVersion === version) return { kind: 'clean-up' };
      return { kind: 'roll-back', to: previousVersion };
    }
    case 'completed':
    case 'rolled-back':
    case 'failed':
      return { kind: 'none' };
  }
}

export function stagesFor({ mode, strategy, previousVersion, version }: RuntimeDeployment): readonly number[] {
  if (mode === 'restart') return [100];
  return stagesOf(strategy, previousVersion === undefined || previousVersion === version);
}

/** A bad sign ends the gate at once, a good one when its time is over; no sign at all is no bad one. */
function planGate(deployment: RuntimeDeployment, { health }: RollOutSight, nowMs: number): RollOutAction {
  const { stage, gateMs, version } = deployment;
  if (health === 'unhealthy') {
    return { kind: 'fail-gate', stage: stage.index, reason: `the version ${version} is unhealthy` };
  }
  const endMs = stage.since + gateMs;
  if (nowMs < endMs) return { kind: 'wait', untilMs: Math.min(endMs, nowMs + gatePollMs) };
  return { kind: 'pass-gate', stage: stage.index, isLast: stage.index >= stagesFor(deployment).length - 1 };
}

/** What had the traffic before: the version to go back to. */
function previousOf(deployment: RuntimeDeployment, observed: ObservedService | undefined): string | undefined {
  if (deployment.previousVersion !== undefined) return deployment.previousVersion;
  const version = observed?.version ?? '';
  return version === '' ? undefined : version;
}
