import { Agent, request } from 'node:http';
import type { WorkerHttp } from '@switchyard/runtime';
import { standaloneErrors } from '../errors.ts';

/** Names of this machine, in the forms in which workers announce their servers. */
const localNames: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Idle connections that are kept for each worker. */
const maxIdleConnections = 64;

/** A worker may answer with as many headers as a caller may send; Node's own limit is 16 KiB. */
const maxHeaderSizeBytes = 65_536;

/** The way to workers on this machine. */
export interface LocalWorkerHttp extends WorkerHttp {
  /** Cuts the connections. */
  close(): void;
}

/**
 * Opens requests to workers on this machine over connections that are kept for the next request. An HttpUri that names
 * another machine is refused with WORKER_HTTP_ADDRESS: whatever a worker announces, callers' requests stay here.
 */
export function createLocalWorkerHttp(): LocalWorkerHttp {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: maxIdleConnections });
  return {
    open({ httpUri, method, target, headers }) {
      const { protocol, hostname, port, pathname } = new URL(httpUri);
      if (protocol !== 'http:' || !localNames.has(hostname)) {
        throw standaloneErrors.create('WORKER_HTTP_ADDRESS', { httpUri });
      }
      const path = `${pathname.replace(/\/$/, '')}${target}`;
      const options = { agent, port, method, path, headers: [...headers], maxHeaderSize: maxHeaderSizeBytes };
      return request({ ...options, host: hostname.replace(/^\[|\]$/g, '') });
    },
    close: () => agent.destroy(),
  };
}
