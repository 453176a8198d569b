/** The one way to the HTTP servers of workers here: on loopback, and, for Runtimes of other machines, over TLS beside it. */
import { request, type Server } from 'node:http';
import { systemClock, systemRandom } from '@switchyard/kernel';
import { createWorkerHttpProxy, type HttpProxy } from '@switchyard/sidecar';
import type { Closers } from '../dev/closers.ts';
import { certificateErrors } from '../http/errors.ts';
import { createHttpServer } from '../http/http-server.ts';
import { isLoopbackHost, listen } from '../http/listen.ts';
import type { UpSockets } from './open-up-sockets.ts';
import type { UpOptions } from './up-options.ts';

/** What says whether Runtimes of other machines may come, and how they find this one. */
export type WorkerHttpDoor = Pick<UpSockets, 'certificate' | 'rpc'> &
  Pick<UpOptions, 'rpcHost' | 'maxRuntimes' | 'reach'>;

const loopback = '127.0.0.1';

/** Rejects with PORT_IN_USE, PORT_REFUSED and DOOR_UNREACHABLE. */
export async function openWorkerHttpDoor(door: WorkerHttpDoor, closers: Closers): Promise<HttpProxy> {
  const local = createHttpServer({}, undefined);
  const uri = `http://${loopback}:${await open(local, { host: loopback, port: 0 }, closers)}`;
  const outer = await openOuter(door, closers);
  const proxy = createWorkerHttpProxy(
    { clock: systemClock, random: systemRandom, request },
    { uri, uriFor: (endpoint) => (isHere(endpoint) ? undefined : outer?.uri) },
  );
  for (const server of [local, outer?.server]) {
    server?.on('request', (incoming, response) => proxy.handle(incoming, response));
  }
  return proxy;
}

async function openOuter(
  { certificate, rpc, rpcHost = loopback, maxRuntimes = 1, reach }: WorkerHttpDoor,
  closers: Closers,
): Promise<{ readonly server: Server; readonly uri: string } | undefined> {
  if (maxRuntimes < 2 || isLoopbackHost(rpcHost)) return undefined;
  const { outerUrl } = rpc;
  if (outerUrl === undefined) {
    const details = { what: 'workers', reason: `'${rpcHost}' stands for all of its addresses`, flag: '--rpc-host' };
    throw certificateErrors.create('DOOR_UNREACHABLE', details);
  }
  const server = createHttpServer({}, certificate);
  const uri = new URL(outerUrl);
  uri.port = String(await open(server, { host: rpcHost, port: reach.workerHttpPort ?? 0 }, closers));
  return { server, uri: uri.origin };
}

async function open(server: Server, at: Parameters<typeof listen>[1], closers: Closers): Promise<number> {
  const port = await listen(server, at);
  closers.add('proxy to workers', async () => {
    server.close();
    server.closeAllConnections();
  });
  return port;
}

/** True for a Runtime of this machine. */
function isHere(endpoint: string): boolean {
  const { protocol, hostname } = new URL(endpoint);
  return protocol === 'memory:' || isLoopbackHost(hostname);
}
