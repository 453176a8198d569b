/**
 * What people ask of the control plane. A command writes what is desired, who wanted it, and the event that tells the
 * worker, at once or not at all; it acts on nothing itself.
 */
import type { Clock, Random } from '@switchyard/kernel';
import type { JsonFields } from '@switchyard/protocol';
import type {
  Environment,
  Finding,
  Manifest,
  RuntimeConfiguration,
  RuntimeDeployment,
  SecretBinding,
  ServiceSpec,
  SettingsRequest,
  Trace,
  TrafficShare,
  WorkRequest,
} from '@switchyard/protocol/control-api';
import type { DomainState, EventDraft } from '../frame/contract.ts';
import { newTrace, toEnvelope } from '../frame/trace.ts';
import type { AuditDraft } from '../store/contract.ts';
import { isSame } from './canonical.ts';
import { domainErrors } from './errors.ts';
import type { EventType } from './events.ts';
import { type ManifestRecords, toManifestRecords } from './manifest-records.ts';
import { put, type RecordPut } from './records.ts';

export interface CommandsDeps {
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Pick<Random, 'uuid'>;
  readonly state: DomainState;
}

/** Who asks. */
export interface Asker {
  readonly subject: string;
}

export interface DeployRequest {
  readonly serviceId: string;
  readonly version: string;
  readonly strategy?: RuntimeDeployment['strategy'];
  readonly gateMs?: number;
}

/** How somebody wants the requests of a service to be shared among versions that are there. */
export interface ShareRequest {
  readonly serviceId: string;
  readonly shares: readonly TrafficShare[];
  readonly reason: 'traffic' | 'rollback';
  /** The revision of the traffic that whoever asks has seen. */
  readonly revision?: number;
  /** What it is a part of; a trace of its own when left out. */
  readonly trace?: Trace;
}

/** What somebody wants changed of the settings of a service: names alone. */
export type SettingsOrderRequest = Pick<
  SettingsRequest,
  'serviceId' | 'tenantId' | 'environmentId' | 'computeTarget' | 'set' | 'remove' | 'revision'
>;

/** An app that is there no more, and whose it was. */
export interface WithdrawnApp {
  readonly applicationId: string;
  readonly tenantId: string;
}

export interface ApplyResult {
  readonly environmentId: string;
  /** What was not so before: `environment acme.default`, `service shop`, ... */
  readonly changed: readonly string[];
  readonly deploymentIds: readonly string[];
}

interface Draft {
  readonly puts: RecordPut[];
  readonly events: EventDraft[];
  readonly changed: string[];
  readonly deploymentIds: string[];
}

export class DomainCommands {
  readonly #deps: CommandsDeps;

  constructor(deps: CommandsDeps) {
    this.#deps = deps;
  }

