/** A control server behind a real socket, with a real catalog and package store and a scripted platform, for tests. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, request as sendRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Clock, Log, Random } from '@switchyard/kernel';
import { type ControlEvent, controlScopes, readEvents } from '@switchyard/protocol/control-api';
import type { Catalog } from '../catalog/contract.ts';
import type { PackageStore } from '../package-store/contract.ts';
import { createPackageStore } from '../package-store/package-store.ts';
import type { AppRequests } from '../requests/contract.ts';
import type {
  ControlServer,
  ControlServerDeps,
  ControlServerOptions,
  ControlVerdict,
  PlatformOperations,
} from '../server/contract.ts';
import { createControlServer } from '../server/control-server.ts';
import type { DomainApi } from '../server/domain-api.ts';
import type { ScaleOperations } from '../server/scale-contract.ts';
import { type CatalogRun, createCatalogRun } from './catalog-run.ts';

export interface ControlAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The value of a JSON body; undefined for any other. */
  readonly json: unknown;
}

export interface ControlAsk {
  readonly method?: string;
  readonly path: string;
  /** `ann` when left out; undefined sends no token. */
  readonly token?: string | undefined;
  /** Sent as JSON, but for bytes. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ControlRun extends Pick<CatalogRun, 'catalog'> {
  readonly server: ControlServer;
  readonly packages: PackageStore;
  readonly url: string;
  /** Tokens are the names of these callers. */
  readonly callers: Map<string, ControlVerdict>;
  ask(ask: ControlAsk): Promise<ControlAnswer>;
  /** Opens a stream of events. */
  watch(path: string, token?: string): Promise<ControlStream>;
  /** Stores a package, as `ann` when left out, and answers with its hash. */
  upload(text: string, token?: string): Promise<string>;
  close(): Promise<void>;
}

export interface ControlStream {
  readonly status: number;
  readonly events: AsyncGenerator<ControlEvent, void, undefined>;
  leave(): void;
}

export interface ControlRunDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** A platform that does nothing; tests give the parts that matter. */
export const idlePlatform: PlatformOperations = {
  admit: () => ({ kind: 'admitted' }),
  deploy: () => {},
  runtimes: () => ({ runtimes: [], maximum: 1 }),
  status: () => ({ state: 'empty', urls: [], workers: [], functions: [] }),
  async *logs() {},
  invoke: () => Promise.reject(new Error('not scripted')),
  async *trace() {},
  debug: () => Promise.reject(new Error('not scripted')),
};

const fullCaller: ControlVerdict = { kind: 'accepted', subject: 'ann', tenants: '*', scopes: controlScopes };

export async function openControlRun(
  deps: ControlRunDeps,
  platform: Partial<PlatformOperations> = {},
  options: Partial<ControlServerOptions> = {},
  scale?: ScaleOperations,
  domain?: DomainApi,
  target?: ControlServerDeps['target'],
): Promise<ControlRun> {
  const catalogRun = createCatalogRun(deps);
  const { catalog } = catalogRun;
  const packages = createPackageStore(deps, { directory: join(catalogRun.directory, 'packages'), maxBytes: 100_000 });
  const callers = new Map<string, ControlVerdict>([['ann', fullCaller]]);
  const server = createControlServer(
    {
      ...{ ...deps, catalog, packages },
      ...(scale === undefined ? {} : { scale }),
      ...(domain === undefined ? {} : { domain }),
      ...(target === undefined ? {} : { target }),
      platform: { ...idlePlatform, ...platform },
      guard: (authorization) =>
        callers.get(authorization?.replace('Bearer ', '') ?? '') ?? {
          kind: 'refused',
          status: 401,
          reason: authorization === undefined ? 'there is none' : 'it is unknown',
        },
      requests: createWrittenRequests(catalog),
      publicKeys: () => ({ keys: [{ kty: 'RSA', kid: 'k1' }] }),
    },
    { defaultArchitecture: 'x64', ...options },
  );
  const http = createServer((request, response) => server.handleRequest(request, response));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const run: ControlRun = {
    ...{ server, catalog, packages, url, callers },
    ask: (ask) => send(url, ask),
    watch: (path, token = 'ann') => openStream(url, path, token),
    async upload(text, token = 'ann') {
      const sha256 = createHash('sha256').update(text).digest('hex');
      const body = Buffer.from(text);
      const { status } = await run.ask({ method: 'PUT', path: `/v1/packages/${sha256}`, body, token });
      if (status !== 200) throw new Error(`the upload ended with ${status}`);
      return sha256;
    },
    async close() {
      await new Promise<void>((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      });
      catalogRun.remove();
    },
  };
  return run;
}

/** Requests without workers: what is asked for is written at once. */
function createWrittenRequests(catalog: Catalog): AppRequests {
  const trace = { traceId: 't1', correlationId: 't1', depth: 0 };
  return {
    shareTraffic: async ({ applicationId }, request) => catalog.traffic.set(applicationId, request),
    changeSettings: async ({ applicationId }, change) => catalog.settings.patch(applicationId, change),
    withdraw: async () => {},
    note: async () => trace,
  };
}

function toHeaders({ token, body, headers }: ControlAsk): Record<string, string> {
  return {
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(body === undefined || body instanceof Uint8Array ? {} : { 'content-type': 'application/json' }),
    ...headers,
  };
}

/** node:http, not fetch: tests set Host and Origin. */
function send(url: string, given: ControlAsk): Promise<ControlAnswer> {
  const ask = 'token' in given ? given : { ...given, token: 'ann' };
  const { method = 'GET', path, body } = ask;
  return new Promise((resolve, reject) => {
    const request = sendRequest(`${url}${path}`, { method, headers: toHeaders(ask), agent: false }, (response) => {
      const parts: Uint8Array[] = [];
      response.on('data', (part: Uint8Array) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(parts).toString('utf8');
        const isJson = (response.headers['content-type'] ?? '').includes('json') && text !== '';
        const json: unknown = isJson ? JSON.parse(text) : undefined;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json });
      });
    });
    request.on('error', reject);
    request.end(body === undefined || body instanceof Uint8Array ? body : JSON.stringify(body));
  });
}

function openStream(url: string, path: string, token: string): Promise<ControlStream> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    const request = sendRequest(`${url}${path}`, { headers, agent: false }, (response) => {
      resolve({ status: response.statusCode ?? 0, events: readEvents(response), leave: () => request.destroy() });
    });
    request.on('error', reject);
    request.end();
  });
}
