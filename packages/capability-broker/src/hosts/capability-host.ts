/**
 * The Node.js side of the host contract: what a thread, a process or the broker's own process exports.
 *
 * Ownership: whoever starts the host owns it; it owns the capabilities that it loaded.
 *
 * I1 A key is loaded once; loading it again answers as before, also while the first load still runs.
 * I2 A ticket is good for its own lease only, and worth nothing once the lease ended.
 * I3 Dependencies stay usable for as long as the lease, and are given back at its end.
 * I4 After `unload` nothing of the capability answers any more.
 */
import { type CapabilityTarget, type HostGate, RpcTarget } from '@switchyard/capabilities';
import { type Clock, messageOf, PlatformError, type Random } from '@switchyard/kernel';
import { capabilityErrors } from '../errors.ts';
import { Spans } from '../tracing/spans.ts';
import type { CapabilityInstance } from './capability-module.ts';
import {
  type CapabilityHostContract,
  type DependencyTargets,
  type HostDescription,
  type HostStats,
  hostContractVersion,
  type LoadOrder,
  type LoadReport,
  type OpenOrder,
  type UnloadReport,
} from './host-contract.ts';
import { LoadedCapability } from './loaded-capability.ts';

/** A capability's instance, and how its code is given back. */
export interface LoadedModule {
  readonly instance: CapabilityInstance;
  /** Called after the instance is disposed of and dropped; tells whether its memory came back. */
  reclaim(): Promise<UnloadReport>;
}

export interface CapabilityHostDeps {
  readonly clock: Clock;
  readonly random: Pick<Random, 'bytes'>;
  readonly pid: number;
  /** Makes the instance that an order asks for. */
  loadModule(order: LoadOrder): Promise<LoadedModule>;
  /** Serves the gate on a Unix socket. Absent where nothing can connect. */
  listen?(path: string, gate: RpcTarget & HostGate): Promise<void>;
  memoryBytes(): number;
}

interface Loaded {
  readonly capability: LoadedCapability;
  readonly module: { reclaim(): Promise<UnloadReport> };
  readonly report: LoadReport;
}

export class CapabilityHost extends RpcTarget implements CapabilityHostContract {
  readonly #deps: CapabilityHostDeps;
  readonly #spans: Spans;
  readonly #loaded = new Map<string, Promise<Loaded>>();
  readonly #leases = new Map<
    string,
    { readonly capability: LoadedCapability; readonly ticket: string; giveBack(): void }
  >();
  readonly #tickets = new Map<string, CapabilityTarget>();

  constructor(deps: CapabilityHostDeps) {
    super();
    this.#deps = deps;
    this.#spans = new Spans(deps);
  }

