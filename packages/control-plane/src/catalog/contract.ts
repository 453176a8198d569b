/**
 * What the catalog promises. It alone owns apps, versions, settings, keys and traffic (decision 12); whoever wants to
 * change one of them asks it, and whoever acts on them watches it and looks again.
 *
 * All calls are synchronous: the database is embedded, and a call is a transaction of its own.
 */
import type { PlatformError, Secret } from '@switchyard/kernel';
import type { Stack } from '@switchyard/model';
import type { DeploymentState, DeploymentStepName, KeyKind, Problem, Weight } from '@switchyard/protocol/control-api';

/** What became of a write. */
export type WriteOutcome<Value> =
  | { readonly kind: 'written'; readonly value: Value }
  /** Nothing was changed. */
  | {
      readonly kind: 'refused';
      /** Can be shown as it is. */
      readonly error: PlatformError;
      /** The revision that there is now, when another writer came first. */
      readonly currentRevision?: number;
    };

/** What would become of a write. */
export type CheckOutcome<Value> =
  /** `value` is what there is; `isSame` when the write would leave it so. */
  | { readonly kind: 'sound'; readonly value: Value; readonly isSame: boolean }
  | Extract<WriteOutcome<Value>, { kind: 'refused' }>;

/** An app. Times are milliseconds since the Unix epoch, here and below. */
export interface Application {
  readonly applicationId: string;
  readonly tenantId: string;
  /** In the order in which they were given. */
  readonly hostNames: readonly string[];
  readonly stack: Stack;
  /** Grows by one with every change to this record. */
  readonly revision: number;
  readonly createdAtMs: number;
}

export interface ApplicationChange {
  readonly applicationId: string;
  /** A new app needs one; an app never changes its tenant. */
  readonly tenantId?: string;
  readonly hostNames?: readonly string[];
  /** A new app needs one. */
  readonly stack?: Stack;
  /** Refused with a conflict when the app has another revision; 0 means that there must be none yet. */
  readonly revision?: number;
}

export interface Applications {
  get(applicationId: string): Application | undefined;
  /** In order of applicationId. `tenants` undefined means all. */
  list(filter?: {
    readonly tenants?: readonly string[];
    readonly after?: string;
    readonly limit?: number;
  }): readonly Application[];
  /** The app that answers to a host name. */
  findByHostName(hostName: string): Application | undefined;
  /** Creates or changes. @see ApplicationChange */
  put(change: ApplicationChange): WriteOutcome<Application>;
  /** Forgets the app and all that belongs to it. False when there is none. */
  remove(applicationId: string): boolean;
}

/** The tenants that own an app or ever did. */
export interface Tenants {
  list(): readonly { readonly tenantId: string; readonly createdAtMs: number }[];
}

/** One version of an app: a package, and what became of it. */
export interface Version {
  readonly applicationId: string;
  /** The first 16 digits of `sha256`. */
  readonly codeVersion: string;
  readonly sha256: string;
  readonly stack: Stack;
  readonly message: string;
  readonly createdAtMs: number;
  readonly status: VersionStatus;
}

export type VersionStatus =
  | { readonly kind: 'pending' }
  | {
      readonly kind: 'indexed';
      /** The functions; see `encodeIndex`. */
      readonly index: Uint8Array;
      /** The text of host.json; undefined when the package has none. */
      readonly hostJson: string | undefined;
      readonly metadataVersion: string;
      /** The settings' revision with which the metadataVersion was computed. */
      readonly settingsRevision: number;
    }
  | { readonly kind: 'failed'; readonly reason: string };

export interface Versions {
  get(applicationId: string, codeVersion: string): Version | undefined;
  /** Newest first. */
  list(applicationId: string): readonly Version[];
  /** Records what indexing gave. False when the version is gone. */
  markIndexed(applicationId: string, codeVersion: string, indexed: Omit<IndexedVersion, 'kind'>): boolean;
  /** Records that indexing failed; a further deployment of the same package tries again. False when it is gone. */
  markFailed(applicationId: string, codeVersion: string, reason: string): boolean;
  /** Settings have changed: the version belongs to another JobHost now. False when it is gone or not indexed. */
  setMetadataVersion(
    applicationId: string,
    codeVersion: string,
    to: { readonly metadataVersion: string; readonly settingsRevision: number },
  ): boolean;
  /** Forgets a version that has no traffic. */
  remove(applicationId: string, codeVersion: string): WriteOutcome<undefined>;
  /** The hash of every package that a version names. */
  referencedPackages(): ReadonlySet<string>;
}

export type IndexedVersion = Extract<VersionStatus, { kind: 'indexed' }>;

export interface SettingsState {
  /** 0 as long as nothing was ever set. */
  readonly revision: number;
  /** By the name as it was written last. Names differ by more than their case. */
  readonly values: ReadonlyMap<string, Secret>;
}

export interface SettingsChange {
  readonly set?: ReadonlyMap<string, string>;
  readonly remove?: readonly string[];
  /** Refused with a conflict when the settings have another revision. */
  readonly revision?: number;
}

export interface Settings {
  /** Of an app that there is not: revision 0 and no values. */
  get(applicationId: string): SettingsState;
  patch(applicationId: string, change: SettingsChange): WriteOutcome<SettingsState>;
  /** What `patch` would answer now, without changing anything. */
  check(applicationId: string, change: SettingsChange): CheckOutcome<SettingsState>;
}

