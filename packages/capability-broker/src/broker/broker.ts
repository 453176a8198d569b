/**
 * The broker: finds, loads and hands out capabilities, and takes them back.
 *
 * It is not on the path of calls: what it hands out leads to the host itself wherever the caller can reach it.
 *
 * Ownership: the composition root owns the broker and closes it; it owns the registry, the pool and the leases.
 *
 * I1 Required capabilities are all acquired or none: when one fails, the leases of the others end before the answer.
 * I2 An acquire answers within its timeout; a load that it began goes on, and what comes of it is there for the next.
 * I3 A dependency is leased for the same account as what needs it, below it, and ends with it.
 * I4 The death of a host ends its leases at once, and the accounts on its shard go elsewhere next time.
 * I5 An account sees neither the leases nor the handles of another, and its limits do not touch others.
 * I6 An account that once got a version of a roll-out does not get an older one while the share only grows.
 */
import type { CapabilityHealth, CapabilityInfo, CapabilityTarget, HealthStatus } from '@switchyard/capabilities';
import {
  type Clock,
  isPlatformError,
  type Log,
  type Meter,
  messageOf,
  type PlatformError,
  type Random,
  withDeadline,
} from '@switchyard/kernel';
import { capabilityErrors } from '../errors.ts';
import type { HostConnection } from '../hosts/host-contract.ts';
import { type Lease, type LeaseEnd, LeaseTable } from '../leases/lease-table.ts';
import type { HostInstance, InstanceEnd } from '../pool/host-instance.ts';
import { HostPool, type InstancePaths } from '../pool/host-pool.ts';
import type { CapabilityManifest } from '../registry/capability-manifest.ts';
import { CapabilityRegistry } from '../registry/capability-registry.ts';
import { type ResolvePlan, resolveCapabilities } from '../registry/resolve-capabilities.ts';
import { Bulkheads } from '../resilience/bulkheads.ts';
import { CircuitBreakers } from '../resilience/circuit-breakers.ts';
import { chooseShard, type ShardView } from '../sharding/choose-shard.ts';
import { rolloutBucket, shardId, shardOrder } from '../sharding/shard-order.ts';
import { StickyAccounts } from '../sharding/sticky-accounts.ts';
import { readSpans, type SpanRecord, Spans } from '../tracing/spans.ts';
import { type SavedWarmth, Warmth } from '../warmth/warmth.ts';
import {
  type AcquireOutcome,
  answer,
  dependencyMissing,
  type Grant,
  noShard,
  refusal,
  toPlatformError,
} from './acquire-outcome.ts';
import type { BrokerOptions } from './broker-options.ts';
import type { ParsedAcquire } from './parse-acquire.ts';

export interface BrokerDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  readonly random: Random;
  openHost(manifest: CapabilityManifest, shard: string): HostConnection | Promise<HostConnection>;
  pathsOf(manifest: CapabilityManifest, instanceId: string, shard: string): InstancePaths;
  /** What was learned of idle gaps and load times before a restart, and where it is kept. */
  readonly warmth?: { readonly known: SavedWarmth; remember(learned: SavedWarmth): void };
  /** Told of the spans of the broker and of hosts. */
  recordSpan?(span: SpanRecord): void;
}

/** Who asks. */
export interface Account {
  readonly id: string;
  /** May have privileged capabilities. */
  readonly privileged: boolean;
}

/** A capability where it will run. */
interface Placed {
  readonly manifest: CapabilityManifest;
  readonly instance: HostInstance;
  readonly fallback: boolean;
}

export class Broker {
  readonly registry = new CapabilityRegistry();
  readonly leases: LeaseTable;
  readonly pool: HostPool;
  readonly warmth: Warmth;
  readonly #deps: BrokerDeps;
  readonly #options: BrokerOptions;
  readonly #sticky: StickyAccounts;
  readonly #breakers: CircuitBreakers;
  readonly #bulkheads: Bulkheads;
  readonly #spans: Spans;

