/**
 * One capability version on one shard, from the first request for it until its host is gone.
 *
 * Ownership: the pool owns it. The state owns the host's connection.
 *
 * I1 Loading happens once, however many wait for it, and who comes later gets its result.
 * I2 When the host ends, whatever the state, the instance is ended and its owner is told once.
 * I3 An instance that drains takes no more leases, and is unloaded when the last one is over.
 * I4 It is unloaded once, and reports how that went.
 */
import type { CapabilityTarget } from '@switchyard/capabilities';
import { type Clock, messageOf, type PlatformError, StateMachine, withDeadline } from '@switchyard/kernel';
import { capabilityErrors } from '../errors.ts';
import type {
  DependencyTargets,
  HostConnection,
  HostStats,
  LoadReport,
  OpenOrder,
  UnloadReport,
} from '../hosts/host-contract.ts';
import { type CapabilityManifest, keyOf } from '../registry/capability-manifest.ts';

/** What the pool starts and stops. */
export interface InstanceDeps {
  readonly clock: Clock;
  /** Starts a host, or gives the one that several capabilities share. */
  openHost(): HostConnection | Promise<HostConnection>;
  /** Where the direct route of the host is to be; undefined when it has none. */
  readonly directPath: string | undefined;
  readonly statePath: string | undefined;
  onEnd(instance: HostInstance, end: InstanceEnd): void;
}

export interface InstanceOptions {
  readonly instanceId: string;
  readonly manifest: CapabilityManifest;
  readonly shard: string;
  readonly loadTimeoutMs: number;
}

/** How an instance ended. */
export interface InstanceEnd {
  readonly kind: 'unloaded' | 'leaked' | 'died' | 'load-failed';
  readonly detail: string;
  /** What unloading took; 0 when it died. */
  readonly unloadMs: number;
  /** What it held when it was last asked. */
  readonly memoryBytes: number;
}

type State =
  | { readonly kind: 'loading'; readonly ready: Promise<void> }
  | { readonly kind: 'warm'; readonly connection: HostConnection; readonly report: LoadReport }
  | { readonly kind: 'draining'; readonly connection: HostConnection; readonly report: LoadReport }
  | { readonly kind: 'unloading'; readonly connection: HostConnection }
  | { readonly kind: 'ended' };

export type InstanceState = State['kind'];

export class HostInstance {
  readonly instanceId: string;
  readonly manifest: CapabilityManifest;
  readonly shard: string;
  readonly #deps: InstanceDeps;
  readonly #options: InstanceOptions;
  readonly #state: StateMachine<State>;
  #leases = 0;
  #usedAtMs: number;
  #memoryBytes: number;

  constructor(deps: InstanceDeps, options: InstanceOptions) {
    this.#deps = deps;
    this.#options = options;
    this.instanceId = options.instanceId;
    this.manifest = options.manifest;
    this.shard = options.shard;
    this.#usedAtMs = deps.clock.monotonic();
    this.#memoryBytes = options.manifest.memoryFootprintBytes;
    const ready = Promise.resolve().then(() => this.#load());
    ready.catch(() => {});
    this.#state = new StateMachine<State>(
      { kind: 'loading', ready },
      {
        loading: ['warm', 'ended'],
        warm: ['draining', 'unloading', 'ended'],
        draining: ['unloading', 'ended'],
        unloading: ['ended'],
        ended: [],
      },
    );
  }

  get state(): InstanceState {
    return this.#state.kind;
  }

  get leases(): number {
    return this.#leases;
  }

  /** When somebody last took or gave back a lease, in monotonic milliseconds. */
  get usedAtMs(): number {
    return this.#usedAtMs;
  }

  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  get loadMs(): number | undefined {
    const { state } = this.#state;
    return state.kind === 'warm' || state.kind === 'draining' ? state.report.loadMs : undefined;
  }

  get pid(): number | undefined {
    return this.#connection?.pid;
  }

  /** Where callers may reach it directly. */
  get directAddress(): string | undefined {
    const { directPath } = this.#deps;
    return directPath === undefined ? undefined : `unix:${directPath}`;
  }

  /** Settles when it is loaded, or with why it is not. */
  async ready(): Promise<void> {
    const { state } = this.#state;
    if (state.kind === 'loading') await state.ready;
    else if (state.kind !== 'warm') throw this.#unavailable('it is being unloaded');
  }

  /** Opens a lease on the host. `end` must follow, also when this fails. */
  async open(lease: Omit<OpenOrder, 'key'>, dependencies: DependencyTargets): Promise<CapabilityTarget> {
    this.#leases += 1;
    this.#usedAtMs = this.#deps.clock.monotonic();
    const { state } = this.#state;
    if (state.kind !== 'warm') throw this.#unavailable('it is being unloaded');
    return state.connection.host.open({ key: keyOf(this.manifest), ...lease }, dependencies);
  }

