/**
 * Every capability that is loaded, and the decision what to load, keep and unload.
 *
 * Ownership: the broker owns one. It owns the instances; hosts are started through the port that it is given.
 *
 * I1 A shard of a version is loaded once, however many ask for it at once.
 * I2 What is loaded stays within the memory budget: the instance without leases that was used longest ago goes first, and
 *    when all have leases the request is refused.
 * I3 After a failed load the shard is left alone, for longer each time, and then tried again.
 * I4 An instance without leases is unloaded when nobody used it for its keep-alive time.
 * I5 A host that does not answer for `hangMs` is killed, whatever it does.
 * I6 The end of an instance is told once, and a new request starts a new instance.
 */
import { backoffMs, type Clock, type Log, type Meter, type Random, type Timer } from '@switchyard/kernel';
import { capabilityErrors } from '../errors.ts';
import type { HostConnection, HostStats } from '../hosts/host-contract.ts';
import { type CapabilityManifest, keyOf } from '../registry/capability-manifest.ts';
import { HostInstance, type InstanceEnd } from './host-instance.ts';

export interface HostPoolDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  readonly random: Random;
  /** Starts the host for a manifest, or gives the shared one. */
  openHost(manifest: CapabilityManifest, shard: string): HostConnection | Promise<HostConnection>;
  /** Where an instance's direct route and state are to be; undefined where it has none. */
  pathsOf(manifest: CapabilityManifest, instanceId: string, shard: string): InstancePaths;
  /** How long an instance without leases is kept after its last use. */
  keepAliveMs(manifest: CapabilityManifest, shard: string): number;
  onEnd(instance: HostInstance, end: InstanceEnd): void;
  onProbe(instance: HostInstance, stats: HostStats): void;
}

export interface InstancePaths {
  readonly directPath: string | undefined;
  readonly statePath: string | undefined;
}

export interface HostPoolOptions {
  readonly memoryBudgetBytes: number;
  readonly loadTimeoutMs: number;
  /** How often hosts are asked how they are. */
  readonly probeIntervalMs: number;
  /** How long a host may take to answer. */
  readonly hangMs: number;
}

/** Waits between tries to load what failed. */
const holdOff = { minimumMs: 500, maximumMs: 60_000, factor: 2, jitter: 0.2 };

export class HostPool {
  readonly #deps: HostPoolDeps;
  readonly #options: HostPoolOptions;
  readonly #instances = new Map<string, HostInstance>();
  readonly #failures = new Map<string, { readonly count: number; readonly untilMs: number }>();
  readonly #probing = new Set<HostInstance>();
  #timer: Timer | undefined;
  #started = 0;
  #closed = false;

  constructor(deps: HostPoolDeps, options: HostPoolOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#schedule();
  }

  /** The instance of a version on a shard, when there is one. */
  find(manifest: CapabilityManifest, shard: string): HostInstance | undefined {
    return this.#instances.get(placeOf(manifest, shard));
  }

