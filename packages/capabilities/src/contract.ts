/**
 * What functions and the broker agree on. The first half carries the names and fields of the founding document; the
 * second half is how the same things travel, because capnweb carries no Map.
 */

/** A call to a capability: `query`, `sign`, whatever it offers. */
export type CapabilityMethod = (...parameters: unknown[]) => PromiseLike<unknown>;

/** Something callable by method name, as a function sees it: `binding.query(sql, parameters)`. */
export type ServiceBinding<Methods extends object = Readonly<Record<string, CapabilityMethod>>> = Methods;

/** First shape of a request: what must be there, what would be nice, and which versions will do. */
export interface CapabilityRequest {
  /** All of these, or none of the whole request. */
  required: string[];
  /** As many of these as there are. */
  optional: string[];
  /** A semver range that holds for every name; `*` when left out. */
  version: string;
}

/** First shape of an answer. */
export interface CapabilityResponse {
  acquired: string[];
  endpoints: Map<string, ServiceBinding>;
  /** Optional names that are not to be had, or every name when the request failed. */
  missing: string[];
}

/** What the broker tells of one capability. */
export interface CapabilityInfo {
  name: string;
  version: string;
  /** 1 is built in, 2 is loaded on demand, 3 runs in processes of its own. */
  tier: 1 | 2 | 3;
  /** Milliseconds: what the manifest says at first, later what loading really took. */
  estimatedLoadTime: number;
  dependencies: string[];
}

/** Second shape of a request. */
export interface AcquireRequest {
  /** Required, as in the first shape. */
  capabilities: string[];
  /** Milliseconds to wait for everything that has to be loaded. */
  timeout: number;
  /** Take tier 2 where tiers 2 and 3 both have the capability. */
  preferLocal: boolean;
}

/** Second shape of an answer. */
export interface AcquireResponse {
  success: boolean;
  handles: Map<string, CapabilityHandle>;
  /** Why, per name that was not acquired. */
  errors: Map<string, string>;
}

export interface CapabilityHandle {
  invoke(method: string, parameters: readonly unknown[], options?: CallOptions): Promise<unknown>;
  release(): Promise<void>;
}

/** The broker as the founding document draws it; a worker's environment binds it as `CAPABILITY_BROKER`. */
export interface CapabilityBroker {
  list(): Promise<CapabilityInfo[]>;
  acquire(request: Partial<CapabilityRequest & AcquireRequest>): Promise<CapabilityResponse & AcquireResponse>;
  release(capabilities: string[]): Promise<void>;
  health(): Promise<HealthStatus>;
}

/** How the broker and every loaded capability are. */
export interface HealthStatus {
  status: 'healthy' | 'degraded' | 'unhealthy';
  capabilities: CapabilityHealth[];
}

/** One host of one capability. */
export interface CapabilityHealth {
  name: string;
  version: string;
  shard: string;
  status: 'healthy' | 'degraded' | 'unhealthy';
  /** The state of the host, and why when it is not well. */
  detail: string;
}

/** What a caller may say of one call. */
export interface InvokeOptions {
  /** The call fails with TIMEOUT after so many milliseconds; the capability's own limit holds when it is shorter. */
  readonly timeoutMs?: number;
  /** Makes a call that was sent twice run once, within the memory of the host. */
  readonly idempotencyKey?: string;
  /** W3C trace context of the caller. */
  readonly traceparent?: string;
  /** Names the call for `cancel`; the client chooses it. */
  readonly callId?: string;
}

/** What a function may say of one call. */
export interface CallOptions extends Omit<InvokeOptions, 'callId'> {
  /** Ends the call with CANCELLED when it aborts, and tells the capability. The answer is then no parameter of other calls. */
  readonly signal?: AbortSignal;
}

/** Everything that `acquire` takes: the union of both shapes, and what they lack. */
export interface AcquireOptions extends Partial<CapabilityRequest & AcquireRequest> {
  /** Ranges for single names; they win over `version`. */
  versions?: Readonly<Record<string, string>>;
  /** False: take only what is loaded already. True when left out. */
  allowColdStart?: boolean;
  traceparent?: string;
}

/** What one call may cost, as the manifest of the capability says. */
export interface CapabilityLimits {
  readonly maxConcurrentCalls: number;
  readonly maxPayloadBytes: number;
  readonly maxExecutionMs: number;
}

/** Where a caller may reach a host without the broker in between. */
export interface DirectRoute {
  /** `unix:<path>` or `ws://...` */
  readonly address: string;
  /** Good for one lease, and worth nothing once it ended. */
  readonly ticket: string;
}

/** What a host exports for one lease. Peers in other languages implement exactly this. */
export interface CapabilityTarget {
  invoke(method: string, parameters: readonly unknown[], options?: InvokeOptions): unknown;
  /** Ends a running call of this lease; one that is over is fine. Hosts may do without. */
  cancel?(callId: string): unknown;
}

/** What a host exports on its direct route. */
export interface HostGate {
  /** The target of the lease that the ticket belongs to. */
  redeem(ticket: string): unknown;
}

/** The broker's own object for one lease, on the wire. Dropping it ends the lease. */
export interface LeaseTarget {
  /** Ends the lease; again is fine. */
  release(): void;
  /** Puts the end of the lease off by its full duration; returns when it now ends, in epoch milliseconds. */
  renew(): number;
}

/** One acquired capability on the wire. */
export interface HandleRecord<Lease = unknown, Target = unknown> {
  readonly name: string;
  readonly version: string;
  readonly tier: 1 | 2 | 3;
  readonly shard: string;
  /** True when the preferred shard was full or broken, and another took the account. */
  readonly fallback: boolean;
  readonly leaseId: string;
  readonly expiresAtMs: number;
  readonly limits: CapabilityLimits;
  readonly lease: Lease;
  /** The target through the broker; null when there is a direct route. */
  readonly target: Target | null;
  readonly direct: DirectRoute | null;
}

/** Why a name was not acquired. */
export interface FailureRecord {
  readonly name: string;
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

/** An answer on the wire: lists where the client rebuilds maps, so that no name can be special. */
export interface AcquireRecord<Handle = HandleRecord> {
  readonly success: boolean;
  readonly handles: readonly Handle[];
  readonly missing: readonly string[];
  readonly failures: readonly FailureRecord[];
  readonly warnings: readonly string[];
}

/** A request on the wire. */
export interface AcquireMessage extends AcquireOptions {
  /** True when this caller can open the direct routes of hosts on this machine. */
  reachesHosts?: boolean;
}

/** What an account can do: the main object behind its token. */
export interface AccountTarget {
  list(): unknown;
  acquire(message: AcquireMessage): unknown;
  release(names: readonly string[]): unknown;
  health(): unknown;
}

/** The main object of a broker before anybody said who they are. */
export interface BrokerGate {
  /** The account's object; an error with code UNAUTHENTICATED when the token is not good. */
  authenticate(token: string): unknown;
}
