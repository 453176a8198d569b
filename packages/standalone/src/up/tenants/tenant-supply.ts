/**
 * One supply made of one for each tenant, so that a tenant's workers come from its own pool and run as its own user.
 *
 * Ownership: the groups belong to whoever opens them; this only finds the right one.
 *
 * I1 A wish reaches the supply of the app's tenant, and no other.
 * I2 Observers hear every supply once, those added later too, until they leave; so do releases.
 */
import type { Log } from '@switchyard/kernel';
import type { ApplicationDefinition } from '@switchyard/model';
import type { ReleaseReason, SupplyEvent, SupplyRequest, WorkerSupply } from '@switchyard/protocol';

type Observer = (event: SupplyEvent) => void;

export interface TenantSupplyDeps {
  readonly log: Log;
  /** The tenant that owns an app's version; undefined when it was taken out meanwhile. */
  readonly tenantOf: (definition: ApplicationDefinition) => string | undefined;
}

export class TenantSupply implements WorkerSupply {
  readonly #deps: TenantSupplyDeps;
  readonly #supplies = new Map<string, WorkerSupply>();
  readonly #observers = new Map<Observer, (() => void)[]>();

  constructor(deps: TenantSupplyDeps) {
    this.#deps = deps;
  }

  /** Tenants may share a supply. */
  add(tenantId: string, supply: WorkerSupply): void {
    const isKnown = this.#distinct().has(supply);
    this.#supplies.set(tenantId, supply);
    if (isKnown) return;
    for (const [observer, leaves] of this.#observers) leaves.push(supply.watch(observer));
  }

  ensure(request: SupplyRequest): void {
    const { applicationId, codeVersion } = request.application;
    const tenantId = this.#deps.tenantOf(request.application);
    const supply = tenantId === undefined ? undefined : this.#supplies.get(tenantId);
    if (supply !== undefined) supply.ensure(request);
    else this.#deps.log.write('warning', 'Nobody can start workers for this version', { applicationId, codeVersion });
  }

  release(workerId: string, reason: ReleaseReason): void {
    for (const supply of this.#distinct()) supply.release(workerId, reason);
  }

  watch(observer: Observer): () => void {
    const own = (event: SupplyEvent): void => observer(event);
    this.#observers.set(
      own,
      [...this.#distinct()].map((supply) => supply.watch(own)),
    );
    return () => {
      for (const leave of this.#observers.get(own) ?? []) leave();
      this.#observers.delete(own);
    };
  }

  #distinct(): ReadonlySet<WorkerSupply> {
    return new Set(this.#supplies.values());
  }
}
