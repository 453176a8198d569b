import type { WorkerName } from '@switchyard/protocol/control-api';
import type { TextSink } from '@switchyard/telemetry';
import type { CertificateFiles } from '../runtime/read-files.ts';

/** How an installation and other machines find and trust each other. */
export interface ReachOptions {
  /** The address at which other machines find this one. */
  readonly advertisedHost: string | undefined;
  /** The path of the authorities that have signed the certificates of this installation, its pods and its Runtimes, in PEM. */
  readonly authority: string | undefined;
  /** Lets tokens cross a network without TLS. */
  readonly allowsClear: boolean;
  /** Networks, addresses and hosts of sidecars to which streamed requests may go, beside those of this machine. */
  readonly workerNetworks: readonly string[];
  /** Where Runtimes of other machines find the HTTP of workers here; 0 takes any port that is free. */
  readonly workerHttpPort: number | undefined;
}

/** How workers run as pods of a Kubernetes cluster. */
export interface KubernetesWorkerOptions {
  readonly namespace: string;
  /** The path of a kubeconfig; the cluster in which this process runs when left out. */
  readonly kubeconfig: string | undefined;
  /** Images by language, or by language and version: `node`, `node:22`. */
  readonly images: ReadonlyMap<string, string>;
  /** Tells the pods of this installation from others in the namespace. */
  readonly installation: string;
  readonly serviceAccount: string;
  /** A Secret with `tls.crt` and `tls.key` of the pods, and `ca.crt` of this installation. */
  readonly tlsSecret: string;
  /** The name that the certificate of the pods has. */
  readonly tlsName: string;
  readonly requests: ResourceQuantities;
  readonly limits: ResourceQuantities;
}

export interface ResourceQuantities {
  readonly cpu: string;
  readonly memory: string;
}

/** What `switchyard up` was asked for. Paths are absolute. */
export interface UpOptions {
  /** Where callers reach the apps; 0 takes any port that is free. */
  readonly port: number | undefined;
  readonly host: string | undefined;
  /** True lets callers of the apps in over TLS, and no other way. */
  readonly https?: boolean;
  readonly controlHost: string | undefined;
  readonly controlPort: number | undefined;
  /** Where workers and Runtimes of other processes and machines connect. */
  readonly rpcHost: string | undefined;
  readonly rpcPort: number | undefined;
  /** The certificate of the ports that other machines reach. */
  readonly tls: CertificateFiles;
  readonly reach: ReachOptions;
  readonly dataDirectory: string;
  /** Warm placeholders that are kept for each stack. */
  readonly placeholders: number | undefined;
  /** After so long without an invocation an app's worker is given back, in seconds. */
  readonly idleSeconds: number | undefined;
  /** How many Runtimes there may be, the one of this process included; it is the only one when left out. */
  readonly maxRuntimes?: number | undefined;
  /** Workers that each Runtime may have, of all its apps together. */
  readonly workersPerRuntime?: number | undefined;
  /** After so long without an app a Runtime that was started here ends, in seconds. */
  readonly runtimeIdleSeconds?: number | undefined;
  /** The region of the Runtimes that run here. */
  readonly region?: string | undefined;
  /** The program and the first arguments with which further Runtimes are started: this command itself. */
  readonly commandLine?: readonly string[] | undefined;
  /** Workers of tenants may share an operating system user. */
  readonly trustedTenants: boolean;
  /** The user and group id of the first tenant's workers, where this runs as root; each other tenant gets the next one. */
  readonly tenantUids: number | undefined;
  /** While tenants are at work beside each other, the busiest of them fill no more of the Runtime's time, in percent. */
  readonly busyPercent: number | undefined;
  readonly startsAzurite: boolean;
  /** The node agent of this machine whose containers are the workers, with the image of each language; processes when left out. */
  readonly workerAgent:
    | {
        readonly url: string;
        readonly images: ReadonlyMap<string, string>;
        readonly limits: { readonly memoryMb: number; readonly cpus: number };
      }
    | undefined;
  /** The cluster whose pods are the workers; processes when left out. */
  readonly workerKubernetes?: KubernetesWorkerOptions | undefined;
  /** Where KEDA asks; nobody may ask when left out. */
  readonly scaler: { readonly host: string | undefined; readonly port: number } | undefined;
  /** Addresses to which alerts are posted. */
  readonly webhooks: readonly string[];
  /** Workers of the control plane that run in this process; all seven when left out. */
  readonly workers?: readonly WorkerName[];
  /** NATS servers that the control plane shares with other processes, instead of its embedded bus. */
  readonly natsServers?: readonly string[] | undefined;
  /** Where the key of the control plane's vault is, instead of the data folder. */
  readonly vaultKey?: string | undefined;
  readonly output: 'text' | 'json';
  readonly verbose: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly console: TextSink & { readonly isTTY?: boolean };
  readonly errors: TextSink;
}

/** Ports and waits of an installation on one machine. */
export const upDefaults = {
  host: '127.0.0.1',
  port: 7071,
  controlPort: 7072,
  rpcPort: 50_051,
  /** One warm Node.js placeholder costs about 40 MB; it saves each first call a start. */
  placeholders: 1,
  idleSeconds: 300,
  /** Placeholders of a stack that cold starts may make of the minimum, for a while. */
  grownPool: 4,
  /** Above the users that people make, below those that Debian gives to packages. */
  firstTenantId: 40_000,
  busyPercent: 50,
  /** Lines of its log that an app keeps. */
  logLines: 1_000,
  /** How long what is in flight may take to end. */
  drainMs: 10_000,
  /** How long a worker may take to end after that. */
  workerGraceMs: 3_000,
  /** How long streams of the control API may take to end. */
  controlGraceMs: 1_000,
  emulatorGraceMs: 5_000,
  /** Versions of an app that stay without traffic, for a way back. */
  keptVersions: 20,
  /** How often old packages are looked for. */
  sweepMs: 3_600_000,
} as const;

/** The tenant of apps that were deployed without naming one. */
export const defaultTenantId = 'default';
