/**
 * The doors of an installation. What is open to other machines shows a certificate, and the processes of this machine have a
 * door of their own beside it: on loopback, in clear.
 */
import type { RequestListener } from 'node:http';
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
import { checkCertificateName, namesIn } from '../http/check-certificate.ts';
import { certificateErrors } from '../http/errors.ts';
import { createGatewayServer, type GatewayServer } from '../http/gateway-server.ts';
import { createHeldRequests } from '../http/held-requests.ts';
import { createHttpServer } from '../http/http-server.ts';
import { isLoopbackHost, isWildcardHost, type ListenAddress, listen, listenRpc, toUrlHost } from '../http/listen.ts';
import { openServerCertificate, ownCertificateFlags, type ServerCertificate } from '../http/server-certificate.ts';
import { type UpOptions, upDefaults } from './up-options.ts';

/** A door of an installation. */
export interface Door {
  /** Where the processes of this machine reach it, in clear. */
  readonly localUrl: string;
  /** Where other machines reach it; undefined when it is for this machine alone, or nobody said at which address that is. */
  readonly outerUrl: string | undefined;
  /** What people are told. */
  readonly url: string;
}

/** The open ports of an installation. Requests and streams wait until somebody serves them. */
export interface UpSockets {
  readonly gateway: GatewayServer;
  readonly gatewayPort: number;
  /** `http` or `https`, as callers of the apps speak. */
  readonly scheme: 'http' | 'https';
  /** Where the programs of this machine call the apps in clear. */
  readonly localGateway: { readonly host: string; readonly port: number };
  readonly control: Door;
  /** The names under which commands may ask there, beside those of loopback. */
  readonly controlNames: readonly string[];
  readonly rpc: Door;
  /** What other doors of this process show. */
  readonly certificate: ServerCertificate | undefined;
  serveControl(listener: RequestListener): void;
  /** Names who takes the streams of workers of other processes. */
  serveWorkers(accept: (link: Link) => void): void;
  /** Names who takes the channels of Runtimes that join. */
  serveJoins(accept: (link: Link) => void): void;
}

export interface SocketsScope {
  readonly options: Pick<
    UpOptions,
    'host' | 'port' | 'https' | 'controlHost' | 'controlPort' | 'rpcHost' | 'rpcPort' | 'tls' | 'reach'
  >;
  readonly log: Log;
  readonly closers: Closers;
  /** What workers of other processes may call beside their streams. */
  readonly services: Readonly<Record<string, RpcMethod>>;
}

const loopback = '127.0.0.1';

/** A control request has its head in this time. */
const headMs = 10_000;

/** Connections of people, programs and followers of logs from other machines, all together. */
const maxControlConnections = 2_000;

/** Rejects with PORT_IN_USE, PORT_REFUSED, DOOR_IN_CLEAR and what is wrong with the certificate. */
export async function openUpSockets(scope: SocketsScope): Promise<UpSockets> {
  const { options, log, closers, services } = scope;
  const certificate = await openServerCertificate(options.tls, { log, closers });
  const doors = { certificate, closers, log, services };
  const control = {
    ...{ host: options.controlHost ?? upDefaults.host, port: options.controlPort ?? upDefaults.controlPort },
    flag: '--control-port',
  };
  const rpc = {
    ...{ host: options.rpcHost ?? upDefaults.host, port: options.rpcPort ?? upDefaults.rpcPort },
    flag: '--rpc-port',
  };
  checkDoors(options, { '--control-host': control.host, '--rpc-host': rpc.host }, certificate);
  const host = options.host ?? upDefaults.host;
  const { https: isHttps = false } = options;
  if (isHttps && certificate === undefined)
    throw certificateErrors.create('HTTPS_CERTIFICATE_MISSING', { flag: '--https' });
  const gateway = createGatewayServer({ certificate: isHttps ? certificate : undefined, hasLocalSide: true });
  closers.add('HTTP connections', async () => gateway.close());
  const controlDoor = createControlDoor(doors);
  const rpcDoor = createRpcDoor(doors);
  const [gatewayPort, controlAddress, rpcAddress] = await Promise.all([
    gateway.listen({ host, port: options.port ?? upDefaults.port }),
    controlDoor.listen(control),
    rpcDoor.listen(rpc),
  ]);
  const { advertisedHost } = options.reach;
  return {
    ...{ gateway, gatewayPort, scheme: isHttps ? 'https' : 'http', certificate },
    localGateway:
      gateway.localPort === undefined ? { host, port: gatewayPort } : { host: loopback, port: gateway.localPort },
    controlNames: namesOf(control.host, advertisedHost, certificate),
    control: toDoor(control.host, controlAddress, advertisedHost, certificate !== undefined),
    rpc: toDoor(rpc.host, rpcAddress, advertisedHost, certificate !== undefined),
    serveControl: controlDoor.serve,
    serveWorkers: rpcDoor.serve,
    serveJoins: rpcDoor.serveJoins,
  };
}

