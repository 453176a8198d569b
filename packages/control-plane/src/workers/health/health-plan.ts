/** What the probes of one round mean for the health of a service. Pure. */
import type { HealthRecord, HealthStatus } from '@switchyard/protocol/control-api';

export interface ProbeResult {
  readonly name: string;
  /** `unknown`: the probe itself could not be made, which says nothing about the service. */
  readonly outcome: 'passed' | 'failed' | 'unknown';
  readonly message: string;
  readonly purpose: 'liveness' | 'readiness' | 'dependency';
}

export const healthThresholds = {
  /** Failed rounds in a row that make a service degraded, and unhealthy. */
  degraded: 1,
  unhealthy: 3,
  /** Good rounds in a row that make it healthy again. */
  recovery: 2,
} as const;

/** How long a window is: what is evaluated twice in one window counts once. */
export const windowMs = 1_000;

/** How soon a service is asked again while it is not clear how it is. */
export const doubtMs = 5_000;

export interface HealthSight {
  readonly serviceId: string;
  readonly tenantId: string;
  readonly environmentId: string;
  readonly results: readonly ProbeResult[];
  readonly previous: HealthRecord | undefined;
}

/** The record as it is to be; the same as the previous one when nothing has changed. */
export function planHealth(sight: HealthSight, nowMs: number): HealthRecord {
  const { serviceId, tenantId, environmentId, results, previous } = sight;
  const window = Math.floor(nowMs / windowMs);
  // The window has its verdict, and an older evaluation that comes late says nothing any more.
  if (previous !== undefined && previous.window >= window) return previous;
  const round = roundOf(results);
  const failures = round === 'failed' ? Math.min(healthThresholds.unhealthy, (previous?.failures ?? 0) + 1) : 0;
  const successes = round === 'passed' ? Math.min(healthThresholds.recovery, (previous?.successes ?? 0) + 1) : 0;
  const before = previous?.status ?? 'unknown';
  const onlyDependencies = results.every(({ purpose, outcome }) => outcome !== 'failed' || purpose === 'dependency');
  const status = statusOf(round, { before, failures, successes, onlyDependencies });
  const counts = round === 'unknown' && previous !== undefined ? previous : { failures, successes };
  const record: HealthRecord = {
    ...{ serviceId, tenantId, environmentId, status, window },
    since: status === before && previous !== undefined ? previous.since : nowMs,
    failures: counts.failures,
    successes: counts.successes,
    probes: results.map(({ name, outcome, message }) => ({ name, outcome, message: message.slice(0, 500) })),
  };
  return previous !== undefined && isSameHealth(previous, record) ? previous : record;
}

/** True while further rounds may still change the status. */
export function isInDoubt({ status, failures, successes }: HealthRecord): boolean {
  if (status === 'healthy') return false;
  return failures > 0 ? failures < healthThresholds.unhealthy : successes > 0 && successes < healthThresholds.recovery;
}

/** The round as a whole: one failure fails it; without any, one that is unknown leaves it open. */
function roundOf(results: readonly ProbeResult[]): ProbeResult['outcome'] {
  if (results.some(({ outcome }) => outcome === 'failed')) return 'failed';
  return results.length === 0 || results.some(({ outcome }) => outcome === 'unknown') ? 'unknown' : 'passed';
}

function statusOf(
  round: ProbeResult['outcome'],
  of: {
    readonly before: HealthStatus;
    readonly failures: number;
    readonly successes: number;
    readonly onlyDependencies: boolean;
  },
): HealthStatus {
  const { before, failures, successes, onlyDependencies } = of;
  if (round === 'unknown') return before;
  if (round === 'passed') {
    // Nothing was wrong before, or it was right long enough again.
    if (before === 'unknown' || before === 'healthy' || successes >= healthThresholds.recovery) return 'healthy';
    return before;
  }
  if (before === 'unhealthy') return before;
  // A service whose dependency is gone is not what is broken.
  if (failures >= healthThresholds.unhealthy && !onlyDependencies) return 'unhealthy';
  return failures >= healthThresholds.degraded ? 'degraded' : before;
}

/** Messages of probes may differ each time; what counts is what failed. */
function isSameHealth(left: HealthRecord, right: HealthRecord): boolean {
  const outcomes = ({ probes }: HealthRecord): string => probes.map(({ name, outcome }) => `${name}=${outcome}`).join();
  return (
    left.status === right.status &&
    left.failures === right.failures &&
    left.successes === right.successes &&
    outcomes(left) === outcomes(right)
  );
}
