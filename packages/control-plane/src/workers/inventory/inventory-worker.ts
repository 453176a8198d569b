/**
 * RuntimeInventoryWorker: keeps the list of what really runs, target by target.
 *
 * Keys are compute targets.
 *
 * I1 A sweep that finds what the one before has found writes nothing and tells nothing.
 * I2 A service is taken for gone only after two whole sweeps without it; a target that cannot tell makes none go.
 * I3 What runs and nobody has applied is taken up as unmanaged, in its tenant's own environment.
 */
import type { EventEnvelope } from '@switchyard/protocol';
import type { ObservedService, RuntimeService, ServiceSpec } from '@switchyard/protocol/control-api';
import { defaultEnvironmentId } from '../../domain/default-environment.ts';
import { payloadText } from '../../domain/events.ts';
import { put } from '../../domain/records.ts';
import type { Batch, DomainView, EventDraft, Finding, Run, Worker } from '../../frame/contract.ts';
import type { ComputeTargets } from '../../targets/contract.ts';
import { type InventoryDelta, type InventoryOwner, planInventory, resweepMs } from './inventory-plan.ts';

/** Pages of one sweep; a target that has more is no target of ours. */
const maxPages = 10_000;

export class InventoryWorker implements Worker {
  readonly name = 'inventory';
  readonly #targets: ComputeTargets;

  constructor({ targets }: { readonly targets: ComputeTargets }) {
    this.#targets = targets;
  }

  async keysOf({ payload }: EventEnvelope, view: DomainView): Promise<readonly string[]> {
    const named = payloadText(payload, 'computeTarget');
    if (named !== undefined) return this.#targets.names.includes(named) ? [named] : [];
    const service = await view.get('service', payloadText(payload, 'serviceId') ?? '');
    return service === undefined ? [] : [service.computeTarget];
  }

  async keysOfTick(): Promise<readonly string[]> {
    return this.#targets.names;
  }

  async look({ key, view, nowMs }: Run): Promise<Finding> {
    const observed = await this.#sweep(key);
    const [services, specs, bindings] = await Promise.all([
      view.list('service'),
      view.list('serviceSpec'),
      view.list('tenantBinding'),
    ]);
    const specOf = new Map(specs.map((spec) => [spec.serviceId, spec]));
    const tenantOf = new Map(bindings.map(({ environmentId, tenantId }) => [environmentId, tenantId]));
    const known = services.filter(({ computeTarget }) => computeTarget === key);
    const sight = {
      computeTarget: key,
      observed,
      known,
      ownerOf: (service: ObservedService) => ownerOf(service, key, specOf, tenantOf),
    };
    const delta = planInventory(sight, nowMs);
    const [batch] = batchesOf(delta, key);
    if (batch === undefined) {
      const isMissing = known.some(({ missedSweeps }) => missedSweeps === 1);
      return { kind: 'rest', ...(isMissing ? { wakeAtMs: nowMs + resweepMs } : {}) };
    }
    return {
      kind: 'work',
      what: 'sweep',
      tenantId: batch.tenantId,
      environmentId: batch.environmentId,
      act: async (run): Promise<Batch> => {
        for (const one of batchesOf(delta, key)) await run.commit(one.batch);
        return {};
      },
    };
  }

  async #sweep(key: string): Promise<readonly ObservedService[]> {
    const target = this.#targets.find(key);
    const found: ObservedService[] = [];
    let after: string | undefined;
    const { signal } = new AbortController();
    for (let page = 0; page < maxPages; page += 1) {
      const { items, next } = await target.list(after, signal);
      for (const item of items) found.push(item);
      if (next === undefined) return found;
      after = next;
    }
    return found;
  }
}

function ownerOf(
  { serviceId, tenantId }: ObservedService,
  computeTarget: string,
  specOf: ReadonlyMap<string, ServiceSpec>,
  tenantOf: ReadonlyMap<string, string>,
): InventoryOwner | undefined {
  const spec = specOf.get(serviceId);
  // A specification of another tenant cannot take over what is not its own.
  const isOwn =
    spec !== undefined &&
    spec.computeTarget === computeTarget &&
    (tenantId ?? spec.tenantId) === spec.tenantId &&
    tenantOf.get(spec.environmentId) === spec.tenantId;
  if (isOwn) return { tenantId: spec.tenantId, environmentId: spec.environmentId, managed: true };
  if (tenantId === undefined) return undefined;
  const environmentId = defaultEnvironmentId(tenantId);
  return tenantOf.get(environmentId) === tenantId ? { tenantId, environmentId, managed: false } : undefined;
}

interface EnvironmentBatch {
  readonly tenantId: string;
  readonly environmentId: string;
  readonly batch: Batch;
}

/** At least one for each environment, so that each event is of one tenant. */
function batchesOf(delta: InventoryDelta, computeTarget: string): readonly EnvironmentBatch[] {
  const byEnvironment = new Map<string, RuntimeService[]>();
  for (const service of delta.puts) {
    const list = byEnvironment.get(service.environmentId) ?? [];
    list.push(service);
    byEnvironment.set(service.environmentId, list);
  }
  return [...byEnvironment].flatMap(([environmentId, all]) =>
    slicesOf(all).flatMap((services) => {
      const [first] = services;
      if (first === undefined) return [];
      const { tenantId } = first;
      const event = toEvent(delta, services, { tenantId, environmentId, computeTarget });
      const puts = services.map((service) => put('service', service));
      return [{ tenantId, environmentId, batch: { puts, ...(event === undefined ? {} : { events: [event] }) } }];
    }),
  );
}

/** Services that one commit holds, and one event names. */
const maxServices = 500;

function slicesOf(services: readonly RuntimeService[]): readonly (readonly RuntimeService[])[] {
  const count = Math.ceil(services.length / maxServices);
  return Array.from({ length: count }, (_, at) => services.slice(at * maxServices, (at + 1) * maxServices));
}

function toEvent(
  delta: InventoryDelta,
  services: readonly RuntimeService[],
  of: { readonly tenantId: string; readonly environmentId: string; readonly computeTarget: string },
): EventDraft | undefined {
  const ids = new Set(services.map(({ serviceId }) => serviceId));
  const here = (names: readonly string[]): string[] => names.filter((name) => ids.has(name));
  const [added, changed, gone] = [here(delta.added), here(delta.changed), here(delta.gone)];
  if (added.length + changed.length + gone.length === 0) return undefined;
  const { tenantId, environmentId, computeTarget } = of;
  const payload = { computeTarget, added, changed, gone };
  return { eventType: 'RuntimeInventoryUpdated', tenantId, environmentId, subject: computeTarget, payload };
}
