import { RpcTarget } from '@switchyard/capabilities';
import { capabilityErrors } from '../errors.ts';
import {
  type CapabilityManifest,
  type CapabilityManifestInput,
  parseManifest,
} from '../registry/capability-manifest.ts';
import type { PackageStore } from '../store/package-store.ts';
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

/** What an administrator's object works on. */
export interface AdminDeps {
  readonly broker: Broker;
  readonly memoryBudgetBytes: number;
  /** Keeps what is added. Absent: nothing can be added, and roll-outs last until the broker ends. */
  readonly packages?: PackageStore;
}

/** What `switchyard caps` can do; only administrators get it. */
export class AdminObject extends RpcTarget {
  readonly #deps: AdminDeps;
  readonly #broker: Broker;

  constructor(deps: AdminDeps) {
    super();
    this.#deps = deps;
    this.#broker = deps.broker;
  }

  /**
   * Registers a version with the code that it brings, offered to so many of the accounts. Returns its digest; an empty text for
   * one that runs elsewhere, whose code is there already.
   */
  async add(input: CapabilityManifestInput, fileName: string, content: Uint8Array, weight: number): Promise<string> {
    const { packages } = this.#deps;
    if (packages === undefined) throw invalid('A package', 'this broker keeps none');
    if (!(content instanceof Uint8Array)) throw invalid('A package', 'it is no bytes');
    checkShare(weight);
    // Checked before the bytes are kept; the path is filled in after that.
    const checked = parseManifest({ ...input, entry: String(fileName) });
    if (checked.kind === 'builtin') throw invalid('A package', "kind 'builtin' is for capabilities of the program");
    if (checked.endpoint !== null) {
      this.#broker.registry.register(checked, weight);
      await packages.save({ manifest: checked, weight });
      return '';
    }
    const { digest, path } = await packages.put(content, String(fileName));
    if (checked.digest !== null && checked.digest !== digest)
      throw capabilityErrors.create('DIGEST_MISMATCH', {
        name: checked.name,
        actual: digest,
        expected: checked.digest,
      });
    const manifest: CapabilityManifest = { ...checked, entry: path, digest };
    this.#broker.registry.register(manifest, weight);
    await packages.save({ manifest, weight });
    return digest;
  }

  /** Takes versions back: no new lease gets them, and what is loaded drains. Returns how many. */
  async remove(name: string, version: string | null): Promise<number> {
    const gone = this.#broker.registry.unregister(String(name), version ?? undefined);
    for (const { manifest } of gone) {
      this.#broker.pool.drain((instance) => instance.manifest === manifest);
      await this.#deps.packages?.remove(manifest);
    }
    return gone.length;
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
      memoryBudgetBytes: this.#deps.memoryBudgetBytes,
    };
  }

  /** Loads a capability on so many shards; returns how many are loaded now. */
  async warm(name: string, version: string | null, shards: number): Promise<number> {
    return (await this.#broker.warm(name, version ?? undefined, shards)).length;
  }

  /** Sets the share of accounts that get a version. Above 0 it must load first, so nobody is sent to a broken one. */
  async rollout(name: string, version: string, weight: number): Promise<void> {
    checkShare(weight);
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
    await this.#saveWeights(name, version);
  }

  /** Lets what is loaded of a capability finish, and unloads it. Returns how many hosts. */
  drain(name: string, version: string | null): number {
    return this.#broker.pool.drain(
      ({ manifest }) => manifest.name === name && (version === null || manifest.version === version),
    );
  }

  /** What came with the program is registered anew at every start, so only packages are remembered. */
  async #saveWeights(name: string, version: string): Promise<void> {
    for (const entry of this.#broker.registry.versionsOf(name))
      if (entry.manifest.version === version && entry.manifest.digest !== null) await this.#deps.packages?.save(entry);
  }
}

function checkShare(weight: number): void {
  if (typeof weight === 'number' && weight >= 0 && weight <= 100) return;
  throw invalid('The share', `${weight} is not between 0 and 100`);
}

function invalid(what: string, reason: string): Error {
  return capabilityErrors.create('INVALID_PAYLOAD', { what, reason });
}
