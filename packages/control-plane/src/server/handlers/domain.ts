/** The records of the control plane and what can be asked of its workers. A token sees those of its tenants alone. */
import type { Collection, ControlEvent, DeadLetterView, DomainEventView } from '@switchyard/protocol/control-api';
import type { DeadLetter } from '../../bus/contract.ts';
import { domainErrors } from '../../domain/errors.ts';
import { environmentIdOf } from '../../domain/manifest-records.ts';
import { type DomainRecords, type RecordKind, recordKinds } from '../../domain/records.ts';
import { controlErrors } from '../../errors.ts';
import type { EventQuery, OutboxRecord } from '../../store/contract.ts';
import { type Caller, type ControlCall, type ControlHandlers, coversTenant, isOn, json } from '../control-call.ts';
import type { DomainApi } from '../domain-api.ts';
import { followEvents } from '../follow-domain-events.ts';
import { findOperatorPart } from '../operator-parts.ts';
import { RequestRefused } from '../problem.ts';

const kindOf: Readonly<Record<Collection, RecordKind>> = {
  environments: 'environment',
  tenants: 'tenantBinding',
  services: 'service',
  specifications: 'serviceSpec',
  deployments: 'deployment',
  configurations: 'configuration',
  'configuration-syncs': 'configurationSync',
  'settings-requests': 'settingsRequest',
  'secret-bindings': 'secretBinding',
  'secret-rotations': 'secretRotation',
  'scaling-policies': 'scalingPolicy',
  'scaling-states': 'scalingState',
  health: 'health',
  alerts: 'alert',
  findings: 'finding',
};

/** Events that one answer holds when nobody says how many. */
const eventPage = 100;

export const domainHandlers: ControlHandlers<
  | 'listRecords'
  | 'applyManifest'
  | 'startServiceDeployment'
  | 'rollBackService'
  | 'rotateSecret'
  | 'decideDrift'
  | 'listEvents'
  | 'listDeadLetters'
  | 'getDeadLetter'
  | 'replayDeadLetter'
  | 'listAudit'
> = {
  async listRecords(call) {
    const { view } = requireDomain(call);
    const { environment, service, tenant, id, state } = call.query;
    // The schema of the path takes no other.
    const kind = kindOf[call.parameters.collection as Collection];
    const filter = {
      ...(environment === undefined ? {} : { environmentId: environment }),
      ...(service === undefined ? {} : { serviceId: service }),
      ...(tenant === undefined ? {} : { tenantId: tenant }),
    };
    const found = id === undefined ? await view.list(kind, filter) : [await view.get(kind, id)];
    const visible = found.filter((record) => record !== undefined && coversTenant(call.caller, record.tenantId));
    const isWanted = (record: unknown): boolean => {
      const { state: is, status } = record as { readonly state?: unknown; readonly status?: unknown };
      return state === undefined || is === state || status === state;
    };
    return json({ items: visible.filter(isWanted).map((record) => toView(kind, record)) });
  },
  async applyManifest(call) {
    const { commands } = requireDomain(call);
    requireTenant(call.caller, call.body.tenant);
    if (call.caller.tenants !== '*') await requireTenantParts(call);
    return json(await commands.apply(call.body, { subject: call.caller.subject }));
  },
  async startServiceDeployment(call) {
    const { commands } = requireDomain(call);
    await requireOwn(call, 'serviceSpec', call.parameters.service);
    return json(await commands.deploy({ serviceId: call.parameters.service, ...call.body }, by(call)));
  },
  async rollBackService(call) {
    const { commands } = requireDomain(call);
    await requireOwn(call, 'serviceSpec', call.parameters.service);
    return json(await commands.rollBack(call.parameters.service, by(call)));
  },
  async rotateSecret(call) {
    const { commands } = requireDomain(call);
    await requireOwn(call, 'secretBinding', call.parameters.secret);
    await commands.rotate(call.parameters.secret, by(call));
    return { kind: 'empty' };
  },
  async decideDrift(call) {
    const { commands } = requireDomain(call);
    const { findingId, decision } = call.body;
    await requireOwn(call, 'finding', findingId);
    await commands[decision](findingId, by(call));
    return { kind: 'empty' };
  },
  async listEvents(call) {
    const { store } = requireDomain(call);
    const { after, limit = eventPage, follow, type, environment, correlation } = call.query;
    const query: EventQuery = {
      ...(type === undefined ? {} : { eventType: type }),
      ...(environment === undefined ? {} : { environmentId: environment }),
      ...(correlation === undefined ? {} : { correlationId: correlation }),
    };
    const isVisible = ({ envelope }: OutboxRecord): boolean => coversTenant(call.caller, envelope.tenantId);
    if (isOn(follow)) {
      const { clock } = call.deps;
      const records = followEvents({ store, clock }, { query, after }, call.signal);
      return { kind: 'events', events: toEvents(records, isVisible) };
    }
    const of = after === undefined ? { ...query, newestFirst: true } : { ...query, after };
    const found = [...(await store.events.list({ ...of, limit }))].filter(isVisible);
    if (after === undefined) found.reverse();
    return json({ items: found.map(toEventView) });
  },
  async listDeadLetters(call) {
    const { deadLetters } = requireDomain(call);
    const { type, reason, after } = call.query;
    const query = { ...(type === undefined ? {} : { eventType: type }), ...(reason === undefined ? {} : { reason }) };
    const { items, next } = await deadLetters.list(query, after === undefined ? {} : { after });
    const visible = items.filter((letter) => isVisibleLetter(call.caller, letter));
    return json({ items: visible.map(toLetterView), ...(next === undefined ? {} : { next }) });
  },
  getDeadLetter: async (call) => json(toLetterView(await requireLetter(call))),
  async replayDeadLetter(call) {
    const { deadLetterId } = await requireLetter(call);
    const outcome = await requireDomain(call).deadLetters.replay(deadLetterId);
    if (outcome.kind !== 'replayed') return unknown('dead letter that can be replayed', deadLetterId);
    return { kind: 'empty' };
  },
  async listAudit(call) {
    const { store } = requireDomain(call);
    const found = await store.audit.list({ limit: call.query.limit ?? eventPage });
    const visible = found.filter(({ tenantId }) => coversTenant(call.caller, tenantId));
    return json({
      items: visible.map(({ atMs, actor, tenantId, action, target, outcome, correlationId }) => ({
        ...{ at: toTime(atMs), actor, tenantId, action, target, outcome },
        ...(correlationId === undefined ? {} : { correlationId }),
      })),
    });
  },
};

