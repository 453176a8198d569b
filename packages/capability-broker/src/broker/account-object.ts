/**
 * The main object of one account in one session: the same interface for every caller, and nothing of any other account.
 *
 * I1 The account is the one of the token, whatever the messages say.
 * I2 `release` ends leases of this account in this session only, by name or by lease id; what is no list of texts ends none.
 * I3 A direct route is only given to a caller that says it can take it; then the broker keeps no path of its own.
 */
import {
  type AccountTarget,
  type AcquireMessage,
  type AcquireRecord,
  type CapabilityInfo,
  type HandleRecord,
  type HealthStatus,
  RpcTarget,
} from '@switchyard/capabilities';
import type { PlatformError } from '@switchyard/kernel';
import { capabilityErrors } from '../errors.ts';
import type { Grant } from './acquire-outcome.ts';
import { type Account, type Broker, disposeTarget } from './broker.ts';
import { LeaseObject } from './lease-object.ts';
import { parseAcquire } from './parse-acquire.ts';

/** One release may name so many. */
const maxNames = 1_000;

export class AccountObject extends RpcTarget implements AccountTarget {
  readonly #broker: Broker;
  readonly #account: Account;
  /** The leases of this session, by name. */
  readonly #held = new Map<string, Set<string>>();

  constructor(broker: Broker, account: Account) {
    super();
    this.#broker = broker;
    this.#account = account;
  }

  list(): CapabilityInfo[] {
    return this.#broker.list(this.#account);
  }

  health(): HealthStatus {
    return this.#broker.health();
  }

  async acquire(message: AcquireMessage): Promise<AcquireRecord> {
    const outcome = await this.#broker.acquire(this.#account, parseAcquire(message));
    return {
      success: outcome.success,
      missing: outcome.missing,
      warnings: outcome.warnings,
      failures: [...outcome.failures].map(([name, failure]) => ({ name, ...failureOf(failure) })),
      handles: outcome.grants.map((grant) => this.#handleOf(grant)),
    };
  }

  release(names: readonly string[]): void {
    for (const name of parseNames(names)) {
      const ids = this.#held.get(name) ?? new Set(this.#holds(name) ? [name] : []);
      this.#broker.release(ids);
    }
    this.#forgetEnded();
  }

  #holds(leaseId: string): boolean {
    return [...this.#held.values()].some((ids) => ids.has(leaseId));
  }

  #handleOf(grant: Grant): HandleRecord {
    const { lease, manifest, shard, fallback, target, direct } = grant;
    const { name, version, tier, limits } = manifest;
    this.#forgetEnded();
    this.#held.set(name, (this.#held.get(name) ?? new Set()).add(lease.leaseId));
    const { leaseId, expiresAtMs } = lease;
    const object = new LeaseObject(this.#broker.leases, leaseId, name);
    const record = { name, version, tier, shard, fallback, leaseId, expiresAtMs, limits, lease: object };
    if (direct === undefined) return { ...record, target, direct: null };
    disposeTarget(target);
    return { ...record, target: null, direct };
  }

  #forgetEnded(): void {
    for (const [name, ids] of this.#held) {
      for (const leaseId of ids) if (this.#broker.leases.get(leaseId) === undefined) ids.delete(leaseId);
      if (ids.size === 0) this.#held.delete(name);
    }
  }
}

/** What a peer sent may be anything. */
function parseNames(names: unknown): readonly string[] {
  const isList = Array.isArray(names) && names.length <= maxNames && names.every((name) => typeof name === 'string');
  if (isList) return names;
  const reason = `it is no list of at most ${maxNames} texts, each the name of a capability or the id of a lease`;
  throw capabilityErrors.create('INVALID_PAYLOAD', { what: "What 'release' was given", reason });
}

function failureOf(failure: PlatformError): {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
} {
  return { code: failure.code, message: failure.message, retryable: failure.retry !== 'never' };
}
