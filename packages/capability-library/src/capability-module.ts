/**
 * The shape of a capability's module, as every host expects it. The broker owns this contract; it is repeated here
 * because capabilities are written without the broker, and a test holds both against each other.
 */

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

/** One method: parameters come from callers, so they are unknown until they are checked. */
export type CapabilityFunction = (call: CallContext, ...parameters: never[]) => unknown;

export interface CapabilityInstance {
  readonly methods: Readonly<Record<string, CapabilityFunction>>;
  leaseEnded?(leaseId: string, account: string): void;
  dispose?(): void | Promise<void>;
}

/** What a capability is told when it is made. */
export interface CapabilitySettings {
  readonly name: string;
  readonly version: string;
  readonly shard: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** A SQLite file of this shard's own, or null where it has none. */
  readonly statePath: string | null;
}

export interface CapabilityModule {
  create(settings: CapabilitySettings): CapabilityInstance | Promise<CapabilityInstance>;
}