type AnyCall = Pick<ControlCall<'getHealth'>, 'deps' | 'caller'>;

function requireDomain({ deps }: AnyCall): DomainApi {
  if (deps.domain !== undefined) return deps.domain;
  throw new RequestRefused(domainErrors.create('CONTROL_PLANE_OFF'));
}

function by({ caller }: AnyCall): { readonly subject: string } {
  return { subject: caller.subject };
}

function unknown(kind: string, id: string): never {
  throw new RequestRefused(domainErrors.create('RECORD_UNKNOWN', { kind, id }));
}

function requireTenant(caller: Caller, tenantId: string): void {
  if (!coversTenant(caller, tenantId)) unknown('tenant', tenantId);
}

/** Whoever speaks for a tenant makes the platform do nothing that the tenant's own apps could not. */
async function requireTenantParts(call: ControlCall<'applyManifest'>): Promise<void> {
  const { body: manifest, caller } = call;
  const binding = await requireDomain(call).view.get('tenantBinding', environmentIdOf(manifest));
  const part = findOperatorPart(manifest, binding);
  if (part === undefined) return;
  const { path, reason } = part;
  throw new RequestRefused(controlErrors.create('MANIFEST_PART_REFUSED', { subject: caller.subject, path, reason }), {
    path,
  });
}

/** What callers know records by whose kinds have names of our own. */
const wordOf: Partial<Record<RecordKind, string>> = { serviceSpec: 'service', secretBinding: 'secret' };

/** Another tenant's record is as unknown as one that there is not. */
async function requireOwn(call: AnyCall, kind: RecordKind, id: string): Promise<void> {
  const record = await requireDomain(call).view.get(kind, id);
  if (record === undefined || !coversTenant(call.caller, record.tenantId)) unknown(wordOf[kind] ?? kind, id);
}

async function requireLetter(
  call: ControlCall<'getDeadLetter'> | ControlCall<'replayDeadLetter'>,
): Promise<DeadLetter> {
  const found = await requireDomain(call).deadLetters.get(call.parameters.letter);
  if (found !== undefined && isVisibleLetter(call.caller, found)) return found;
  return unknown('dead letter', call.parameters.letter);
}

/** What was no envelope belongs to nobody: those who see all tenants see it. */
function isVisibleLetter(caller: Caller, { envelope }: DeadLetter): boolean {
  return envelope === undefined ? caller.tenants === '*' : coversTenant(caller, envelope.tenantId);
}

/** Values of configurations may be more than everybody who reads should know: their names are enough here. */
function toView(kind: RecordKind, record: DomainRecords[RecordKind] | undefined): unknown {
  if (record === undefined || kind !== 'configuration') return withId(kind, record);
  const { values, ...rest } = record as DomainRecords['configuration'];
  const masked = Object.entries(values).map(([name, value]) => [name, typeof value === 'string' ? '***' : value]);
  return withId(kind, { ...rest, values: Object.fromEntries(masked) });
}

function withId(kind: RecordKind, record: unknown): unknown {
  return { id: (recordKinds[kind].idOf as (record: unknown) => string)(record), ...(record as object) };
}

const toTime = (timeMs: number): string => new Date(timeMs).toISOString();

function toLetterView(letter: DeadLetter): DeadLetterView {
  const { deadLetterId, subscription, reason, description, deliveryCount, deadLetteredAtMs, envelope, history } =
    letter;
  return {
    ...{ deadLetterId, subscription, reason, description, deliveryCount, at: toTime(deadLetteredAtMs) },
    ...(envelope === undefined ? {} : { envelope: { ...envelope } }),
    history: history.map(({ atMs, ...failed }) => ({
      ...{ deliveryCount: failed.deliveryCount, reason: failed.reason, description: failed.description },
      at: toTime(atMs),
    })),
  };
}

function toEventView({ sequence, envelope }: OutboxRecord): DomainEventView {
  return { sequence, envelope: { ...envelope } };
}

async function* toEvents(
  records: AsyncIterable<OutboxRecord>,
  isVisible: (record: OutboxRecord) => boolean,
): AsyncGenerator<ControlEvent, void, undefined> {
  for await (const record of records) if (isVisible(record)) yield { name: 'event', data: toEventView(record) };
}
