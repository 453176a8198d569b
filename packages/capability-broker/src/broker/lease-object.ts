import { type LeaseTarget, RpcTarget } from '@switchyard/capabilities';
import { capabilityErrors } from '../errors.ts';
import type { LeaseEnd, LeaseTable } from '../leases/lease-table.ts';

/** One lease as its holder sees it. When the holder drops it, or its session ends, the lease ends. */
export class LeaseObject extends RpcTarget implements LeaseTarget {
  readonly #leases: LeaseTable;
  readonly #leaseId: string;
  readonly #name: string;

  constructor(leases: LeaseTable, leaseId: string, name: string) {
    super();
    this.#leases = leases;
    this.#leaseId = leaseId;
    this.#name = name;
  }

  release(): void {
    this.#end('released');
  }

  renew(): number {
    const expiresAtMs = this.#leases.renew(this.#leaseId);
    if (expiresAtMs === undefined)
      throw capabilityErrors.create('RELEASED', { name: this.#name, reason: 'it is over' });
    return expiresAtMs;
  }

  [Symbol.dispose](): void {
    this.#end('disconnected');
  }

  #end(reason: LeaseEnd): void {
    this.#leases.end(this.#leaseId, reason);
  }
}
