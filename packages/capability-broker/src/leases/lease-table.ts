/**
 * Who holds which capability, and until when.
 *
 * A lease ends for one of five reasons, each exactly once, and its owner is told: the holder released it, the holder's
 * session dropped, its time ran out, its host died, or the broker takes it back.
 *
 * Ownership: the broker owns the table; whoever grants a lease gives the function that runs at its end.
 *
 * I1 `onEnd` of a lease runs exactly once, whatever ends it and how often.
 * I2 A lease that is not renewed ends `ttlMs` after it was granted or last renewed.
 * I3 The end of a host ends all its leases and no others.
 * I4 An account never holds more than `maxPerAccount` leases, and its limit does not touch other accounts.
 */
import type { Clock, Timer } from '@switchyard/kernel';
import { capabilityErrors } from '../errors.ts';

/** Why a lease is over. */
export type LeaseEnd = 'released' | 'disconnected' | 'expired' | 'host-died' | 'revoked';

export interface LeaseRequest {
  readonly account: string;
  readonly name: string;
  readonly version: string;
  /** The host instance that serves it. */
  readonly instanceId: string;
  onEnd(reason: LeaseEnd): void;
}

export interface Lease extends Omit<LeaseRequest, 'onEnd'> {
  readonly leaseId: string;
  readonly grantedAtMs: number;
  readonly expiresAtMs: number;
}

export interface LeaseOptions {
  readonly ttlMs: number;
  readonly maxPerAccount: number;
}

interface Entry {
  lease: Lease;
  timer: Timer;
  readonly onEnd: (reason: LeaseEnd) => void;
}

export class LeaseTable {
  readonly #clock: Clock;
  readonly #options: LeaseOptions;
  readonly #newId: () => string;
  readonly #entries = new Map<string, Entry>();
  readonly #countByAccount = new Map<string, number>();

  constructor(deps: { readonly clock: Clock; newId(): string }, options: LeaseOptions) {
    this.#clock = deps.clock;
    this.#newId = () => deps.newId();
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Starts a lease. Fails with RESOURCE_EXHAUSTED when the account holds too many. */
  grant({ onEnd, ...request }: LeaseRequest): Lease {
    const { maxPerAccount: limit } = this.#options;
    const held = this.#countByAccount.get(request.account) ?? 0;
    if (held >= limit) {
      const reason = 'release those that are not needed';
      throw capabilityErrors.create('RESOURCE_EXHAUSTED', {
        what: `Account '${request.account}'`,
        limit: `${limit} leases`,
        reason,
      });
    }
    this.#countByAccount.set(request.account, held + 1);
    const leaseId = this.#newId();
    const now = this.#clock.now();
    const lease = { ...request, leaseId, grantedAtMs: now, expiresAtMs: now + this.#options.ttlMs };
    this.#entries.set(leaseId, { lease, onEnd, timer: this.#schedule(leaseId) });
    return lease;
  }

  get(leaseId: string): Lease | undefined {
    return this.#entries.get(leaseId)?.lease;
  }

  /** Puts the end off; returns the new end, or undefined when the lease is over. */
  renew(leaseId: string): number | undefined {
    const entry = this.#entries.get(leaseId);
    if (entry === undefined) return undefined;
    entry.timer.cancel();
    entry.timer = this.#schedule(leaseId);
    entry.lease = { ...entry.lease, expiresAtMs: this.#clock.now() + this.#options.ttlMs };
    return entry.lease.expiresAtMs;
  }

  /** Ends a lease; returns false when it was over already. */
  end(leaseId: string, reason: LeaseEnd): boolean {
    const entry = this.#entries.get(leaseId);
    if (entry === undefined) return false;
    this.#entries.delete(leaseId);
    entry.timer.cancel();
    const { account } = entry.lease;
    const held = (this.#countByAccount.get(account) ?? 1) - 1;
    if (held === 0) this.#countByAccount.delete(account);
    else this.#countByAccount.set(account, held);
    entry.onEnd(reason);
    return true;
  }

  /** Ends every lease of a host instance; returns how many. */
  endInstance(instanceId: string, reason: LeaseEnd): number {
    const leases = this.heldOf(instanceId);
    for (const { leaseId } of leases) this.end(leaseId, reason);
    return leases.length;
  }

  heldOf(instanceId: string): Lease[] {
    return this.all().filter((lease) => lease.instanceId === instanceId);
  }

  countOf(account: string): number {
    return this.#countByAccount.get(account) ?? 0;
  }

  all(): Lease[] {
    return [...this.#entries.values()].map((entry) => entry.lease);
  }

  #schedule(leaseId: string): Timer {
    return this.#clock.schedule(this.#options.ttlMs, () => this.end(leaseId, 'expired'));
  }
}
