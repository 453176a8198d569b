import type { TextSink } from '@switchyard/telemetry';
import type { CertificateFiles } from './read-files.ts';

/** What `switchyard runtime` was asked for. Paths are absolute. */
export interface RuntimeProcessOptions {
  /** Where callers reach the apps; 0 takes any port that is free. */
  readonly port: number | undefined;
  readonly host: string | undefined;
  /** Where sidecars and workers connect. */
  readonly rpcPort: number | undefined;
  readonly rpcHost: string | undefined;
  /** Where health, status and restarts are asked for; on this machine alone. */
  readonly controlPort: number | undefined;
  /** Holds timer states and function keys. */
  readonly dataDirectory: string;
  /** Whose tokens count: the path or the address of a set of public keys. Undefined only without tokens. */
  readonly keys: string | undefined;
  /** A folder of signing keys, in place of `keys`: tokens that they verify count, and are renewed with them. */
  readonly signingKeys: string | undefined;
  /** False lets every worker in, whatever it says of itself. */
  readonly checksTokens: boolean;
  readonly allowClearTokens: boolean;
  /** The certificate of the port for workers. */
  readonly tls: CertificateFiles;
  /** Networks, addresses and hosts of sidecars to which streamed requests may go, beside those of this machine. */
  readonly workerNetworks: readonly string[];
  /** The authorities of the certificates that those sidecars show. */
  readonly workerAuthority: string | undefined;
  /** The name that all of them have, where that is not their address. */
  readonly workerTlsName?: string | undefined;
  /** What the client certificate of a worker must be. */
  readonly clientCertificate: 'ignored' | 'required' | 'instance';
  /** Asks callers of functions for keys, where a function wants one. */
  readonly usesFunctionKeys: boolean;
  /** Names beside `<app>.localhost`, by app. */
  readonly hostNames: ReadonlyMap<string, readonly string[]>;
  /** The folders of apps are at the same place here, so function.json files can be read. */
  readonly readsFolders: boolean;
  /** While tenants are at work beside each other, the busiest of them fill no more of the Runtime's time, in percent. */
  readonly busyPercent: number | undefined;
  readonly output: 'text' | 'json';
  readonly verbose: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly console: TextSink & { readonly isTTY?: boolean };
}

/** Ports and waits of a Runtime in a process of its own. */
export const runtimeDefaults = {
  host: '127.0.0.1',
  port: 7071,
  rpcPort: 50_051,
  controlPort: 7072,
  busyPercent: 50,
  /** How long what is in flight may take to end. */
  drainMs: 10_000,
  /** How long streams of workers may take to end after that. */
  streamGraceMs: 1_000,
  /** Apps that sidecars may bring along. */
  announcedApplications: 1_000,
  /** After a start, how long callers of apps that were here before wait for their return, and how many may. */
  returnMs: 10_000,
  maxReturning: 1_000,
  /** How often the versions of apps that have several are looked at. */
  versionsMs: 500,
  /** How long an older version that nobody serves any more may take to end. */
  oldVersionMs: 10_000,
} as const;
