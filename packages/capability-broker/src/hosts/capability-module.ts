/** What the author of a capability writes: a module that exports `create`. */

/** Another capability that this one requires, opened for the account of the lease. */
export interface CapabilityDependency {
  invoke(method: string, parameters: readonly unknown[]): unknown;
}

/** Who calls, and on which terms. */
export interface CallContext {
  readonly account: string;
  readonly leaseId: string;
  /** Aborts when the call ran out of time or its lease ended. */
  readonly signal: AbortSignal;
  /** The W3C trace context to continue, or an empty text. */
  readonly traceparent: string;
  readonly dependencies: Readonly<Record<string, CapabilityDependency>>;
}

/** One method. What it returns must be data, or an object that is passed by reference. */
export type CapabilityFunction = (call: CallContext, ...parameters: never[]) => unknown;

/** What a module makes: its methods, and how it ends. */
export interface CapabilityInstance {
  readonly methods: Readonly<Record<string, CapabilityFunction>>;
  /** A lease is over: forget what belongs to it. */
  leaseEnded?(leaseId: string, account: string): void;
  /** The capability is unloaded: give back what it holds. */
  dispose?(): void | Promise<void>;
}

/** What a capability is told when it is made. */
export interface CapabilitySettings {
  readonly name: string;
  readonly version: string;
  readonly shard: string;
  /** From the manifest, as it is. */
  readonly config: Readonly<Record<string, unknown>>;
  /** A SQLite file of this shard's own, or null where it has none. */
  readonly statePath: string | null;
}

/** The exports of a capability's file. */
export interface CapabilityModule {
  create(settings: CapabilitySettings): CapabilityInstance | Promise<CapabilityInstance>;
}
