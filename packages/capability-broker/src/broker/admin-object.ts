import { RpcTarget } from '@switchyard/capabilities';
import { capabilityErrors } from '../errors.ts';
import type { Broker } from './broker.ts';

/** One line of `switchyard caps ls`. */
export interface CapabilityLine {
  readonly name: string;
  readonly version: string;
  readonly tier: number;
  readonly kind: string;
  /** The share of accounts that it is offered to, 0 to 100. */
  readonly weight: number;
  readonly shards: number;
  readonly loaded: number;
  readonly estimatedLoadMs: number;
  readonly requires: readonly string[];
}

/** One line of `switchyard caps stats`. */
export interface InstanceLine {
  readonly name: string;
  readonly version: string;
  readonly shard: string;
  readonly state: string;
  readonly leases: number;
  readonly memoryBytes: number;
  readonly loadMs: number | null;
  readonly pid: number | null;
}

export interface BrokerStats {
  readonly instances: readonly InstanceLine[];
  readonly leases: number;
  readonly memoryBytes: number;
  readonly memoryBudgetBytes: number;
}

/** What `switchyard caps` can do; only administrators get it. */
export class AdminObject extends RpcTarget {
  readonly #broker: Broker;
  readonly #memoryBudgetBytes: number;

  constructor(broker: Broker, memoryBudgetBytes: number) {
    super();
    this.#broker = broker;
    this.#memoryBudgetBytes = memoryBudgetBytes;
  }

  list(): CapabilityLine[] {
    const instances = this.#broker.pool.all();
    return this.#broker.registry.all().map(({ manifest, weight }) => ({
      name: manifest.name,
      version: manifest.version,
      tier: manifest.tier,
      kind: manifest.kind,
      weight,
      shards: manifest.shards,
      loaded: instances.filter((instance) => instance.manifest === manifest).length,
      estimatedLoadMs: this.#broker.warmth.estimatedLoadMs(manifest),
      requires: manifest.requires.map(({ name, range }) => `${name}@${range}`),
    }));
  }

  stats(): BrokerStats {
    const { pool, leases } = this.#broker;
    const instances = pool.all().map((instance) => ({
      name: instance.manifest.name,
      version: instance.manifest.version,
      shard: instance.shard,
      state: instance.state,
      leases: instance.leases,
      memoryBytes: instance.memoryBytes,
      loadMs: instance.loadMs ?? null,
      pid: instance.pid ?? null,
    }));
    return {
      instances,
      leases: leases.size,
      memoryBytes: pool.memoryBytes,
      memoryBudgetBytes: this.#memoryBudgetBytes,
    };
  }

  /** Loads a capability on so many shards; returns how many are loaded now. */
  async warm(name: string, version: string | null, shards: number): Promise<number> {
    return (await this.#broker.warm(name, version ?? undefined, shards)).length;
  }

  /** Sets the share of accounts that get a version. Above 0 it must load first, so nobody is sent to a broken one. */
  async rollout(name: string, version: string, weight: number): Promise<void> {
    if (!(weight >= 0 && weight <= 100))
      throw capabilityErrors.create('INVALID_PAYLOAD', {
        what: 'The share',
        reason: `${weight} is not between 0 and 100`,
      });
    const versions = this.#broker.registry.versionsOf(name).map((entry) => entry.manifest.version);
    if (versions.length === 0) throw capabilityErrors.create('CAPABILITY_NOT_FOUND', { name });
    if (!versions.includes(version))
      throw capabilityErrors.create('VERSION_MISMATCH', {
        name,
        ranges: `'${version}'`,
        versions: versions.join(', '),
      });
    if (weight > 0) await this.#broker.warm(name, version);
    this.#broker.registry.setWeight(name, version, weight);
  }

  /** Lets what is loaded of a capability finish, and unloads it. Returns how many hosts. */
  drain(name: string, version: string | null): number {
    return this.#broker.pool.drain(
      ({ manifest }) => manifest.name === name && (version === null || manifest.version === version),
    );
  }
}
