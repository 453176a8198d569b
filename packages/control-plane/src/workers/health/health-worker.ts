/**
 * RuntimeHealthWorker: asks every service how it is, and what it depends on.
 *
 * Keys are services.
 *
 * I1 A round that finds what the one before has found writes nothing and tells nothing.
 * I2 One bad round is not the end of a service: the status changes after as many rounds as the thresholds say, and back
 *    only after some good ones.
 * I3 A probe that could not be made leaves the status as it was.
 * I4 An alert is raised once when a service becomes unhealthy, and cleared once when it is healthy again.
 * I5 Of a service that nobody wants any more nothing is kept, and no alert stays raised.
 */
import type { Clock } from '@switchyard/kernel';
import type { EventEnvelope } from '@switchyard/protocol';
import type { Alert, HealthRecord, Probe, ServiceSpec } from '@switchyard/protocol/control-api';
import { payloadText } from '../../domain/events.ts';
import { put, type RecordPut } from '../../domain/records.ts';
import type { Batch, DomainView, EventDraft, Finding, Run, Worker } from '../../frame/contract.ts';
import { doubtMs, isInDoubt, type ProbeResult, planHealth, windowMs } from './health-plan.ts';
import { type ProbeKinds, runProbes } from './probe-runner.ts';

export interface HealthDeps {
  readonly clock: Clock;
  readonly probes: ProbeKinds;
}

/** Asked of a service whose manifest names no probe. */
const targetProbe: Probe = { kind: 'target', name: 'target', purpose: 'liveness', timeoutMs: 2_000 };

export class HealthWorker implements Worker {
  readonly name = 'health';
  readonly #deps: HealthDeps;

  constructor(deps: HealthDeps) {
    this.#deps = deps;
  }

  async keysOf({ eventType, payload }: EventEnvelope, view: DomainView): Promise<readonly string[]> {
    const serviceId = payloadText(payload, 'serviceId');
    if (serviceId !== undefined) return [serviceId];
    // A sweep that found something: every service that it names is looked at.
    const changed = eventType === 'RuntimeInventoryUpdated' ? (payload as { changed?: unknown }).changed : undefined;
    if (!Array.isArray(changed)) return [];
    const known = await Promise.all(
      changed.filter((id) => typeof id === 'string').map((id) => view.get('serviceSpec', id)),
    );
    return known.flatMap((spec) => spec?.serviceId ?? []);
  }

  async keysOfTick(view: DomainView): Promise<readonly string[]> {
    const known = await Promise.all([view.list('serviceSpec'), view.list('health')]);
    return [...new Set(known.flatMap((records) => records.map(({ serviceId }) => serviceId)))];
  }

  async look(run: Run): Promise<Finding> {
    const { key: serviceId, view, nowMs } = run;
    const [spec, previous] = await Promise.all([view.get('serviceSpec', serviceId), view.get('health', serviceId)]);
    if (spec === undefined) return previous === undefined ? { kind: 'rest' } : forget(previous, view);
    const rest: Finding = {
      kind: 'rest',
      ...(previous !== undefined && isInDoubt(previous) ? { wakeAtMs: nowMs + doubtMs } : {}),
    };
    if (previous?.window === Math.floor(nowMs / windowMs)) return rest;
    const { tenantId, environmentId } = spec;
    const results = await this.#ask(spec);
    const record = planHealth({ serviceId, tenantId, environmentId, results, previous }, nowMs);
    if (record === previous) return rest;
    const act = async (): Promise<Batch> => {
      const alert = planAlert(previous, record, await view.get('alert', alertIdOf(serviceId)));
      const isChange = previous?.status !== record.status;
      const puts: RecordPut[] = [put('health', record), ...(alert === undefined ? [] : [put('alert', alert)])];
      const events = [
        ...(isChange ? [toCompleted(record)] : []),
        ...(alert === undefined ? [] : [toAlertEvent(alert)]),
      ];
      return { puts, events };
    };
    return { kind: 'work', what: 'evaluate', tenantId, environmentId, act };
  }

  #ask(spec: ServiceSpec): Promise<readonly ProbeResult[]> {
    const probes = [
      ...(spec.probes.length === 0 ? [targetProbe] : spec.probes),
      ...spec.dependencies.map(toDependency),
    ];
    return runProbes({ clock: this.#deps.clock, kinds: this.#deps.probes }, spec, probes);
  }
}

/** The service was withdrawn. */
function forget({ serviceId, tenantId, environmentId }: HealthRecord, view: DomainView): Finding {
  const act = async (): Promise<Batch> => {
    const alert = await view.get('alert', alertIdOf(serviceId));
    const removes = [{ kind: 'health', id: serviceId } as const];
    if (alert?.state !== 'raised') return { removes };
    const cleared: Alert = { ...alert, state: 'cleared', message: `${serviceId} is there no more, as was asked` };
    return { removes, puts: [put('alert', cleared)], events: [toAlertEvent(cleared)] };
  };
  return { kind: 'work', what: 'forget', tenantId, environmentId, act };
}

function toDependency(serviceId: string): Probe {
  return { kind: 'target', name: `needs-${serviceId}`, purpose: 'dependency', timeoutMs: 2_000, serviceId };
}

export function alertIdOf(serviceId: string): string {
  return `health/${serviceId}`;
}

/** An alert to raise or to clear; undefined when it is as it ought to be. */
export function planAlert(
  previous: HealthRecord | undefined,
  { serviceId, tenantId, environmentId, status, since, probes }: HealthRecord,
  alert: Alert | undefined,
): Alert | undefined {
  const isRaised = alert?.state === 'raised';
  const of = {
    alertId: alertIdOf(serviceId),
    tenantId,
    environmentId,
    subject: serviceId,
    kind: 'health',
    since,
  } as const;
  if (status === 'unhealthy' && !isRaised) {
    const failed = probes
      .filter(({ outcome }) => outcome === 'failed')
      .map(({ name, message }) => `${name}: ${message}`);
    return { ...of, state: 'raised', message: `${serviceId} is unhealthy (${failed.join('; ')})`.slice(0, 1_000) };
  }
  if (status === 'healthy' && isRaised) {
    return { ...of, state: 'cleared', message: `${serviceId} is healthy again after ${previous?.status ?? 'unknown'}` };
  }
  return undefined;
}

function toCompleted({ serviceId, tenantId, environmentId, status, window }: HealthRecord): EventDraft {
  const payload = { serviceId, status, window, changed: true };
  return { eventType: 'HealthCheckCompleted', tenantId, environmentId, subject: serviceId, payload };
}

export function toAlertEvent({ alertId, tenantId, environmentId, subject, state, kind, message }: Alert): EventDraft {
  const eventType = state === 'raised' ? 'AlertRaised' : 'AlertCleared';
  return { eventType, tenantId, environmentId, subject, payload: { alertId, kind, subject, message } };
}
