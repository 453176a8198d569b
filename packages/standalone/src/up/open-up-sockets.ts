import { createServer, type RequestListener } from 'node:http';
import { type Log, systemClock } from '@switchyard/kernel';
import {
  createRpcServer,
  eventStreamPath,
  fleetJoinPath,
  grpcStatus,
  type Link,
  type RpcMethod,
} from '@switchyard/protocol';
import type { Closers } from '../dev/closers.ts';
import { createGatewayServer, type GatewayServer } from '../http/gateway-server.ts';
import { createHeldRequests } from '../http/held-requests.ts';
import { listen } from '../http/listen.ts';
import { type UpOptions, upDefaults } from './up-options.ts';

/** The open ports of an installation. Requests and streams wait until somebody serves them. */
export interface UpSockets {
  readonly gateway: GatewayServer;
  readonly gatewayPort: number;
  readonly host: string;
  readonly controlPort: number;
  readonly rpcPort: number;
  serveControl(listener: RequestListener): void;
  /** Names who takes the streams of workers of other processes. */
  serveWorkers(accept: (link: Link) => void): void;
  /** Names who takes the channels of Runtimes that join. */
  serveJoins(accept: (link: Link) => void): void;
}

export interface SocketsScope {
  readonly options: Pick<UpOptions, 'host' | 'port' | 'controlPort' | 'rpcPort'>;
  readonly log: Log;
  readonly closers: Closers;
  /** What workers of other processes may call beside their streams. */
  readonly services: Readonly<Record<string, RpcMethod>>;
}

/** The control API and the workers' port are for this machine, until certificates say who may come from outside. */
const loopback = '127.0.0.1';

/** A control request has its head in this time. */
const headMs = 10_000;

/** Rejects with PORT_IN_USE or PORT_REFUSED. */
export async function openUpSockets({ options, log, closers, services }: SocketsScope): Promise<UpSockets> {
  const host = options.host ?? upDefaults.host;
  const gateway = createGatewayServer();
  closers.add('HTTP connections', async () => gateway.close());
  const control = openControl(closers);
  const rpc = openRpc(log, closers, services);
  const [gatewayPort, controlPort, { port: rpcPort }] = await Promise.all([
    gateway.listen({ host, port: options.port ?? upDefaults.port }),
    listen(control.server, { host: loopback, port: options.controlPort ?? upDefaults.controlPort }),
    rpc.server.listen({ host: loopback, port: options.rpcPort ?? upDefaults.rpcPort }),
  ]);
  return {
    gateway,
    gatewayPort,
    host,
    controlPort,
    rpcPort,
    serveControl: control.serve,
    serveWorkers: rpc.serve,
    serveJoins: rpc.serveJoins,
  };
}

function openControl(closers: Closers) {
  // A watched deployment or a followed log takes as long as it takes.
  const server = createServer({ requestTimeout: 0, headersTimeout: headMs });
  const { listener, serve } = createHeldRequests();
  server.on('request', listener);
  closers.add('control connections', async () => {
    server.close();
    server.closeAllConnections();
  });
  return { server, serve };
}

function openRpc(log: Log, closers: Closers, services: SocketsScope['services']) {
  let accept: (link: Link) => void = (link) => link.cancel({ code: grpcStatus.unavailable, message: 'starting up' });
  let join = accept;
  const server = createRpcServer(
    { clock: systemClock, log },
    {
      methods: {
        ...services,
        [eventStreamPath]: { kind: 'stream', open: (link: Link) => accept(link) },
        [fleetJoinPath]: { kind: 'stream', open: (link: Link) => join(link) },
      },
    },
  );
  closers.add('port for workers', () => server.close(upDefaults.workerGraceMs));
  const serve = (given: (link: Link) => void): void => {
    accept = given;
  };
  const serveJoins = (given: (link: Link) => void): void => {
    join = given;
  };
  return { server, serve, serveJoins };
}
