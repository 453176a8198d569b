import { Agent, type AgentOptions, request } from 'node:http';
import { request as requestSecurely, Agent as SecureAgent } from 'node:https';
import type { WorkerHttp } from '@switchyard/runtime';
import { standaloneErrors } from '../errors.ts';
import type { WorkerNetworks } from './worker-networks.ts';

/** Names of this machine, in the forms in which workers announce their servers. */
const localNames: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Idle connections that are kept for each worker. */
const maxIdleConnections = 64;

/** A worker may answer with as many headers as a caller may send; Node's own limit is 16 KiB. */
const maxHeaderSizeBytes = 65_536;

/** The way to workers, over connections that are kept for the next request. */
export interface KeptWorkerHttp extends WorkerHttp {
  /** Cuts the connections. */
  close(): void;
}

/** Which workers of other machines are called, and how. Without it none is. */
export interface RemoteWorkers {
  /** Where their sidecars may be: whatever a worker announces, callers' requests go nowhere else. */
  readonly networks: WorkerNetworks;
  /** The authorities of their certificates, as PEM; the system's when left out. */
  readonly authority?: string | undefined;
  /** The name that all their certificates have, where that is not their address. */
  readonly serverName?: string | undefined;
  /** Certificates of single sidecars, by origin: where there is one, it is called, and no other certificate counts. */
  readonly certificateAt?: ((origin: string) => PinnedCertificate | undefined) | undefined;
  /** Calls them without TLS, too: the token of a route is in each request. */
  readonly allowClear: boolean;
}

/** A certificate that is believed at one place, with the name that it has. */
export interface PinnedCertificate {
  readonly ca: string;
  readonly servername: string;
}

/** Opens requests to workers. An HttpUri that may not be called is refused with WORKER_HTTP_ADDRESS. */
export function createWorkerHttp(remote?: RemoteWorkers): KeptWorkerHttp {
  const kept: AgentOptions = { keepAlive: true, maxFreeSockets: maxIdleConnections };
  const agent = new Agent(kept);
  // What an agent believes would win over what a request does.
  const secureAgent = new SecureAgent(kept);
  const { authority: ca, serverName: servername } = remote ?? {};
  const believed = { ...(ca === undefined ? {} : { ca }), ...(servername === undefined ? {} : { servername }) };
  return {
    open({ httpUri, method, target, headers }) {
      const uri = new URL(httpUri);
      const isSecure = uri.protocol === 'https:';
      const pinned = isSecure ? remote?.certificateAt?.(uri.origin) : undefined;
      if (pinned === undefined && !mayCall(uri, remote))
        throw standaloneErrors.create('WORKER_HTTP_ADDRESS', { httpUri });
      const path = `${uri.pathname.replace(/\/$/, '')}${target}`;
      const host = uri.hostname.replace(/^\[|\]$/g, '');
      const options = { host, port: uri.port, method, path, headers: [...headers], maxHeaderSize: maxHeaderSizeBytes };
      if (!isSecure) return request({ ...options, agent });
      return requestSecurely({ ...options, ...(pinned ?? believed), agent: secureAgent });
    },
    close() {
      agent.destroy();
      secureAgent.destroy();
    },
  };
}

function mayCall({ protocol, hostname }: URL, remote: RemoteWorkers | undefined): boolean {
  if (protocol === 'http:' && localNames.has(hostname)) return true;
  if (remote === undefined || !remote.networks(hostname)) return false;
  return protocol === 'https:' || (protocol === 'http:' && remote.allowClear);
}
