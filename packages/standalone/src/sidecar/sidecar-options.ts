import type { Variables } from '@switchyard/sidecar';
import type { TextSink } from '@switchyard/telemetry';
import type { CertificateFiles } from '../runtime/read-files.ts';

/** The door for requests that a worker takes as HTTP. */
export interface HttpFace {
  /** This machine's loopback unless named; any other address shows the certificate of the sidecar's own port. */
  readonly host: string | undefined;
  /** Any that is free unless named. */
  readonly port: number | undefined;
  /** Where the Runtime finds it, when that is another address. */
  readonly url: string | undefined;
}

/** What `switchyard sidecar` was asked for. Paths are absolute. */
export interface SidecarProcessOptions {
  /** APPLICATION_ID, RUNTIME_ENDPOINT, WORKER_AUTH_TOKEN and the rest; what is not the sidecar's own is the app's. */
  readonly variables: Variables;
  /** Where health, metrics and assignments are asked for; 0 takes any port that is free. */
  readonly port: number | undefined;
  readonly host: string | undefined;
  /** Where the Runtime's streamed requests for the worker are taken. */
  readonly http: HttpFace;
  /** The socket of the wrapper that runs the worker; without it the worker is started here. */
  readonly wrapperSocket: string | undefined;
  /** Whose tokens count for assignments: the path or the address of a set of public keys. Nobody's without it. */
  readonly keys: string | undefined;
  /** Where the worker's token is exchanged for its successor; never without it. */
  readonly renewUrl: string | undefined;
  /** The certificate that is shown to the Runtime, and the authorities that are trusted there. */
  readonly runtimeTls: CertificateFiles;
  /** The certificate of the sidecar's own port. */
  readonly tls: CertificateFiles;
  /** Shows a certificate made for this start where `tls` names none; who reads the first line of JSON knows it. */
  readonly makesCertificate: boolean;
  readonly allowClearTokens: boolean;
  /** Holds packages, unpacked, and an empty folder for the placeholder. */
  readonly dataDirectory: string;
  readonly output: 'text' | 'json';
  readonly verbose: boolean;
  readonly console: TextSink & { readonly isTTY?: boolean };
}

/** Waits of a sidecar in a process of its own. */
export const sidecarDefaults = {
  host: '127.0.0.1',
  /** How long the worker may take to end. */
  drainMs: 10_000,
  /** How long streams to Runtimes may take to end after that. */
  streamGraceMs: 1_000,
  /** How long the wrapper may take to appear. */
  wrapperMs: 60_000,
} as const;