  /** Makes the manifest what is desired: what is so already is not written, and a new version is deployed. */
  async apply(manifest: Manifest, by: Asker): Promise<ApplyResult> {
    const records = toManifestRecords(manifest);
    const { environmentId } = records.environment;
    const draft: Draft = { puts: [], events: [], changed: [], deploymentIds: [] };
    await this.#applyEnvironment(records, draft);
    for (const secret of records.secrets) await this.#applySecret(secret, draft);
    for (const policy of records.policies) await this.#putIfNew('scalingPolicy', policy.serviceId, policy, draft);
    for (const configuration of records.configurations) await this.#publish(configuration, by, draft);
    for (const spec of records.specs) await this.#applySpec(spec, by, draft);
    await this.#commit(draft, records.environment, {
      by,
      action: 'ApplyManifest',
      target: `environment/${environmentId}`,
    });
    return { environmentId, changed: draft.changed, deploymentIds: draft.deploymentIds };
  }

  /** Deploys a version of a service that is specified; it becomes what is desired of it. */
  async deploy(request: DeployRequest, by: Asker): Promise<RuntimeDeployment> {
    const spec = await this.#requireSpec(request.serviceId);
    const environment = await this.#requireEnvironment(spec.environmentId);
    const { version } = request;
    const wanted: ServiceSpec = { ...spec, version };
    const draft: Draft = { puts: [], events: [], changed: [], deploymentIds: [] };
    if (!isSame(spec, wanted)) draft.puts.push(put('serviceSpec', wanted));
    const strategy = request.strategy ?? spec.strategy;
    const deployment = this.#draftDeployment({ ...wanted, strategy, gateMs: request.gateMs ?? spec.gateMs }, by, draft);
    await this.#commit(draft, environment, { by, action: 'Deploy', target: `deployment/${deployment.deploymentId}` });
    return deployment;
  }

  /** Specifies a service that nobody has specified yet; one that is specified stays as it is. */
  async ensureService(spec: ServiceSpec, by: Asker): Promise<void> {
    if ((await this.#deps.state.get('serviceSpec', spec.serviceId)) !== undefined) return;
    const environment = await this.#requireEnvironment(spec.environmentId);
    const draft: Draft = { puts: [put('serviceSpec', spec)], events: [], changed: [], deploymentIds: [] };
    await this.#commit(draft, environment, { by, action: 'SpecifyService', target: `service/${spec.serviceId}` });
  }

  /**
   * Shares the requests of a service that is specified anew, without a roll-out. What a manifest says stays: there it is a
   * change by hand, and drift where it disagrees.
   */
  async share({ serviceId, shares, reason, revision, trace }: ShareRequest, by: Asker): Promise<RuntimeDeployment> {
    const spec = await this.#requireSpec(serviceId);
    const environment = await this.#requireEnvironment(spec.environmentId);
    const [most] = [...shares].sort((left, right) => right.weight - left.weight);
    const version = most?.version ?? spec.version;
    const draft: Draft = { puts: [], events: [], changed: [], deploymentIds: [] };
    const isLoose = spec.origin === 'deployment' && spec.version !== version;
    if (isLoose) draft.puts.push(put('serviceSpec', { ...spec, version }));
    const traffic = { shares: [...shares], reason, ...(revision === undefined ? {} : { revision }) };
    const of = { ...spec, version, strategy: { kind: 'blue-green' }, gateMs: 0 } as const;
    const more = { mode: 'traffic', traffic, ...(trace === undefined ? {} : { trace }) } as const;
    const deployment = this.#draftDeployment(of, by, draft, more);
    const action = reason === 'rollback' ? 'RollBack' : 'ShareTraffic';
    await this.#commit(draft, environment, { by, action, target: `deployment/${deployment.deploymentId}` });
    return deployment;
  }

  /** Has settings changed whose values the vault holds under the id of the request. */
  async changeSettings(requestId: string, order: SettingsOrderRequest, by: Asker): Promise<SettingsRequest> {
    const { clock, random } = this.#deps;
    const environment = await this.#requireEnvironment(order.environmentId);
    const trace = newTrace(random);
    const record: SettingsRequest = {
      ...{ ...order, requestId, state: 'requested', createdBy: by.subject, createdAt: clock.now(), trace },
    };
    const { serviceId, tenantId, environmentId } = order;
    const event: EventDraft = {
      ...{ eventType: 'SettingsChangeRequested', tenantId, environmentId, subject: serviceId },
      payload: { serviceId, requestId },
    };
    const draft: Draft = { puts: [put('settingsRequest', record)], events: [event], changed: [], deploymentIds: [] };
    await this.#commit(draft, environment, { by, action: 'ChangeSettings', target: `service/${serviceId}` }, trace);
    return record;
  }

  /**
   * Takes back what was wanted of an app that was deleted, and writes down who did it. What a manifest names stays: there its
   * absence is drift.
   */
  async withdraw({ applicationId: serviceId, tenantId }: WithdrawnApp, by: Asker): Promise<void> {
    const { random, state } = this.#deps;
    const spec = await state.get('serviceSpec', serviceId);
    const isLoose = spec?.origin === 'deployment' && spec.tenantId === tenantId;
    const audit = toAudit({ tenantId, action: 'DeleteApp', target: `app/${serviceId}`, by }, newTrace(random));
    const removes = isLoose ? [{ kind: 'serviceSpec', id: serviceId } as const] : [];
    await state.commit({ puts: [], removes, events: [], audit: [audit] });
  }

  /** Writes down who did what, where something else than a record of the control plane tells the rest. */
  async note(
    { tenantId, action, target }: { readonly tenantId: string; readonly action: string; readonly target: string },
    by: Asker,
  ): Promise<Trace> {
    const { random, state } = this.#deps;
    const trace = newTrace(random);
    await state.commit({
      puts: [],
      removes: [],
      events: [],
      audit: [toAudit({ tenantId, action, target, by }, trace)],
    });
    return trace;
  }

  /** Deploys the version that was in service before the one that is in it now. */
  async rollBack(serviceId: string, by: Asker): Promise<RuntimeDeployment> {
    const spec = await this.#requireSpec(serviceId);
    const done = (await this.#deps.state.list('deployment', { serviceId }))
      .filter(({ state, mode }) => state === 'completed' && mode === 'roll-out')
      .sort((left, right) => right.createdAt - left.createdAt);
    const [current] = done;
    const before = done.find(({ version }) => version !== current?.version)?.version ?? current?.previousVersion;
    if (before === undefined) throw domainErrors.create('DEPLOYMENT_NOTHING_BEFORE', { serviceId });
    return this.deploy({ serviceId, version: before, strategy: { kind: 'blue-green' }, gateMs: spec.gateMs }, by);
  }

  /** Asks for a rotation before its time. */
  async rotate(secretBindingId: string, by: Asker): Promise<void> {
    const binding = await this.#deps.state.get('secretBinding', secretBindingId);
    if (binding === undefined)
      throw domainErrors.create('RECORD_UNKNOWN', { kind: 'secret binding', id: secretBindingId });
    const of = { kind: 'rotate', subject: secretBindingId, environmentId: binding.environmentId } as const;
    await this.#request(of, { eventType: 'SecretRotationRequested', payload: { secretBindingId } }, by);
  }

  /** Has a drift undone. */
  async remediate(findingId: string, by: Asker): Promise<void> {
    const { environmentId, serviceId } = await this.#requireOpen(findingId);
    const of = { kind: 'remediate', subject: findingId, environmentId } as const;
    await this.#request(of, { eventType: 'DriftRemediationRequested', payload: { findingId, serviceId } }, by);
  }

  /** Takes a drift for what is right. */
  async adopt(findingId: string, by: Asker): Promise<void> {
    const { environmentId, serviceId } = await this.#requireOpen(findingId);
    const of = { kind: 'adopt', subject: findingId, environmentId } as const;
    await this.#request(of, { eventType: 'DriftAdoptionRequested', payload: { findingId, serviceId } }, by);
  }

  async #applyEnvironment({ environment, binding }: ManifestRecords, draft: Draft): Promise<void> {
    const { environmentId, tenantId } = environment;
    const before = await this.#deps.state.get('environment', environmentId);
    if (before !== undefined && before.tenantId !== tenantId) {
      throw domainErrors.create('ENVIRONMENT_FIXED', { environmentId, what: 'tenant', before: before.tenantId });
    }
    for (const what of ['stage', 'region'] as const) {
      if (before === undefined || before[what] === environment[what]) continue;
      throw domainErrors.create('ENVIRONMENT_FIXED', { environmentId, what, before: before[what] });
    }
    await this.#putIfNew('environment', environmentId, environment, draft);
    await this.#putIfNew('tenantBinding', environmentId, binding, draft);
  }

  /** A secret that is new gets its first value at once: services wait for it. */
  async #applySecret(secret: SecretBinding, draft: Draft): Promise<void> {
    const { secretBindingId, tenantId, environmentId } = secret;
    const isNew = (await this.#deps.state.get('secretBinding', secretBindingId)) === undefined;
    await this.#putIfNew('secretBinding', secretBindingId, secret, draft);
    if (!isNew) return;
    const of = { tenantId, environmentId, subject: secretBindingId, payload: { secretBindingId } };
    draft.events.push({ eventType: 'SecretRotationRequested', ...of });
  }

  async #applySpec(spec: ServiceSpec, by: Asker, draft: Draft): Promise<void> {
    const { serviceId, version } = spec;
    const before = await this.#deps.state.get('serviceSpec', serviceId);
    if (before !== undefined && before.environmentId !== spec.environmentId) {
      throw domainErrors.create('SERVICE_ELSEWHERE', { serviceId, environmentId: before.environmentId });
    }
    await this.#putIfNew('serviceSpec', serviceId, spec, draft);
    const isNew = before?.version !== version || !isSame(before.limits, spec.limits);
    if (isNew) this.#draftDeployment(spec, by, draft);
  }

  async #publish(
    configuration: Omit<RuntimeConfiguration, 'version' | 'publishedAt' | 'publishedBy'>,
    by: Asker,
    draft: Draft,
  ): Promise<void> {
    const { configurationId, tenantId, environmentId, values, serviceIds } = configuration;
    const before = await this.#deps.state.get('configuration', configurationId);
    if (before !== undefined && before.environmentId !== environmentId) {
      throw domainErrors.create('SERVICE_ELSEWHERE', {
        serviceId: configurationId,
        environmentId: before.environmentId,
      });
    }
    if (before !== undefined && isSame(before.values, values) && isSame(before.serviceIds, serviceIds)) return;
    const version = (before?.version ?? 0) + 1;
    const publishedAt = this.#deps.clock.now();
    draft.puts.push(put('configuration', { ...configuration, version, publishedAt, publishedBy: by.subject }));
    draft.changed.push(`configuration ${configurationId}`);
    const payload = { configurationId, version };
    draft.events.push({
      eventType: 'ConfigurationPublished',
      tenantId,
      environmentId,
      subject: configurationId,
      payload,
    });
  }

  async #putIfNew<Kind extends 'environment' | 'tenantBinding' | 'secretBinding' | 'scalingPolicy' | 'serviceSpec'>(
    kind: Kind,
    id: string,
    record: Parameters<typeof put<Kind>>[1],
    { puts, changed }: Draft,
  ): Promise<void> {
    const before = await this.#deps.state.get(kind, id);
    const isForeign = before !== undefined && before.tenantId !== (record as { readonly tenantId: string }).tenantId;
    if (isForeign) throw domainErrors.create('RECORD_UNKNOWN', { kind, id });
    if (isSame(before, record)) return;
    puts.push(put(kind, record));
    changed.push(`${kind} ${id}`);
  }

  #draftDeployment(
    spec: ServiceSpec,
    by: Asker,
    draft: Draft,
    more: Partial<Pick<RuntimeDeployment, 'mode' | 'traffic' | 'trace'>> = {},
  ): RuntimeDeployment {
    const { clock, random } = this.#deps;
    const { tenantId, environmentId, serviceId, computeTarget, version, strategy, gateMs, configurationId } = spec;
    const nowMs = clock.now();
    const deployment: RuntimeDeployment = {
      ...{ tenantId, environmentId, serviceId, computeTarget, version, strategy, gateMs },
      deploymentId: `${serviceId}.${random.uuid()}`,
      mode: 'roll-out',
      ...(configurationId === undefined ? {} : { configurationId }),
      ...{ state: 'requested', stage: { index: 0, since: nowMs }, steps: [], attempts: 0 },
      ...{ createdBy: by.subject, createdAt: nowMs, trace: newTrace(random), ...more },
    };
    draft.puts.push(put('deployment', deployment));
    draft.deploymentIds.push(deployment.deploymentId);
    draft.changed.push(`deployment ${deployment.deploymentId}`);
    const payload = { serviceId, deploymentId: deployment.deploymentId, version, computeTarget };
    draft.events.push({
      eventType: 'RuntimeDeploymentRequested',
      tenantId,
      environmentId,
      subject: serviceId,
      payload,
    });
    return deployment;
  }

  async #request(
    of: Pick<WorkRequest, 'kind' | 'subject' | 'environmentId'>,
    event: { readonly eventType: EventType; readonly payload: JsonFields },
    by: Asker,
  ): Promise<void> {
    const environment = await this.#requireEnvironment(of.environmentId);
    const { tenantId } = environment;
    const request: WorkRequest = {
      ...{ ...of, tenantId, requestId: `${of.kind}/${of.subject}`, requestedBy: by.subject },
      requestedAt: this.#deps.clock.now(),
    };
    const subject = typeof event.payload.serviceId === 'string' ? event.payload.serviceId : of.subject;
    const draft: Draft = {
      puts: [put('workRequest', request)],
      events: [{ ...event, tenantId, environmentId: of.environmentId, subject }],
      ...{ changed: [], deploymentIds: [] },
    };
    await this.#commit(draft, environment, { by, action: event.eventType, target: `${of.kind}/${of.subject}` });
  }

  async #commit(
    { puts, events }: Draft,
    { tenantId }: Pick<Environment, 'tenantId'>,
    of: { readonly by: Asker; readonly action: string; readonly target: string },
    given?: Trace,
  ): Promise<void> {
    if (puts.length + events.length === 0) return;
    const { clock, random, state } = this.#deps;
    const trace = given ?? traceOfPuts(puts) ?? newTrace(random);
    const toEvent = { trace, source: 'switchyard/control-api', nowMs: clock.now(), random };
    await state.commit({
      puts,
      removes: [],
      events: events.map((draft) => toEnvelope(draft, toEvent)),
      audit: [toAudit({ ...of, tenantId }, trace)],
    });
  }

  async #requireSpec(serviceId: string): Promise<ServiceSpec> {
    const spec = await this.#deps.state.get('serviceSpec', serviceId);
    if (spec === undefined) throw domainErrors.create('RECORD_UNKNOWN', { kind: 'service', id: serviceId });
    return spec;
  }

  async #requireEnvironment(environmentId: string): Promise<Environment> {
    const environment = await this.#deps.state.get('environment', environmentId);
    if (environment === undefined)
      throw domainErrors.create('RECORD_UNKNOWN', { kind: 'environment', id: environmentId });
    return environment;
  }

  async #requireOpen(findingId: string): Promise<Finding> {
    const finding = await this.#deps.state.get('finding', findingId);
    if (finding?.state !== 'open') throw domainErrors.create('RECORD_UNKNOWN', { kind: 'open finding', id: findingId });
    return finding;
  }
}

function toAudit(
  of: { readonly tenantId: string; readonly by: Asker; readonly action: string; readonly target: string },
  { correlationId, traceId }: Trace,
): AuditDraft {
  const { tenantId, by, action, target } = of;
  return { actor: by.subject, tenantId, action, target, outcome: 'succeeded', correlationId, traceId };
}

/** A command that deploys one thing is told in the trace of that deployment. */
function traceOfPuts(puts: readonly RecordPut[]): Trace | undefined {
  for (const one of puts) if (one.kind === 'deployment') return one.record.trace;
  return undefined;
}
