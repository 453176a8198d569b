/**
 * One supply made of several: one for each tenant, whose workers come from its own pool and run as its own user, and in that
 * one for workers that can wait for their app and one for those that cannot.
 *
 * Ownership: the supplies belong to whoever opens them; this only finds the right one.
 *
 * I1 A wish reaches the supply of its version's key, and no other.
 * I2 Observers hear every supply once, those added later too, until they leave; so do releases.
 */
import type { Log } from '@switchyard/kernel';
import type { ApplicationDefinition } from '@switchyard/model';
import type { ReleaseReason, SupplyEvent, SupplyRequest, WorkerSupply } from '@switchyard/protocol';

type Observer = (event: SupplyEvent) => void;

export interface KeyedSupplyDeps {
  readonly log: Log;
  /** Which supply a version has; undefined when it was taken out meanwhile. */
  readonly keyOf: (definition: ApplicationDefinition) => string | undefined;
}

export class KeyedSupply implements WorkerSupply {
  readonly #deps: KeyedSupplyDeps;
  readonly #supplies = new Map<string, WorkerSupply>();
  readonly #observers = new Map<Observer, (() => void)[]>();

  constructor(deps: KeyedSupplyDeps) {
    this.#deps = deps;
  }

  /** Several keys may share a supply. */
  add(key: string, supply: WorkerSupply): void {
    const isKnown = this.#distinct().has(supply);
    this.#supplies.set(key, supply);
    if (isKnown) return;
    for (const [observer, leaves] of this.#observers) leaves.push(supply.watch(observer));
  }

  ensure(request: SupplyRequest): void {
    const { applicationId, codeVersion } = request.application;
    const key = this.#deps.keyOf(request.application);
    const supply = key === undefined ? undefined : this.#supplies.get(key);
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
