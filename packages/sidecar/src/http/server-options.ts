/** How the server in front of a sidecar is set up; the composition root opens it. */
import type { ServerOptions } from 'node:https';

/** How a sidecar shows itself, and whom it lets in; PEM texts. */
export interface SidecarTls {
  readonly certificate: string;
  readonly key: string;
  /** When given, callers must show a certificate that one of these authorities signed. */
  readonly clientCa?: string;
}

/** Durations in milliseconds. */
export interface SidecarServerLimits {
  readonly headersMs: number;
  /** Headers and body together; the answer may take longer. */
  readonly requestMs: number;
  /** How long a connection may wait for its next request. */
  readonly idleMs: number;
  /** How often the limits above are looked at. */
  readonly checkMs: number;
  readonly headerBytes: number;
}

export const defaultSidecarServerLimits: SidecarServerLimits = {
  headersMs: 10_000,
  requestMs: 60_000,
  idleMs: 30_000,
  checkMs: 1_000,
  headerBytes: 32 * 1024,
};

/** Options for `createServer` of node:http, or of node:https when there is `tls`. */
export function toSidecarServerOptions(
  tls?: SidecarTls,
  limits: SidecarServerLimits = defaultSidecarServerLimits,
): ServerOptions {
  const options: ServerOptions = {
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.idleMs,
    connectionsCheckingInterval: limits.checkMs,
    maxHeaderSize: limits.headerBytes,
  };
  if (tls === undefined) return options;
  const { certificate: cert, key, clientCa } = tls;
  const mutual = clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true };
  return { ...options, cert, key, minVersion: 'TLSv1.2', ...mutual };
}