  all(): HostInstance[] {
    return [...this.#instances.values()];
  }

  /** Loads a version on a shard, or waits until it is loaded. */
  async ensure(manifest: CapabilityManifest, shard: string): Promise<HostInstance> {
    const known = this.find(manifest, shard);
    if (known !== undefined) {
      await known.ready();
      return known;
    }
    const place = placeOf(manifest, shard);
    this.#checkOpen(place);
    this.#makeRoom(manifest, shard);
    const instance = this.#start(manifest, shard, place);
    try {
      await instance.ready();
    } catch (error) {
      const count = (this.#failures.get(place)?.count ?? 0) + 1;
      const waitMs = backoffMs(holdOff, count - 1, this.#deps.random);
      this.#failures.set(place, { count, untilMs: this.#deps.clock.monotonic() + waitMs });
      throw error;
    }
    this.#failures.delete(place);
    return instance;
  }

  /** Lets instances that match finish what they do, and unloads them. Returns how many. */
  drain(matches: (instance: HostInstance) => boolean): number {
    const chosen = this.all().filter(matches);
    for (const instance of chosen) instance.drain();
    return chosen.length;
  }

  /** Ends everything. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await Promise.all(this.all().map((instance) => instance.kill('the broker is closing', 'unloaded')));
  }

  get memoryBytes(): number {
    return this.all().reduce((sum, instance) => sum + instance.memoryBytes, 0);
  }

  #start(manifest: CapabilityManifest, shard: string, place: string): HostInstance {
    const { clock, log, meter } = this.#deps;
    this.#started += 1;
    const instanceId = `${place}.${this.#started}`;
    const paths = this.#deps.pathsOf(manifest, instanceId, shard);
    const instance = new HostInstance(
      {
        clock,
        ...paths,
        openHost: () => this.#deps.openHost(manifest, shard),
        onEnd: (ended, end) => {
          if (this.#instances.get(place) === ended) this.#instances.delete(place);
          const fields = { shard, version: manifest.version, outcome: end.kind, detail: end.detail };
          log.write(end.kind === 'unloaded' ? 'information' : 'warning', 'A capability is no longer loaded', fields);
          meter.count('capability_unloads', 1, { outcome: end.kind });
          this.#deps.onEnd(ended, end);
        },
      },
      { instanceId, manifest, shard, loadTimeoutMs: this.#options.loadTimeoutMs },
    );
    this.#instances.set(place, instance);
    return instance;
  }

  #checkOpen(place: string): void {
    if (this.#closed)
      throw capabilityErrors.create('SHARD_UNAVAILABLE', { shard: place, reason: 'the broker is closing' });
    const failure = this.#failures.get(place);
    const waitMs = Math.ceil((failure?.untilMs ?? 0) - this.#deps.clock.monotonic());
    if (waitMs > 0) throw capabilityErrors.create('CIRCUIT_OPEN', { shard: place, holdMs: waitMs });
  }

  /** Unloads what was used longest ago until the new one fits. */
  #makeRoom(manifest: CapabilityManifest, shard: string): void {
    const { memoryBudgetBytes } = this.#options;
    let neededBytes = this.memoryBytes + manifest.memoryFootprintBytes - memoryBudgetBytes;
    const idle = this.all()
      .filter((instance) => instance.state === 'warm' && instance.leases === 0 && instance.memoryBytes > 0)
      .sort((left, right) => left.usedAtMs - right.usedAtMs);
    for (const instance of idle) {
      if (neededBytes <= 0) return;
      neededBytes -= instance.memoryBytes;
      this.#deps.meter.count('capability_evictions', 1);
      this.#unload(instance);
    }
    if (neededBytes <= 0) return;
    const limit = `${memoryBudgetBytes} bytes`;
    const reason = `'${shard}' needs ${manifest.memoryFootprintBytes} more, and all that is loaded is in use`;
    throw capabilityErrors.create('RESOURCE_EXHAUSTED', { what: 'The memory of the broker', limit, reason });
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#timer = this.#deps.clock.schedule(this.#options.probeIntervalMs, () => {
      for (const instance of this.all()) this.#look(instance);
      this.#schedule();
    });
  }

  /** Unloads what rests too long, and asks the others how they are. */
  #look(instance: HostInstance): void {
    const idleMs = this.#deps.clock.monotonic() - instance.usedAtMs;
    const restsToo = instance.state === 'warm' && instance.leases === 0 && instance.manifest.tier !== 1;
    if (restsToo && idleMs >= this.#deps.keepAliveMs(instance.manifest, instance.shard)) {
      this.#unload(instance);
      return;
    }
    if (this.#probing.has(instance) || (instance.state !== 'warm' && instance.state !== 'draining')) return;
    this.#probing.add(instance);
    instance
      .probe(this.#options.hangMs)
      .then(
        (stats) => this.#deps.onProbe(instance, stats),
        () => instance.kill(`its host did not answer for ${this.#options.hangMs} ms`),
      )
      .finally(() => this.#probing.delete(instance))
      .catch(() => {});
  }

  #unload(instance: HostInstance): void {
    instance.unload().catch((error: unknown) => {
      this.#deps.log.write('error', 'A capability could not be unloaded', { instance: instance.instanceId, error });
    });
  }
}

function placeOf(manifest: CapabilityManifest, shard: string): string {
  return `${keyOf(manifest)}#${shard}.tier-${manifest.tier}`;
}
