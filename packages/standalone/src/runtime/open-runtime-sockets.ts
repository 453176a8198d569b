import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';

import { type Log, systemClock } from '@switchyard/kernel';
import { createRpcServer, eventStreamPath, grpcStatus, type Link, type RpcMethod } from '@switchyard/protocol';
import { controlScopes } from '@switchyard/protocol/control-api';
import { readBody } from '@switchyard/sidecar';
import type { Closers } from '../dev/closers.ts';
import { createGatewayServer, type GatewayServer } from '../http/gateway-server.ts';
import { isLoopbackHost, listen, listenRpc } from '../http/listen.ts';
import { openServerCertificate, type ServerCertificate } from '../http/server-certificate.ts';
import { runtimeProcessErrors } from './errors.ts';
import { answerControlRequest, type ControlGuard, type ControlledRuntime } from './runtime-control.ts';
import { type RuntimeProcessOptions, runtimeDefaults } from './runtime-options.ts';

/** The open ports of a Runtime. Requests and streams wait until somebody serves them. */
export interface RuntimeSockets {
  readonly gateway: GatewayServer;
  readonly gatewayPort: number;
  readonly isGatewaySecure: boolean;
  readonly controlPort: number;
  readonly rpc: { readonly host: string; readonly port: number; readonly isSecure: boolean };
  serveWorkers(accept: (link: Link) => void): void;
  /** `before` stands in front of everything that the Runtime answers there. */
  serveControl(runtime: ControlledRuntime, guard: ControlGuard, before?: Intercept): void;
}

/** Takes requests, and leaves those that are not its own to the next one. */
export type Intercept = (next: RequestListener) => RequestListener;

export interface RuntimeSocketsScope {
  readonly options: RuntimeProcessOptions;
  readonly log: Log;
  readonly closers: Closers;
  /** What workers may call beside their streams. */
  readonly services: Readonly<Record<string, RpcMethod>>;
  /** The gateway is for an installation on another machine, and not for callers: it shows the certificate, too. */
  readonly hidesGateway?: boolean;
}

const loopback = '127.0.0.1';
const bodyLimits = { bodyBytes: 1_048_576, bodyMs: 10_000 } as const;
/** A control request has its head in this time. */
const headMs = 10_000;

/** Rejects with PORT_IN_USE, PORT_REFUSED, RUNTIME_PORT_IN_CLEAR and what is wrong with certificates. */
export async function openRuntimeSockets(scope: RuntimeSocketsScope): Promise<RuntimeSockets> {
  const { options, closers, hidesGateway = false } = scope;
  const certificate = await openServerCertificate(options.tls, scope);
  const rpc = await openRpc(scope, certificate);
  const host = options.host ?? runtimeDefaults.host;
  const shown = hidesGateway && !isLoopbackHost(host) ? certificate : undefined;
  const gateway = createGatewayServer({ certificate: shown });
  closers.add('HTTP connections', async () => gateway.close());
  const control = openControl(closers);
  const [gatewayPort, controlPort, rpcPort] = await Promise.all([
    gateway.listen({ host, port: options.port ?? runtimeDefaults.port }),
    listen(control.server, {
      ...{ host: loopback, port: options.controlPort ?? runtimeDefaults.controlPort },
      flag: '--control-port',
    }),
    rpc.listen(),
  ]);
  return {
    gateway,
    gatewayPort,
    isGatewaySecure: shown !== undefined,
    controlPort,
    rpc: { host: rpc.host, port: rpcPort, isSecure: rpc.isSecure },
    serveWorkers: rpc.serve,
    serveControl: control.serve,
  };
}

async function openRpc({ options, log, closers, services }: RuntimeSocketsScope, shown: ServerCertificate | undefined) {
  const host = options.rpcHost ?? runtimeDefaults.host;
  const isSecure = shown !== undefined;
  if (!isSecure && !options.allowClearTokens && !isLoopbackHost(host)) {
    throw runtimeProcessErrors.create('RUNTIME_PORT_IN_CLEAR', { host });
  }
  const isRequired = options.clientCertificate !== 'ignored';
  const tls = isSecure && {
    certificate: shown.certificate,
    key: shown.key,
    ...(shown.clientCa === undefined ? {} : { clientCa: shown.clientCa }),
    clientCertificate: isRequired ? ('required' as const) : ('requested' as const),
  };
  let accept: (link: Link) => void = (link) => link.cancel({ code: grpcStatus.unavailable, message: 'starting up' });
  const server = createRpcServer(
    { clock: systemClock, log },
    {
      methods: { ...services, [eventStreamPath]: { kind: 'stream', open: (link: Link) => accept(link) } },
      ...(tls === false ? {} : { tls }),
    },
  );
  shown?.onRenewal((pair) => server.renewCertificate(pair.certificate, pair.key));
  closers.add('port for workers', () => server.close(runtimeDefaults.streamGraceMs));
  return {
    ...{ isSecure, host },
    listen: () => listenRpc(server, { host, port: options.rpcPort ?? runtimeDefaults.rpcPort, flag: '--rpc-port' }),
    serve(given: (link: Link) => void): void {
      accept = given;
    },
  };
}

function openControl(closers: Closers) {
  const server = createServer({ headersTimeout: headMs });
  let serve: RequestListener = (_request, response) =>
    answer(response, 503, { code: 'STARTING', message: 'The Runtime is starting. Try again in a second.' });
  server.on('request', (request, response) => serve(request, response));
  closers.add('control connections', async () => {
    server.close();
    server.closeAllConnections();
  });
  return {
    server,
    serve(runtime: ControlledRuntime, guard: ControlGuard, before: Intercept = (next) => next): void {
      serve = before((request, response) => answerControl(runtime, guard, request, response));
    },
  };
}

function answerControl(
  runtime: ControlledRuntime,
  guard: ControlGuard,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const [path = '/'] = (request.url ?? '/').split('?');
  answerControlRequest(runtime, guard, {
    method: request.method ?? 'GET',
    path,
    authorization: request.headers.authorization,
    async readBody() {
      const reading = await readBody(request, systemClock, bodyLimits);
      return reading.kind === 'read' ? reading.text : undefined;
    },
  }).then(
    ({ status, body }) => answer(response, status, body),
    (thrown: unknown) => answer(response, 500, { code: 'UNEXPECTED', message: String(thrown) }),
  );
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** Without tokens everybody on this machine may ask everything: the port is open to no one else. */
export const letEverybody: ControlGuard = async () => ({ kind: 'accepted', scopes: controlScopes, tenants: '*' });
