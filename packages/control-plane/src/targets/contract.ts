/**
 * A compute target: where services run. The workers act through this port alone. All of it is idempotent: what is so
 * already is done again without effect, so that a worker that crashed between acting and writing it down may act again.
 */
import type { Secret } from '@switchyard/kernel';
import type { ObservedService, ServiceLimits, TrafficShare } from '@switchyard/protocol/control-api';

/** What became of preparing a version. */
export type ProvisionOutcome =
  /** It is up and can take traffic. */
  | { readonly kind: 'ready' }
  /** It will not come up. */
  | { readonly kind: 'failed'; readonly reason: string };

/** Settings as values; they go to the service and nowhere else. */
export type SettingValues = ReadonlyMap<string, Secret>;

/** How settings came to the running service. */
export type SettingsOutcome = 'reloaded' | 'restarted' | 'restart-required';

export interface ServiceOfTarget {
  readonly serviceId: string;
  readonly tenantId: string;
}

export interface ServicePage {
  readonly items: readonly ObservedService[];
  /** Hand it to `list` for the next page; undefined at the end. */
  readonly next?: string;
}

/** What the target knows of one version's health. */
export type VersionHealth = 'healthy' | 'unhealthy' | 'unknown';

/** What else there is to say of how the traffic is shared. */
export interface TrafficOrder {
  /** Why, for the history of the traffic; a deployment when left out. */
  readonly reason?: 'deployment' | 'traffic' | 'rollback';
  /** Refused, with an error that blames the user, when the traffic has another revision. */
  readonly revision?: number;
}

/** What else there is to do with settings. */
export interface SettingsOrder {
  /** Taken away. */
  readonly remove?: readonly string[];
  /** Refused, with an error that blames the user, when the settings have another revision. */
  readonly revision?: number;
}

export interface ComputeTarget {
  /** What manifests call it. */
  readonly name: string;
  /** True where settings may and ought to be there before the first version comes up. */
  readonly settingsFirst?: boolean;
  /** All services, in pages. Throws when the target cannot tell: then nobody is taken for gone. */
  list(after: string | undefined, signal: AbortSignal): Promise<ServicePage>;
  /** Undefined when there is no such service. */
  get(serviceId: string): Promise<ObservedService | undefined>;
  /** Brings a version up beside the others, without traffic; resolves when it can take some, or never will. */
  provision(service: ServiceOfTarget, version: string, signal: AbortSignal): Promise<ProvisionOutcome>;
  /** Shares the traffic; the weights add up to 100. Resolves when new requests are shared so. */
  setTraffic(service: ServiceOfTarget, shares: readonly TrafficShare[], order?: TrafficOrder): Promise<void>;
  /** How a version does since it has traffic. */
  healthOf(serviceId: string, version: string): Promise<VersionHealth>;
  /** Takes a version without traffic away. */
  retire(service: ServiceOfTarget, version: string): Promise<void>;
  setLimits(service: ServiceOfTarget, limits: ServiceLimits): Promise<void>;
  /** Sets these settings, and leaves all others as they are but for those that are to go. */
  applySettings(service: ServiceOfTarget, settings: SettingValues, order?: SettingsOrder): Promise<SettingsOutcome>;
  /** What the running service has of these settings now, read back from it; names that it does not have are left out. */
  readSettings(serviceId: string, names: readonly string[]): Promise<SettingValues>;
  /** Replaces what runs by the same, anew. */
  restart(service: ServiceOfTarget, signal: AbortSignal): Promise<void>;
}

export interface ComputeTargets {
  readonly names: readonly string[];
  /** @throws PlatformError TARGET_UNKNOWN */
  find(name: string): ComputeTarget;
}
