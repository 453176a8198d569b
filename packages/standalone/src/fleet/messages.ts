/**
 * What an installation and its Runtimes of other processes say to each other, after the join. Both ends are of one release;
 * who may speak was checked before.
 */
import type { LogFields, LogLevel } from '@switchyard/kernel';
import type { ApplicationDefinition, Stack } from '@switchyard/model';
import type { ReleaseReason, SupplyEvent, SupplyRequest } from '@switchyard/protocol';
import type {
  EnvironmentOutcome,
  FunctionBacklog,
  FunctionFile,
  JobHostStatus,
  KeyScope,
  NamedKey,
  RestartOutcome,
  ScaleRules,
  TrafficOptions,
  TrafficShare,
  VersionLoad,
  WorkerProfile,
  WorkerWish,
} from '@switchyard/runtime';
import type { ListenerAnswer } from '@switchyard/scale-controller';
import type { MetricSnapshot } from '@switchyard/telemetry';
import type { TracedFrame } from '../up/trace-tap.ts';

/** A key of an app and what it opens. A secret. */
export interface SentKey {
  readonly kind: 'master' | 'host' | 'system' | 'function';
  readonly functionName?: string | undefined;
  readonly value: string;
}

/** A `RuntimeApplication`, without what only the installation's process can hold. Its settings and keys are secrets. */
export interface SentApplication {
  readonly definition: ApplicationDefinition;
  readonly tenantId: string;
  readonly stack: Stack;
  readonly worker: WorkerProfile;
  readonly scriptRoot: string;
  readonly hostJson?: unknown;
  readonly settings: Readonly<Record<string, string>>;
  readonly hostId: string;
  readonly hostNames: readonly string[];
  /** Undefined lets every caller in. */
  readonly keys?: readonly SentKey[] | undefined;
  readonly files: readonly FunctionFile[];
  /** As `encodeIndex` writes it, in base64. */
  readonly index?: string | undefined;
  readonly scale?: ScaleRules | undefined;
}

/** Calls to the Runtime: what goes in, and what comes out. */
export interface RuntimeCalls {
  addApplication: [{ application: SentApplication; standby: boolean; start: boolean }, JobHostStatus];
  promoteApplication: [{ key: string }, null];
  removeApplication: [{ key: string; deadlineMs: number }, null];
  setTraffic: [{ applicationId: string; shares: readonly TrafficShare[]; options?: TrafficOptions | undefined }, null];
  removeVersion: [{ definition: ApplicationDefinition; deadlineMs: number }, null];
  updateEnvironment: [
    { definition: ApplicationDefinition; variables: Readonly<Record<string, string>> },
    EnvironmentOutcome,
  ];
  backlogs: [{ applicationId: string }, readonly FunctionBacklog[]];
  metrics: [null, MetricSnapshot];
  restartWorker: [
    {
      workerId: string;
      wish: {
        reason: string;
        executable?: string | undefined;
        arguments?: readonly string[] | undefined;
        workerPath?: string | undefined;
        environment?: Readonly<Record<string, string>> | undefined;
      };
    },
    RestartOutcome,
  ];
}

/** Notes to the Runtime. */
export interface RuntimeNotes {
  scaleTo: { definition: ApplicationDefinition; wish: WorkerWish };
  supply: SupplyEvent;
  keys: { applicationId: string; keys: readonly SentKey[] };
  /** Somebody watches the frames of an app's workers, or nobody does any more. */
  trace: { applicationId: string; isWatched: boolean };
  /** The certificate of a single sidecar, which the installation has from whoever started it; undefined for none any more. */
  certificate: { origin: string; certificate?: string | undefined };
  /** Report now: something has changed. */
  hurry: null;
}

/** Calls to the installation. */
export interface InstallationCalls {
  report: [RuntimeReport, ListenerAnswer];
  /** The Runtime is about to end: its apps go elsewhere. Answered when they have gone. */
  leave: [null, null];
  publicKeys: [null, unknown];
  keyList: [{ applicationId: string; scope: KeyScope }, readonly NamedKey[]];
  keySet: [
    { applicationId: string; scope: KeyScope; name: string; value?: string | undefined },
    { key: NamedKey; isNew: boolean },
  ];
  keyEnsure: [{ applicationId: string; scope: KeyScope; name: string }, NamedKey];
  keyRemove: [{ applicationId: string; scope: KeyScope; name: string }, boolean];
}

/** Notes to the installation. */
export interface InstallationNotes {
  ensure: SupplyRequest;
  release: { workerId: string; reason: ReleaseReason };
  wake: ApplicationDefinition;
  status: JobHostStatus;
  log: { level: LogLevel; message: string; fields: LogFields };
  /** A frame of an app that is watched; `dropped` ones before it found no room. */
  traced: { applicationId: string; frame: TracedFrame; dropped: number };
}

/** How a Runtime does. */
export interface RuntimeReport {
  /** The last answer about listeners that it has adopted. */
  readonly adopted: number;
  readonly jobHosts: readonly JobHostStatus[];
  readonly loads: readonly VersionLoad[];
  /** Apps of which a function listens to something. */
  readonly listeningApps: readonly string[];
  readonly memoryUtilization: number;
}

/** How long calls between the two may take. A start of a worker, and a drain, have limits of their own. */
export const callMs = { quick: 10_000, metrics: 3_000, leave: 45_000, start: 180_000, drainMargin: 15_000 } as const;
