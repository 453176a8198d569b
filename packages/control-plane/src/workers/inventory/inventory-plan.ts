/** What a sweep of a compute target changes in the inventory. Pure. */
import type { ObservedService, RuntimeService } from '@switchyard/protocol/control-api';
import { isSame } from '../../domain/canonical.ts';

/** Sweeps in a row that must miss a service before it is taken for gone. */
export const missedSweepsOfTombstone = 2;

/** Two sweeps that miss a service count as two only with so much time between them. */
export const resweepMs = 30_000;

export interface InventorySight {
  readonly computeTarget: string;
  /** All that the target has. */
  readonly observed: readonly ObservedService[];
  /** What the inventory has of this target. */
  readonly known: readonly RuntimeService[];
  /** Whose the service is: by its specification, or by its tenant's own environment. Undefined: nobody's that we know. */
  readonly ownerOf: (service: ObservedService) => InventoryOwner | undefined;
}

export interface InventoryOwner {
  readonly tenantId: string;
  readonly environmentId: string;
  readonly managed: boolean;
}

export interface InventoryDelta {
  readonly puts: readonly RuntimeService[];
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly gone: readonly string[];
}

export function planInventory(sight: InventorySight, nowMs: number): InventoryDelta {
  const known = new Map(sight.known.map((service) => [service.serviceId, service]));
  const delta = { puts: [] as RuntimeService[], added: [] as string[], changed: [] as string[], gone: [] as string[] };
  for (const observed of sight.observed) {
    const before = known.get(observed.serviceId);
    known.delete(observed.serviceId);
    const owner = sight.ownerOf(observed);
    if (owner === undefined) continue;
    const after = toService(observed, owner, sight.computeTarget, nowMs);
    if (before !== undefined && isUnchanged(before, after)) continue;
    delta.puts.push(after);
    (before === undefined || before.missedSweeps >= missedSweepsOfTombstone ? delta.added : delta.changed).push(
      observed.serviceId,
    );
  }
  for (const missing of known.values()) {
    if (missing.missedSweeps >= missedSweepsOfTombstone) continue;
    if (missing.missedSweeps > 0 && nowMs < missing.lastObservedAt + resweepMs) continue;
    const missedSweeps = missing.missedSweeps + 1;
    const isGone = missedSweeps >= missedSweepsOfTombstone;
    const rest = isGone ? { ...missing, status: 'stopped' as const, replicas: 0, weights: [] } : missing;
    delta.puts.push({ ...rest, missedSweeps, lastObservedAt: nowMs });
    if (isGone) delta.gone.push(missing.serviceId);
  }
  return delta;
}

/** True for a service that is there as far as the last sweeps tell. */
export function isPresent({ missedSweeps }: RuntimeService): boolean {
  return missedSweeps < missedSweepsOfTombstone;
}

function toService(
  observed: ObservedService,
  { tenantId, environmentId, managed }: InventoryOwner,
  computeTarget: string,
  nowMs: number,
): RuntimeService {
  return { ...observed, tenantId, environmentId, computeTarget, managed, missedSweeps: 0, lastObservedAt: nowMs };
}

function isUnchanged(before: RuntimeService, after: RuntimeService): boolean {
  return isSame({ ...before, lastObservedAt: 0 }, { ...after, lastObservedAt: 0 });
}