/** @throws PlatformError DOOR_IN_CLEAR, CERTIFICATE_NAME */
function checkDoors(
  { tls, reach }: SocketsScope['options'],
  hosts: Readonly<Record<string, string>>,
  certificate: ServerCertificate | undefined,
): void {
  const { advertisedHost, allowsClear } = reach;
  if (certificate !== undefined && advertisedHost !== undefined) {
    const origin = { path: tls.certificate ?? '', flag: ownCertificateFlags.certificate };
    checkCertificateName(certificate.certificate, advertisedHost, origin);
  }
  if (certificate !== undefined || allowsClear) return;
  for (const [flag, host] of Object.entries(hosts)) {
    if (!isLoopbackHost(host)) throw certificateErrors.create('DOOR_IN_CLEAR', { flag, host });
  }
}

/** A page in a browser here may have a name of its own lead to this door: only names that somebody has given count. */
function namesOf(host: string, advertised: string | undefined, certificate: ServerCertificate | undefined): string[] {
  const shown = certificate === undefined ? [] : namesIn(certificate.certificate);
  return [host, ...(advertised === undefined ? [] : [advertised]), ...shown].map(toUrlHost);
}

/** @throws PlatformError DOOR_UNREACHABLE */
export function outerUrlOf({ outerUrl }: Door, what: string, flag: string): string {
  if (outerUrl !== undefined) return outerUrl;
  const reason = 'workers of other machines dial an address that is not that of this machine alone';
  throw certificateErrors.create('DOOR_UNREACHABLE', { what, reason, flag });
}

interface BoundPorts {
  readonly outer: number | undefined;
  readonly local: number;
}

function toDoor(host: string, { outer, local }: BoundPorts, advertised: string | undefined, isSecure: boolean): Door {
  const localUrl = `http://${loopback}:${local}`;
  if (outer === undefined) return { localUrl, outerUrl: undefined, url: localUrl };
  const urlOf = (name: string): string => `${isSecure ? 'https' : 'http'}://${toUrlHost(name)}:${outer}`;
  const found = advertised ?? (isWildcardHost(host) ? undefined : host);
  return { localUrl, outerUrl: found && urlOf(found), url: urlOf(found ?? 'localhost') };
}

interface DoorScope {
  readonly certificate: ServerCertificate | undefined;
  readonly closers: Closers;
  readonly log: Log;
  readonly services: SocketsScope['services'];
}

/** The two sides of a door; one where it is for this machine alone. */
async function listenTwice(
  address: ListenAddress,
  { certificate }: DoorScope,
  bind: {
    readonly outer: (address: ListenAddress) => Promise<number>;
    readonly local: (address: ListenAddress) => Promise<number>;
  },
): Promise<BoundPorts> {
  if (certificate === undefined && isLoopbackHost(address.host)) {
    return { outer: undefined, local: await bind.local(address) };
  }
  const [outer, local] = await Promise.all([bind.outer(address), bind.local({ host: loopback, port: 0 })]);
  return { outer, local };
}

function createControlDoor(scope: DoorScope) {
  const { listener, serve } = createHeldRequests();
  // A watched deployment or a followed log takes as long as it takes.
  const limits = { requestTimeout: 0, headersTimeout: headMs };
  const outer = createHttpServer(limits, scope.certificate, listener);
  const local = createHttpServer(limits, undefined, listener);
  outer.maxConnections = maxControlConnections;
  scope.closers.add('control connections', async () => {
    for (const server of [outer, local]) {
      server.close();
      server.closeAllConnections();
    }
  });
  return {
    listen: (address: ListenAddress) =>
      listenTwice(address, scope, { outer: (at) => listen(outer, at), local: (at) => listen(local, at) }),
    serve,
  };
}

function createRpcDoor(scope: DoorScope) {
  const { certificate, closers, log, services } = scope;
  let accept: (link: Link) => void = (link) => link.cancel({ code: grpcStatus.unavailable, message: 'starting up' });
  let join = accept;
  const methods: Readonly<Record<string, RpcMethod>> = {
    ...services,
    [eventStreamPath]: { kind: 'stream', open: (link: Link) => accept(link) },
    [fleetJoinPath]: { kind: 'stream', open: (link: Link) => join(link) },
  };
  const local = createRpcServer({ clock: systemClock, log }, { methods });
  const tls = certificate && { certificate: certificate.certificate, key: certificate.key };
  const outer = createRpcServer({ clock: systemClock, log }, { methods, ...(tls === undefined ? {} : { tls }) });
  certificate?.onRenewal((pair) => outer.renewCertificate(pair.certificate, pair.key));
  closers.add('port for workers', async () => {
    await Promise.all([outer, local].map((server) => server.close(upDefaults.workerGraceMs)));
  });
  return {
    listen: (address: ListenAddress) =>
      listenTwice(address, scope, {
        outer: (at) => listenRpc(outer, at),
        local: (at) => listenRpc(local, at),
      }),
    serve(given: (link: Link) => void): void {
      accept = given;
    },
    serveJoins(given: (link: Link) => void): void {
      join = given;
    },
  };
}