  describe(): HostDescription {
    return { contract: hostContractVersion, language: 'node', pid: this.#deps.pid };
  }

  ping(): boolean {
    return true;
  }

  async load(order: LoadOrder): Promise<LoadReport> {
    const loading = this.#loaded.get(order.key) ?? this.#load(order);
    this.#loaded.set(order.key, loading);
    try {
      return (await loading).report;
    } catch (error) {
      this.#loaded.delete(order.key);
      throw error;
    }
  }

  async open(order: OpenOrder, dependencies: DependencyTargets): Promise<CapabilityTarget> {
    const { capability } = await this.#get(order.key);
    const kept = keep(dependencies);
    const target = capability.open(order, kept.targets);
    this.#leases.set(order.leaseId, { capability, ticket: order.ticket, giveBack: kept.giveBack });
    if (order.ticket !== '') this.#tickets.set(order.ticket, target);
    return target;
  }

  end(leaseId: string): void {
    const lease = this.#leases.get(leaseId);
    if (lease === undefined) return;
    this.#leases.delete(leaseId);
    this.#tickets.delete(lease.ticket);
    lease.capability.end(leaseId);
    lease.giveBack();
  }

  async unload(key: string): Promise<UnloadReport> {
    const loading = this.#loaded.get(key);
    if (loading === undefined) return { outcome: 'unloaded', detail: 'it was not loaded' };
    this.#loaded.delete(key);
    const reclaim = await this.#close(await loading);
    return reclaim();
  }

  async listen(path: string): Promise<void> {
    const { listen } = this.#deps;
    if (listen === undefined)
      throw capabilityErrors.create('INVALID_PAYLOAD', { what: 'A direct route', reason: 'this host serves none' });
    await listen(path, new TicketGate((ticket) => this.#tickets.get(ticket)));
  }

  async stats(): Promise<HostStats> {
    const total = { inFlight: 0, calls: 0, failures: 0, timeouts: 0 };
    for (const loading of this.#loaded.values()) {
      const { counts } = (await loading).capability;
      total.inFlight += counts.inFlight;
      total.calls += counts.calls;
      total.failures += counts.failures;
      total.timeouts += counts.timeouts;
    }
    return { ...total, leases: this.#leases.size, memoryBytes: this.#deps.memoryBytes(), spans: this.#spans.take() };
  }

  async #load(order: LoadOrder): Promise<Loaded> {
    const { clock } = this.#deps;
    const startMs = clock.monotonic();
    const module = await this.#deps.loadModule(order).catch((error: unknown) => {
      if (error instanceof PlatformError) throw error;
      const details = { name: order.name, version: order.version, reason: messageOf(error) };
      throw capabilityErrors.create('CAPABILITY_LOAD_FAILED', details, error);
    });
    const capability = new LoadedCapability({ clock, spans: this.#spans }, order, module.instance);
    const report = { loadMs: clock.monotonic() - startMs, methods: capability.methods };
    // The instance itself is held by the capability alone, so that dropping that drops all.
    return { capability, module: { reclaim: () => module.reclaim() }, report };
  }

  async #close({ capability, module }: Loaded): Promise<() => Promise<UnloadReport>> {
    for (const [leaseId, lease] of this.#leases) if (lease.capability === capability) this.end(leaseId);
    await capability.close();
    return () => module.reclaim();
  }

  async #get(key: string): Promise<Loaded> {
    const loading = this.#loaded.get(key);
    if (loading === undefined)
      throw capabilityErrors.create('SHARD_UNAVAILABLE', {
        shard: String(key),
        reason: 'it is not loaded in this host',
      });
    return loading;
  }
}

/** The main object of the direct route. */
class TicketGate extends RpcTarget implements HostGate {
  readonly #find: (ticket: string) => CapabilityTarget | undefined;

  constructor(find: (ticket: string) => CapabilityTarget | undefined) {
    super();
    this.#find = find;
  }

  redeem(ticket: string): CapabilityTarget {
    const target = typeof ticket === 'string' ? this.#find(ticket) : undefined;
    if (target === undefined)
      throw capabilityErrors.create('RELEASED', {
        name: 'the ticket',
        reason: 'it belongs to no lease, or to one that is over',
      });
    return target;
  }
}

/** A remote target dies with the call that brought it, unless it is duplicated. */
function keep(dependencies: DependencyTargets): { readonly targets: DependencyTargets; giveBack(): void } {
  const duplicates: Disposable[] = [];
  const kept = Object.entries(dependencies).map(([name, target]): [string, CapabilityTarget] => {
    if (!isRemote(target)) return [name, target];
    const duplicate = target.dup();
    duplicates.push(duplicate);
    return [name, duplicate];
  });
  return {
    targets: Object.fromEntries(kept),
    giveBack: () => {
      for (const duplicate of duplicates) duplicate[Symbol.dispose]();
    },
  };
}

/** Stubs of the library are functions; our own targets are objects. */
function isRemote(
  target: CapabilityTarget,
): target is CapabilityTarget & Disposable & { dup(): CapabilityTarget & Disposable } {
  return typeof target === 'function';
}