  /** Ends a lease that `open` began. */
  end(leaseId: string): void {
    const connection = this.#connection;
    if (connection !== undefined) Promise.resolve(connection.host.end(leaseId)).catch(() => {});
    this.#giveBack();
  }

  /** Asks the host how it is. Rejects when it does not answer within `timeoutMs`. */
  async probe(timeoutMs: number): Promise<HostStats> {
    const connection = this.#connection;
    if (connection === undefined) throw this.#unavailable('it is not loaded');
    const late = (): PlatformError => this.#unavailable(`its host did not answer for ${timeoutMs} ms`);
    const stats = await withDeadline(this.#deps.clock, timeoutMs, Promise.resolve(connection.host.stats()), late);
    // A host that several share does not know what each of them holds.
    if (connection.dedicated) this.#memoryBytes = stats.memoryBytes;
    return stats;
  }

  /** Takes no more leases, and unloads once the last is over. */
  drain(): void {
    const { state } = this.#state;
    if (state.kind !== 'warm') return;
    this.#state.transition({ ...state, kind: 'draining' });
    if (this.#leases === 0) this.unload().catch(() => {});
  }

  /** Unloads it now. Its leases must be over. */
  async unload(): Promise<InstanceEnd | undefined> {
    const { state } = this.#state;
    if (state.kind !== 'warm' && state.kind !== 'draining') return undefined;
    const { connection } = state;
    this.#state.transition({ kind: 'unloading', connection });
    const { clock } = this.#deps;
    const startMs = clock.monotonic();
    const report = await this.#unloadFrom(connection);
    const unloadMs = clock.monotonic() - startMs;
    const kind = report.outcome;
    const end: InstanceEnd = { kind, detail: report.detail, unloadMs, memoryBytes: this.#memoryBytes };
    this.#finish(end);
    return end;
  }

  /** Stops the host at once, because it hangs or must go; `unloaded` when nothing is wrong with it. */
  async kill(detail: string, kind: 'died' | 'unloaded' = 'died'): Promise<void> {
    const connection = this.#connection;
    this.#finish({ kind, detail, unloadMs: 0, memoryBytes: this.#memoryBytes });
    if (connection?.dedicated) await connection.kill();
  }

  async #unloadFrom(connection: HostConnection): Promise<UnloadReport> {
    if (connection.dedicated) {
      await connection.kill();
      return { outcome: 'unloaded', detail: 'its thread or process ended, and all its memory with it' };
    }
    try {
      return await connection.host.unload(keyOf(this.manifest));
    } catch (error) {
      return { outcome: 'leaked', detail: messageOf(error) };
    }
  }

  async #load(): Promise<void> {
    const { clock, directPath, statePath } = this.#deps;
    const { manifest, shard } = this;
    let opened: HostConnection | undefined;
    try {
      const startMs = clock.monotonic();
      const connection = await this.#deps.openHost();
      opened = connection;
      const { name, version, kind, entry, config, limits, idempotentMethods } = manifest;
      const order = {
        key: keyOf(manifest),
        name,
        version,
        shard,
        kind,
        entry,
        config,
        limits,
        idempotentMethods,
        statePath: statePath ?? null,
      };
      const load = async (): Promise<LoadReport> => {
        const { methods } = await connection.host.load(order);
        if (directPath !== undefined) await connection.host.listen(directPath);
        return { methods, loadMs: clock.monotonic() - startMs };
      };
      const timeoutMs = this.#options.loadTimeoutMs;
      const late = (): PlatformError =>
        capabilityErrors.create('TIMEOUT', { what: `Loading '${manifest.name}'`, timeoutMs });
      const report = await withDeadline(clock, timeoutMs, load(), late);
      this.#state.transition({ kind: 'warm', connection, report });
      if (connection.dedicated) connection.ended.then(({ reason }) => this.#lost(reason)).catch(() => {});
    } catch (error) {
      if (opened?.dedicated) await opened.kill();
      this.#finish({ kind: 'load-failed', detail: messageOf(error), unloadMs: 0, memoryBytes: 0 });
      throw error;
    }
  }

  get #connection(): HostConnection | undefined {
    const { state } = this.#state;
    return 'connection' in state ? state.connection : undefined;
  }

  #giveBack(): void {
    this.#leases -= 1;
    this.#usedAtMs = this.#deps.clock.monotonic();
    if (this.#leases === 0 && this.#state.kind === 'draining') this.unload().catch(() => {});
  }

  /** The host ended by itself; while unloading, that is what was asked for. */
  #lost(detail: string): void {
    if (this.#state.kind !== 'unloading')
      this.#finish({ kind: 'died', detail, unloadMs: 0, memoryBytes: this.#memoryBytes });
  }

  #finish(end: InstanceEnd): void {
    if (this.#state.kind === 'ended') return;
    this.#state.transition({ kind: 'ended' });
    this.#deps.onEnd(this, end);
  }

  #unavailable(reason: string): PlatformError {
    return capabilityErrors.create('SHARD_UNAVAILABLE', { shard: this.shard, reason });
  }
}