  constructor(deps: BrokerDeps, options: BrokerOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#sticky = new StickyAccounts(deps, options.sticky);
    this.#breakers = new CircuitBreakers(options.breaker);
    this.#bulkheads = new Bulkheads(options.bulkhead);
    this.#spans = new Spans(deps);
    this.leases = new LeaseTable({ clock: deps.clock, newId: () => deps.random.uuid() }, options.leases);
    this.pool = new HostPool(
      {
        ...deps,
        openHost: (manifest, shard) => deps.openHost(manifest, shard),
        pathsOf: (manifest, instanceId, shard) => deps.pathsOf(manifest, instanceId, shard),
        keepAliveMs: (manifest, shard) => this.warmth.keepAliveMs(manifest, shard),
        onEnd: (instance, end) => this.#instanceEnded(instance, end),
        onProbe: (_instance, { spans }) => this.#tellSpans(readSpans(spans)),
      },
      options.pool,
    );
    this.warmth = new Warmth(deps, {
      ...options.warmth,
      ...deps.warmth,
      preload: (manifest, shard) => {
        this.#load(manifest, shard).catch((error: unknown) => {
          deps.log.write('warning', 'A capability could not be loaded ahead', { shard, error: messageOf(error) });
        });
      },
    });
  }

  /** What an account may have. */
  list(account: Account): CapabilityInfo[] {
    return this.registry
      .all()
      .filter(({ manifest, weight }) => mayHave(account, manifest) && rolloutBucket(manifest.name, account.id) < weight)
      .map(({ manifest }) => ({
        name: manifest.name,
        version: manifest.version,
        tier: manifest.tier,
        estimatedLoadTime: this.warmth.estimatedLoadMs(manifest),
        dependencies: manifest.requires.map((edge) => edge.name),
      }));
  }

  /** Acquires; never rejects for what can be said in the answer. */
  async acquire(account: Account, request: ParsedAcquire): Promise<AcquireOutcome> {
    const cancelled = { value: false };
    const span = this.#spans.begin('capability.acquire', request.traceparent);
    const work = this.#bulkheads.run(account.id, () => this.#acquire(account, request, cancelled));
    const { timeoutMs } = request;
    const late = (): PlatformError =>
      capabilityErrors.create('TIMEOUT', { what: 'Acquiring the capabilities', timeoutMs });
    try {
      const outcome = await withDeadline(this.#deps.clock, timeoutMs, work, late);
      const [failure] = outcome.failures.values();
      span.end(outcome.success ? '' : failure?.code);
      return outcome;
    } catch (error) {
      cancelled.value = true;
      span.end(toPlatformError(error).code);
      work.then(
        (outcome) => this.#takeBack(outcome.grants),
        () => {},
      );
      return refusal(request, new Map(request.required.map((name) => [name, toPlatformError(error)])));
    } finally {
      this.#deps.meter.count('capability_acquires', 1);
      this.#tellSpans(this.#spans.take());
    }
  }

  /** Ends leases; those that are over are fine. */
  release(leaseIds: Iterable<string>, reason: LeaseEnd = 'released'): void {
    for (const leaseId of leaseIds) this.leases.end(leaseId, reason);
  }

  /** How everything that is loaded is. Asks no host: what hangs is found by the pool. */
  health(): HealthStatus {
    const capabilities = this.pool.all().map((instance): CapabilityHealth => {
      const open = this.#breakers.isOpen(instance.shard);
      const status = open ? 'unhealthy' : instance.state === 'warm' ? 'healthy' : 'degraded';
      const detail = open ? 'it failed too often and is left alone' : instance.state;
      return {
        name: instance.manifest.name,
        version: instance.manifest.version,
        shard: instance.shard,
        status,
        detail,
      };
    });
    const bad = capabilities.filter((entry) => entry.status === 'unhealthy').length;
    const status = bad === 0 ? 'healthy' : bad === capabilities.length ? 'unhealthy' : 'degraded';
    return { status, capabilities };
  }

  /** Loads a capability before anybody asks, on its first shard or as many as `shards` says. */
  async warm(name: string, version?: string, shards = 1): Promise<HostInstance[]> {
    const entry = this.registry
      .versionsOf(name)
      .find(({ manifest }) => version === undefined || manifest.version === version);
    if (entry === undefined) throw capabilityErrors.create('CAPABILITY_NOT_FOUND', { name });
    const { manifest } = entry;
    const ids = Array.from({ length: Math.min(shards, manifest.shards) }, (_, index) => shardId(name, index));
    return Promise.all(ids.map((shard) => this.#load(manifest, shard)));
  }

  async close(): Promise<void> {
    this.warmth.close();
    await this.pool.close();
    this.release(
      this.leases.all().map((lease) => lease.leaseId),
      'revoked',
    );
  }

  async #acquire(
    account: Account,
    request: ParsedAcquire,
    cancelled: { readonly value: boolean },
  ): Promise<AcquireOutcome> {
    const plan = resolveCapabilities(this.registry, {
      required: request.required,
      optional: request.optional,
      rangeOf: (name) => request.ranges.get(name) ?? request.range,
      preferLocal: request.preferLocal,
      bucketOf: (name) => rolloutBucket(name, account.id),
      mayHave: (manifest) => mayHave(account, manifest),
    });
    if (plan.kind === 'refused') return refusal(request, plan.failures);
    const placed = await this.#place(account, request, plan);
    const failures = new Map(plan.missing);
    const granted: { readonly name: string; readonly grant: Grant }[] = [];
    for (const name of plan.granted) {
      const result = await this.#grant(name, account, request, placed).catch(toPlatformError);
      if (!isPlatformError(result)) granted.push({ name, grant: result });
      else failures.set(name, result);
    }
    const grants = granted.map(({ grant }) => grant);
    const lost = request.required.some((name) => failures.has(name));
    if (!lost && !cancelled.value) return answer(grants, failures);
    for (const { target } of grants) disposeTarget(target);
    this.#takeBack(grants);
    return refusal(request, failures);
  }

  /** Loads what the plan names; what needs something else waits for it, the rest loads side by side. */
  async #place(
    account: Account,
    request: ParsedAcquire,
    plan: ResolvePlan,
  ): Promise<Map<string, Placed | PlatformError>> {
    const loading = new Map<string, Promise<Placed | PlatformError>>();
    for (const manifest of plan.load) {
      const before = manifest.requires.map((edge) => loading.get(edge.name));
      const load = async (): Promise<Placed | PlatformError> => {
        for (const [index, result] of (await Promise.all(before)).entries())
          if (isPlatformError(result))
            return dependencyMissing(manifest.name, manifest.requires[index]?.name ?? '', result);
        return this.#placeOne(account, request, manifest).catch(toPlatformError);
      };
      loading.set(manifest.name, load());
    }
    return new Map(await Promise.all([...loading].map(async ([name, result]) => [name, await result] as const)));
  }

  async #placeOne(account: Account, request: ParsedAcquire, manifest: CapabilityManifest): Promise<Placed> {
    const { name } = manifest;
    const choice = chooseShard({
      order: shardOrder(this.#options.shardStrategy, name, account.id, manifest.shards),
      sticky: this.#sticky.shardOf(name, account.id),
      allowColdStart: request.allowColdStart,
      view: (shard) => this.#view(manifest, shard),
    });
    if (choice.kind === 'none') throw noShard(manifest, choice.reason, this.#options.breaker.holdMs);
    this.warmth.use(manifest, choice.shard);
    const instance = await this.#load(manifest, choice.shard);
    this.#sticky.use(name, account.id, choice.shard);
    return { manifest, instance, fallback: choice.fallback };
  }

  async #load(manifest: CapabilityManifest, shard: string): Promise<HostInstance> {
    // What is loaded already says nothing about whether loading works.
    const known = this.pool.find(manifest, shard)?.state === 'warm';
    const ensure = (): Promise<HostInstance> => this.pool.ensure(manifest, shard);
    const instance = known ? await ensure() : await this.#breakers.run(shard, ensure);
    if (!known && instance.loadMs !== undefined) this.warmth.loaded(manifest, instance.loadMs);
    return instance;
  }

  #view(manifest: CapabilityManifest, shard: string): ShardView {
    if (this.#breakers.isOpen(shard)) return 'closed';
    const instance = this.pool.find(manifest, shard);
    if (instance === undefined) return 'cold';
    if (instance.state === 'draining' || instance.state === 'unloading') return 'closed';
    return instance.leases >= this.#options.maxLeasesPerShard ? 'full' : 'warm';
  }

  /** Opens the lease of one name, and below it those of what it needs. */
  async #grant(
    name: string,
    account: Account,
    request: ParsedAcquire,
    placed: ReadonlyMap<string, Placed | PlatformError>,
  ): Promise<Grant> {
    const place = placed.get(name);
    if (place === undefined) throw capabilityErrors.create('CAPABILITY_NOT_FOUND', { name });
    if (isPlatformError(place)) throw place;
    const { manifest, instance, fallback } = place;
    const below: Grant[] = [];
    try {
      for (const edge of manifest.requires) below.push(await this.#grant(edge.name, account, request, placed));
      const lease = this.#grantLease(account, manifest, instance, below);
      const useDirect = request.reachesHosts && instance.directAddress !== undefined;
      const ticket = useDirect ? Buffer.from(this.#deps.random.bytes(24)).toString('base64url') : '';
      const order = { leaseId: lease.leaseId, account: account.id, ticket };
      const dependencies = Object.fromEntries(below.map((grant) => [grant.manifest.name, grant.target]));
      const target = await instance.open(order, dependencies).catch((error: unknown) => {
        this.leases.end(lease.leaseId, 'revoked');
        throw error;
      });
      const direct = useDirect ? { address: instance.directAddress ?? '', ticket } : undefined;
      return { lease, manifest, shard: instance.shard, fallback, target, direct };
    } catch (error) {
      this.#takeBack(below);
      throw error;
    }
  }

  #grantLease(account: Account, manifest: CapabilityManifest, instance: HostInstance, below: readonly Grant[]): Lease {
    const { name, version } = manifest;
    const lease = this.leases.grant({
      account: account.id,
      name,
      version,
      instanceId: instance.instanceId,
      onEnd: (reason) => {
        instance.end(lease.leaseId);
        for (const { target } of below) disposeTarget(target);
        this.#takeBack(below);
        this.#deps.meter.count('capability_lease_ends', 1, { reason });
      },
    });
    return lease;
  }

  #takeBack(grants: readonly Grant[]): void {
    this.release(
      grants.map(({ lease }) => lease.leaseId),
      'revoked',
    );
  }

  #tellSpans(spans: readonly SpanRecord[]): void {
    for (const span of spans) this.#deps.recordSpan?.(span);
  }

  #instanceEnded(instance: HostInstance, end: InstanceEnd): void {
    this.leases.endInstance(instance.instanceId, 'host-died');
    if (end.kind !== 'died') return;
    const { name, shards } = instance.manifest;
    this.#sticky.loseShard(instance.shard, (_capability, account) => {
      const order = shardOrder(this.#options.shardStrategy, name, account, shards);
      return order[(order.indexOf(instance.shard) + 1) % order.length];
    });
    this.#breakers.note(instance.shard, false).catch(() => {});
  }
}

/** Gives back a target of another host; one of this process needs none of that. */
export function disposeTarget(target: CapabilityTarget): void {
  if (typeof target === 'function') (target as CapabilityTarget & Disposable)[Symbol.dispose]();
}

function mayHave(account: Account, manifest: CapabilityManifest): boolean {
  return account.privileged || !manifest.privileged;
}
