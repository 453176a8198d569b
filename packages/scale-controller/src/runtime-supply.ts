/**
 * The part of a supply that one of several Runtimes sees: its own wishes and its own workers.
 *
 * Ownership: whoever joins the Runtime to the supply. The supply, and every pod, belongs to somebody else.
 *
 * I1 A Runtime hears of its own workers alone, and of each event once.
 * I2 It never asks for more workers than `maxWorkers` for all of its apps together; what is beyond that is asked for as soon as
 *    there is room.
 * I3 After `forget` its wishes are 0 and its workers are released; what it asks for then is ignored.
 */
import type { ReleaseReason, SupplyEvent, SupplyRequest, WorkerSupply } from '@switchyard/protocol';
import { versionKey } from './loop/scaled-runtime.ts';

export interface RuntimeSupply extends WorkerSupply {
  /** The Runtime is gone: nobody uses its workers any more. */
  forget(): void;
}

/** `runtimeId` is undefined for the Runtime of the supply's own process. */
export function createRuntimeSupply(
  supply: WorkerSupply,
  runtimeId: string | undefined,
  maxWorkers: number,
): RuntimeSupply {
  return new PartOfSupply(supply, runtimeId, maxWorkers);
}

/** What a version is wished to have, and what of that was asked for. */
interface Wish {
  request: SupplyRequest;
  granted: number;
}

class PartOfSupply implements RuntimeSupply {
  readonly #supply: WorkerSupply;
  readonly #runtimeId: string | undefined;
  readonly #workerIds = new Set<string>();
  readonly #maxWorkers: number;
  readonly #wishes = new Map<string, Wish>();
  readonly #observers = new Set<(event: SupplyEvent) => void>();
  readonly #leave: () => void;
  #isForgotten = false;

  constructor(supply: WorkerSupply, runtimeId: string | undefined, maxWorkers: number) {
    this.#supply = supply;
    this.#runtimeId = runtimeId;
    this.#maxWorkers = maxWorkers;
    this.#leave = supply.watch((event) => this.#hear(event));
  }

  ensure(request: SupplyRequest): void {
    if (this.#isForgotten) return;
    const key = versionKey(request.application);
    const wish = this.#wishes.get(key) ?? { request, granted: 0 };
    wish.request = request;
    this.#wishes.set(key, wish);
    this.#grant(wish);
    for (const other of this.#wishes.values()) if (other.granted < other.request.count) this.#grant(other);
    if (request.count === 0) this.#wishes.delete(key);
  }

  release(workerId: string, reason: ReleaseReason): void {
    if (this.#workerIds.has(workerId)) this.#supply.release(workerId, reason);
  }

  watch(observer: (event: SupplyEvent) => void): () => void {
    // Those that are there come first, as the contract has it.
    this.#supply.watch((event) => {
      if (event.kind === 'expected' && event.runtimeId === this.#runtimeId) observer(event);
    })();
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  forget(): void {
    if (this.#isForgotten) return;
    const applications = [...this.#wishes.values()].map(({ request }) => request.application);
    this.#wishes.clear();
    for (const application of applications) {
      this.ensure({ application, count: 0, urgency: 'normal', reason: 'scale' });
    }
    this.#isForgotten = true;
    for (const workerId of this.#workerIds) this.#supply.release(workerId, 'application-stopped');
    this.#observers.clear();
    this.#leave();
  }

  #grant(wish: Wish): void {
    const { request } = wish;
    const others = [...this.#wishes.values()].reduce((sum, one) => sum + (one === wish ? 0 : one.granted), 0);
    wish.granted = Math.min(request.count, Math.max(0, this.#maxWorkers - others));
    const whose = this.#runtimeId === undefined ? {} : { runtimeId: this.#runtimeId };
    this.#supply.ensure({ ...request, count: wish.granted, ...whose });
  }

  #hear(event: SupplyEvent): void {
    const isOwn =
      event.kind === 'expected' || event.kind === 'failed'
        ? event.runtimeId === this.#runtimeId
        : this.#workerIds.has(event.workerId);
    if (!isOwn) return;
    if (event.kind === 'expected') this.#workerIds.add(event.workerId);
    for (const observer of [...this.#observers]) observer(event);
    if (event.kind === 'exited') this.#workerIds.delete(event.workerId);
  }
}
