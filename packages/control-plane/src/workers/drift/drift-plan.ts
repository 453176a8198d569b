/** How what is differs from what ought to be. Pure. */
import type {
  Finding,
  RuntimeService,
  ScalingPolicy,
  ServiceLimits,
  Severity,
  TrafficShare,
} from '@switchyard/protocol/control-api';
import { canonicalJson, hashOf } from '../../domain/canonical.ts';
import { servingOf } from '../../targets/observed-shares.ts';
import type { DesiredService } from './desired-service.ts';
import type { DesiredState } from './desired-state.ts';

export interface DriftSight {
  readonly tenantId: string;
  readonly environmentId: string;
  readonly desired: DesiredState;
  /** Those of the environment that are there. */
  readonly services: readonly RuntimeService[];
  /** Settings that a running service has otherwise than its configuration says: names alone, by service. */
  readonly settings: ReadonlyMap<string, readonly string[]>;
  /** Limits that a policy moves are no drift. */
  readonly policies: ReadonlyMap<string, ScalingPolicy>;
  /** Services that are being deployed: what differs there is on its way. */
  readonly deploying: ReadonlySet<string>;
  readonly findings: readonly Finding[];
  /** Findings that somebody has taken for right. */
  readonly adopted: ReadonlySet<string>;
}

export interface DriftDelta {
  readonly puts: readonly Finding[];
  /** New, come back, or worse than before. */
  readonly detected: readonly Finding[];
  readonly resolved: readonly Finding[];
}

/** The longest text of what is desired or there. */
const maxTextLength = 1_000;

/** What differs, before it has a history. */
type Difference = Pick<Finding, 'serviceId' | 'kind' | 'path' | 'desired' | 'actual' | 'severity'>;

export function planDrift(sight: DriftSight, nowMs: number): DriftDelta {
  const known = new Map(sight.findings.map((finding) => [finding.findingId, finding]));
  const delta = { puts: [] as Finding[], detected: [] as Finding[], resolved: [] as Finding[] };
  const seen = new Set<string>();
  for (const difference of differencesOf(sight)) {
    const findingId = findingIdOf(sight.environmentId, difference);
    seen.add(findingId);
    const before = known.get(findingId);
    const after = toFinding({ sight, difference, findingId, before }, nowMs);
    if (after === before) continue;
    delta.puts.push(after);
    if (after.state === 'open') delta.detected.push(after);
  }
  for (const finding of sight.findings) {
    if (seen.has(finding.findingId) || finding.state === 'resolved' || sight.deploying.has(finding.serviceId)) continue;
    const resolved: Finding = { ...finding, state: 'resolved', lastSeen: nowMs };
    delta.puts.push(resolved);
    if (finding.state === 'open') delta.resolved.push(resolved);
  }
  return delta;
}

/** Equal differences of one environment have one id. */
export function findingIdOf(environmentId: string, difference: Difference): string {
  const { serviceId, path, desired, actual } = difference;
  return `${serviceId}/${hashOf({ environmentId, serviceId, path, desired, actual }).slice(0, 20)}`;
}

function toFinding(
  of: {
    readonly sight: DriftSight;
    readonly difference: Difference;
    readonly findingId: string;
    readonly before: Finding | undefined;
  },
  nowMs: number,
): Finding {
  const { sight, difference, findingId, before } = of;
  const { tenantId, environmentId, adopted } = sight;
  if (before?.state === 'adopted') return before;
  const isAdopted = adopted.has(findingId);
  // Seen again is seen once: as long as it lasts nothing is new.
  if (before?.state === 'open' && !isAdopted) return before;
  return {
    ...{ findingId, tenantId, environmentId, ...difference },
    state: isAdopted ? 'adopted' : 'open',
    firstSeen: before?.firstSeen ?? nowMs,
    lastSeen: nowMs,
    count: before === undefined ? 1 : before.state === 'resolved' ? before.count + 1 : before.count,
    revision: sight.desired.revision,
  };
}

function differencesOf(sight: DriftSight): readonly Difference[] {
  const actual = new Map(sight.services.map((service) => [service.serviceId, service]));
  const found: Difference[] = [];
  for (const desired of sight.desired.services) {
    const { serviceId } = desired;
    const service = actual.get(serviceId);
    actual.delete(serviceId);
    if (sight.deploying.has(serviceId)) continue;
    if (service === undefined || service.version === '') found.push(missingOf(desired, service));
    else found.push(...comparisonOf(desired, service, sight));
  }
  for (const service of actual.values()) {
    // What was made and never put into service is nobody's drift.
    if (sight.deploying.has(service.serviceId) || service.version === '') continue;
    const { serviceId, version, computeTarget } = service;
    found.push({
      ...{ serviceId, kind: 'unexpected', path: 'service', desired: 'nothing', severity: 'info' },
      actual: canonicalJson({ computeTarget, version }),
    });
  }
  return found;
}

function missingOf(
  { serviceId, computeTarget, version, limits }: DesiredService,
  service: RuntimeService | undefined,
): Difference {
  return {
    ...{ serviceId, kind: 'missing', path: 'service', severity: 'critical' },
    desired: canonicalJson({ computeTarget, version, limits }),
    actual: service === undefined ? 'nothing' : 'no version has traffic',
  };
}

function comparisonOf(desired: DesiredService, service: RuntimeService, sight: DriftSight): readonly Difference[] {
  const { serviceId } = desired;
  const found: Difference[] = [];
  const add = (kind: Finding['kind'], path: string, values: readonly [string, string], severity: Severity): void => {
    found.push({ serviceId, kind, path, desired: values[0], actual: values[1], severity });
  };
  const serving = servingOf(service.weights);
  if (service.version !== desired.version) add('version', 'version', [desired.version, service.version], 'critical');
  else if (serving.length > 1) add('traffic', 'traffic', [`100 % ${desired.version}`, textOf(serving)], 'warning');
  if (service.status === 'failed' || service.status === 'stopped')
    add('status', 'status', ['running', service.status], 'critical');
  const limits = limitsOf(desired.limits, service.limits, sight.policies.get(serviceId));
  if (limits !== undefined) add('limits', 'limits', limits, 'warning');
  for (const name of sight.settings.get(serviceId) ?? []) {
    const version = desired.configuration?.version ?? 0;
    // A value may be a secret: that it differs is all that is told.
    add('configuration', `settings/${name}`, [`as in version ${version}`, 'another value'], 'warning');
  }
  return found;
}

/** Shares as people read them, the largest first; shares that are equal have one text. */
function textOf(shares: readonly TrafficShare[]): string {
  const sorted = [...shares].sort(
    (left, right) => right.weight - left.weight || (left.version < right.version ? -1 : 1),
  );
  return sorted
    .map(({ version, weight }) => `${weight} % ${version}`)
    .join(', ')
    .slice(0, maxTextLength);
}

/** The limits that are named and differ. What a scaling policy moves within its range is no drift. */
function limitsOf(
  desired: ServiceLimits | undefined,
  actual: RuntimeService['limits'],
  policy: ScalingPolicy | undefined,
): readonly [string, string] | undefined {
  if (desired === undefined || policy !== undefined) return undefined;
  const isSame =
    desired.minReplicas === (actual.minReplicas ?? desired.minReplicas) &&
    desired.maxReplicas === (actual.maxReplicas ?? desired.maxReplicas) &&
    (desired.concurrency === undefined || desired.concurrency === actual.concurrency);
  return isSame ? undefined : [canonicalJson({ limits: desired }), canonicalJson({ limits: actual })];
}