export type TrafficReason = 'deployment' | 'traffic' | 'rollback';

export interface TrafficState {
  /** 0 as long as no version has traffic. */
  readonly revision: number;
  /** Percent; they add up to 100 from revision 1 on. */
  readonly weights: readonly Weight[];
  readonly setAtMs: number;
  readonly reason: TrafficReason;
}

export interface Traffic {
  get(applicationId: string): TrafficState;
  /** Newest first, at most `trafficHistoryLimit`; the present one is the first. */
  history(applicationId: string): readonly TrafficState[];
  /** Versions that are not indexed get none. The same weights again change nothing and keep the revision. */
  set(applicationId: string, change: TrafficChange): WriteOutcome<TrafficState>;
  /** What `set` would answer now, without changing anything. */
  check(applicationId: string, change: Omit<TrafficChange, 'reason'>): CheckOutcome<TrafficState>;
  /** The version that last had all the traffic before the present weights and is still there. */
  rollbackTarget(applicationId: string): string | undefined;
}

export interface TrafficChange {
  readonly weights: readonly Weight[];
  readonly reason: TrafficReason;
  /** Refused with a conflict when the traffic has another revision. */
  readonly revision?: number;
}

export interface DeploymentRecord {
  readonly deploymentId: string;
  readonly applicationId: string;
  readonly codeVersion: string;
  readonly sha256: string;
  readonly message: string;
  readonly promote: boolean;
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly state: DeploymentState;
  /** In the order in which they happened; the first is `stored`. */
  readonly steps: readonly StepRecord[];
}

export interface StepRecord {
  readonly name: DeploymentStepName;
  readonly atMs: number;
  readonly message?: string;
  readonly problem?: Problem;
}

export interface DeploymentRequest {
  readonly applicationId: string;
  readonly sha256: string;
  /** Left out, the app's own. */
  readonly stack?: Stack;
  readonly message: string;
  readonly promote: boolean;
  readonly createdBy: string;
}

export interface Deployments {
  /**
   * Records a deployment with its step `stored`, and its version: pending when it is new or failed before. The package
   * must be in the store.
   */
  create(request: DeploymentRequest): WriteOutcome<DeploymentRecord>;
  get(deploymentId: string): DeploymentRecord | undefined;
  /** Newest first, at most `deploymentHistoryLimit`. */
  list(applicationId: string): readonly DeploymentRecord[];
  /** Those that have neither succeeded nor failed, oldest first: what a restarted platform has to go on with. */
  unfinished(): readonly DeploymentRecord[];
  /**
   * Records the next step. A step that was recorded already, and any step of a finished deployment, changes nothing.
   * False when nothing changed.
   */
  advance(
    deploymentId: string,
    step: { readonly name: DeploymentStepName; readonly message?: string; readonly problem?: Problem },
  ): boolean;
  /** Calls back whenever the deployment changes or is forgotten. Returns the unsubscriber. */
  watch(deploymentId: string, observer: () => void): () => void;
}

export interface ApplicationKey {
  readonly kind: KeyKind;
  /** With the keys of one function. */
  readonly functionName?: string;
  readonly name: string;
  readonly value: Secret;
}

/** Which level a key opens; the shape that the Runtime's gateway takes. */
export interface KeyLevels {
  levelOf(key: string, functionName: string): 'function' | 'system' | 'admin' | undefined;
}

export interface Keys {
  /** A new app has a master key and a host key named `default`. In order of kind, function and name. */
  list(applicationId: string): readonly ApplicationKey[];
  /** Makes or replaces a key; without a value, one is made up. Only `function` keys have a function. */
  put(
    applicationId: string,
    key: {
      readonly kind: KeyKind;
      readonly functionName?: string;
      readonly name: string;
      readonly value?: string;
    },
  ): WriteOutcome<ApplicationKey>;
  /** False when there is none. The master key stays: it can only be replaced. */
  remove(applicationId: string, key: Pick<ApplicationKey, 'kind' | 'functionName' | 'name'>): boolean;
  /** The keys as they are at each call of `levelOf`; names of functions are compared without case. */
  levels(applicationId: string): KeyLevels;
}

/** Which tenants have shown that they hold a package: nobody deploys or reads another's by its hash. */
export interface PackageGrants {
  grant(sha256: string, tenantIds: readonly string[]): void;
  isGranted(sha256: string, tenantId: string): boolean;
  /** Takes the packages that are not in the store any more out of the list. */
  forget(sha256: string): void;
}

export interface Catalog {
  readonly tenants: Tenants;
  readonly applications: Applications;
  readonly versions: Versions;
  readonly settings: Settings;
  readonly traffic: Traffic;
  readonly deployments: Deployments;
  readonly keys: Keys;
  readonly packageGrants: PackageGrants;
  /** 64 hexadecimal digits that tell equal texts, and tell nobody without the catalog's key anything else. */
  digest(text: string): string;
  /**
   * Says "look again at this app": after every change to it, its versions, settings, keys or traffic, also when it is
   * gone, and at first once for each app that there is. Level-triggered: several changes may come as one call, and the
   * observer reads what is true by then. Returns the unsubscriber.
   */
  watch(observer: (applicationId: string) => void): () => void;
  /** Ends every watch and closes the file. */
  close(): void;
}
