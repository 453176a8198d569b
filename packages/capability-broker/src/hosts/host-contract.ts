/**
 * The one contract between the broker and every host, whatever its language: capnweb over newline-delimited JSON on
 * stdio or a Unix socket, over a MessagePort, or over a WebSocket. `docs/capability-host-contract.md` writes it out for authors of
 * hosts.
 */
import type { CapabilityLimits, CapabilityTarget } from '@switchyard/capabilities';
import type { SpanRecord } from '../tracing/spans.ts';
import type { CapabilitySettings } from './capability-module.ts';

/** The number of this contract; a host that speaks another one is refused. */
export const hostContractVersion = 1;

/** What a host says of itself. */
export interface HostDescription {
  readonly contract: number;
  readonly language: string;
  readonly pid: number;
}

/** What a host is to load. */
export interface LoadOrder extends CapabilitySettings {
  /** `name@version`, by which it is called from now on. */
  readonly key: string;
  readonly kind: string;
  readonly entry: string | null;
  readonly limits: CapabilityLimits;
  readonly idempotentMethods: readonly string[];
}

export interface LoadReport {
  readonly loadMs: number;
  readonly methods: readonly string[];
}

/** A lease to open. */
export interface OpenOrder {
  readonly key: string;
  readonly leaseId: string;
  readonly account: string;
  /** Whoever shows it on the direct route gets the lease's target; empty when there is none. */
  readonly ticket: string;
}

/** How an unload went. */
export interface UnloadReport {
  /** `leaked`: something still holds it, and its memory stays until the host ends. */
  readonly outcome: 'unloaded' | 'leaked';
  readonly detail: string;
}

/** How much a host does and holds. */
export interface HostStats {
  readonly memoryBytes: number;
  readonly inFlight: number;
  readonly calls: number;
  readonly failures: number;
  readonly timeouts: number;
  readonly leases: number;
  /** Calls of sampled traces that ended since the last time. A host may leave them out. */
  readonly spans?: readonly SpanRecord[];
}

/** Whatever the other capability of a dependency is reached through. */
export type DependencyTargets = Readonly<Record<string, CapabilityTarget>>;

/** The main object of a host. Every method may be called at any time; a host answers `ping` unless it hangs. */
export interface CapabilityHostContract {
  describe(): HostDescription | Promise<HostDescription>;
  ping(): boolean | Promise<boolean>;
  load(order: LoadOrder): LoadReport | Promise<LoadReport>;
  /** The target of the lease; it answers RELEASED after `end`. */
  open(order: OpenOrder, dependencies: DependencyTargets): CapabilityTarget | Promise<CapabilityTarget>;
  /** Ends a lease; one that is over is fine. */
  end(leaseId: string): void | Promise<void>;
  unload(key: string): UnloadReport | Promise<UnloadReport>;
  /** Serves the direct route on a Unix socket at `path`. */
  listen(path: string): void | Promise<void>;
  stats(): HostStats | Promise<HostStats>;
}

/** Why a host is gone. */
export interface HostEnd {
  readonly reason: string;
  /** True when the broker asked for it. */
  readonly expected: boolean;
}

/** A running host, as the broker holds it. */
export interface HostConnection {
  readonly host: CapabilityHostContract;
  /** True when the host holds one capability only, so that unloading it ends the host. */
  readonly dedicated: boolean;
  /** The process, when it is another one. */
  readonly pid: number | undefined;
  /** Resolves once, when the host is gone; by then every pending call has been rejected. */
  readonly ended: Promise<HostEnd>;
  /** Ends the host at once, whatever it does. Resolves when it is gone. */
  kill(): Promise<void>;
}
