/** What asks for a deployment without a person: changed settings and secrets that need a restart, and drift. Pure. */
import type {
  ConfigurationSync,
  Environment,
  Finding,
  RuntimeDeployment,
  RuntimeService,
  SecretRotation,
  ServiceLimits,
  ServiceSpec,
  Trace,
  WorkRequest,
} from '@switchyard/protocol/control-api';
import { hashOf } from '../../domain/canonical.ts';
import { parseDesiredService } from '../drift/desired-service.ts';
import { finalStates } from './transitions.ts';

/** Limits of what is done without being asked. */
export const remediationLimits = {
  /** Between two tries for one service. */
  cooldownMs: 10 * 60_000,
  /** Tries for one finding; then it waits for somebody. */
  attempts: 3,
} as const;

export interface CauseSight {
  readonly serviceId: string;
  readonly environment: Environment;
  readonly spec: ServiceSpec | undefined;
  readonly service: RuntimeService | undefined;
  readonly syncs: readonly ConfigurationSync[];
  readonly rotations: readonly SecretRotation[];
  readonly findings: readonly Finding[];
  readonly requests: readonly WorkRequest[];
  /** Of the service, newest first. */
  readonly deployments: readonly RuntimeDeployment[];
}

export type CausePlan =
  | { readonly kind: 'none'; readonly wakeAtMs?: number }
  | { readonly kind: 'deploy'; readonly deployment: RuntimeDeployment; readonly answered: readonly WorkRequest[] };

/** The next deployment that nobody else has asked for. Call it only while none is under way. */
export function planCauses(sight: CauseSight, nowMs: number, trace: Trace): CausePlan {
  const restart = restartCauseOf(sight);
  if (restart !== undefined) {
    return {
      kind: 'deploy',
      deployment: draft(sight, { causeKey: restart, mode: 'restart' }, nowMs, trace),
      answered: [],
    };
  }
  return planRemediation(sight, nowMs, trace);
}

/** A configuration or secret that is at the target and not yet in what runs. */
function restartCauseOf({ serviceId, syncs, rotations, deployments }: CauseSight): string | undefined {
  const causes = [
    ...syncs
      .filter(({ mode }) => mode === 'restart-required')
      .map(({ configurationId, version }) => `configuration/${configurationId}/${version}`),
    ...rotations
      .filter(({ restarts, pendingVersion }) => pendingVersion === undefined && restarts.includes(serviceId))
      .map(({ secretBindingId, version }) => `secret/${secretBindingId}/${version}`),
  ];
  const answered = new Set(deployments.map(({ causeKey }) => causeKey));
  return causes.find((cause) => !answered.has(cause));
}

function planRemediation(sight: CauseSight, nowMs: number, trace: Trace): CausePlan {
  const { environment, deployments } = sight;
  const open = sight.findings.filter(({ state, kind }) => state === 'open' && kind !== 'unexpected');
  const asked = sight.requests.filter(({ subject }) => open.some(({ findingId }) => findingId === subject));
  if (asked.length > 0) {
    // Whoever asks has looked: neither the cooldown nor the number of tries holds.
    const causeKey = `drift/${hashOf(asked.map(({ subject, requestedAt }) => [subject, requestedAt]))}`;
    return {
      kind: 'deploy',
      deployment: draft(sight, { causeKey, mode: 'roll-out', open }, nowMs, trace),
      answered: asked,
    };
  }
  if (environment.remediation !== 'auto') return { kind: 'none' };
  const tries = (finding: Finding): number =>
    deployments.filter(({ causeKey }) => causeKey?.startsWith(`${autoCause(finding)}/`) === true).length;
  const due = open.find((finding) => tries(finding) < remediationLimits.attempts);
  if (due === undefined) return { kind: 'none' };
  const last = Math.max(0, ...deployments.filter(isRemediation).map(({ createdAt }) => createdAt));
  const dueMs = last + remediationLimits.cooldownMs;
  if (last > 0 && nowMs < dueMs) return { kind: 'none', wakeAtMs: dueMs };
  const causeKey = `${autoCause(due)}/${tries(due) + 1}`;
  return { kind: 'deploy', deployment: draft(sight, { causeKey, mode: 'roll-out', open }, nowMs, trace), answered: [] };
}

/** A finding that comes back after it was resolved may be tried anew. */
function autoCause({ findingId, count }: Finding): string {
  return `drift/${findingId}/${count}`;
}

function isRemediation({ causeKey }: RuntimeDeployment): boolean {
  return causeKey?.startsWith('drift/') === true;
}

function draft(
  sight: CauseSight,
  of: { readonly causeKey: string; readonly mode: RuntimeDeployment['mode']; readonly open?: readonly Finding[] },
  nowMs: number,
  trace: Trace,
): RuntimeDeployment {
  const { serviceId, environment, spec, service, deployments } = sight;
  const wanted = desiredOf(of.open ?? []);
  const version = wanted.version ?? service?.version ?? spec?.version ?? '';
  const limits = wanted.limits;
  const previous = deployments.find(({ state }) => state === 'completed');
  return {
    deploymentId: `${serviceId}.${hashOf(of.causeKey).slice(0, 16)}`,
    tenantId: environment.tenantId,
    environmentId: environment.environmentId,
    serviceId,
    computeTarget: wanted.computeTarget ?? spec?.computeTarget ?? service?.computeTarget ?? '',
    version: version === '' ? (spec?.version ?? 'unknown') : version,
    mode: of.mode,
    causeKey: of.causeKey,
    ...(limits === undefined ? {} : { limits }),
    strategy: isProven(version, deployments) ? atOnce : (spec?.strategy ?? { kind: 'blue-green' }),
    gateMs: spec?.gateMs ?? 0,
    ...(spec?.configurationId === undefined ? {} : { configurationId: spec.configurationId }),
    ...(previous === undefined ? {} : { previousDeploymentId: previous.deploymentId }),
    state: 'requested',
    stage: { index: 0, since: nowMs },
    steps: [],
    attempts: 0,
    createdBy: 'switchyard/deployment',
    createdAt: nowMs,
    trace,
  };
}

/** All the traffic in one step, which the gate watches then. */
const atOnce = { kind: 'rolling', batches: 1 } as const;

/** What has been in service before needs no small beginning: each step would only prolong what is wrong. */
function isProven(version: string, deployments: readonly RuntimeDeployment[]): boolean {
  return deployments.some((one) => one.mode === 'roll-out' && one.state === 'completed' && one.version === version);
}

/** What the findings of a service want it to be, taken together. */
function desiredOf(findings: readonly Finding[]): {
  readonly version?: string;
  readonly computeTarget?: string;
  readonly limits?: ServiceLimits;
} {
  const found: { version?: string; computeTarget?: string; limits?: ServiceLimits } = {};
  for (const { kind, desired } of findings) {
    if (kind === 'version') found.version = desired;
    if (kind !== 'missing' && kind !== 'limits') continue;
    const parsed = parseDesiredService(desired);
    if (parsed?.version !== undefined) found.version = parsed.version;
    if (parsed?.computeTarget !== undefined) found.computeTarget = parsed.computeTarget;
    if (parsed?.limits !== undefined) found.limits = parsed.limits;
  }
  return found;
}

export function isUnderWay({ state }: RuntimeDeployment): boolean {
  return !finalStates.has(state);
}
