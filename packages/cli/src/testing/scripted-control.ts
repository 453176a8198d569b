/**
 * A control API that answers by a script. What comes in and what goes out is checked against the API's own table, so a
 * script cannot answer what the real server would not, and a command cannot ask what it would refuse.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type ControlOperation,
  type ControlOperationId,
  controlOperations,
  eventStreamType,
  formatEvent,
  heartbeatText,
  type Problem,
  pathParameters,
  problemSchema,
  problemType,
} from '@switchyard/protocol/control-api';
import type { z } from 'zod';
import type { AnswerOf, EventOf } from '../control/control-client.ts';

/** A request as the table understands it. */
export interface SeenRequest {
  readonly id: ControlOperationId;
  readonly method: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** Parsed JSON, or the bytes of a package. */
  readonly body: unknown;
  /** Aborts when the connection closes. */
  readonly closed: AbortSignal;
}

/** What to answer. */
export type Scripted<Id extends ControlOperationId> =
  | { readonly kind: 'answer'; readonly value: AnswerOf<Id> }
  | { readonly kind: 'problem'; readonly status: number; readonly problem: Problem }
  /** A stream that ends when the events do, and is cut when they throw. */
  | { readonly kind: 'events'; readonly events: AsyncIterable<EventOf<Id>> | Iterable<EventOf<Id>> }
  /** What no real server of this API would say. */
  | { readonly kind: 'raw'; readonly status: number; readonly type: string; readonly text: string };

type Script = { [Id in ControlOperationId]?: (request: SeenRequest) => Scripted<Id> | Promise<Scripted<Id>> };

export interface ScriptedControl {
  readonly endpoint: string;
  readonly token: string;
  readonly requests: readonly SeenRequest[];
  /** The environment in which commands find this server. */
  readonly environment: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

const token = 'scripted-token';

export const answer = <T>(value: T): { readonly kind: 'answer'; readonly value: T } => ({ kind: 'answer', value });

export const problem = (status: number, code: string, message: string, fix = '') => ({
  kind: 'problem' as const,
  status,
  problem: { code, message, fix },
});

export async function openScriptedControl(script: Script): Promise<ScriptedControl> {
  const requests: SeenRequest[] = [];
  const failures: unknown[] = [];
  const server = createServer((request, response) => {
    serve(script, requests, request, response).catch((error: unknown) => {
      failures.push(error);
      response.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    endpoint,
    token,
    requests,
    environment: { SWITCHYARD_ENDPOINT: endpoint, SWITCHYARD_TOKEN: token },
    async close() {
      await closeServer(server);
      if (failures.length > 0) throw new AggregateError(failures, `The script failed: ${failures.join('; ')}`);
    },
  };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function serve(script: Script, requests: SeenRequest[], request: IncomingMessage, response: ServerResponse) {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  const [id, parameters] = route(request.method ?? '', url.pathname);
  const operation: ControlOperation = controlOperations[id];
  if (request.headers.authorization !== `Bearer ${token}`) throw new Error(`${url.pathname} came without the token`);
  const closed = new AbortController();
  response.once('close', () => closed.abort());
  const query = Object.fromEntries(url.searchParams);
  const body = await readBody(operation, request);
  (operation.query ?? undefined)?.parse(query);
  const method = request.method ?? '';
  const seen: SeenRequest = { id, method, parameters, query, body, closed: closed.signal };
  requests.push(seen);
  // The table has the types of each row; here the row is only known as one of them.
  const handler = script[id] as ((request: SeenRequest) => Scripted<ControlOperationId>) | undefined;
  if (handler === undefined) throw new Error(`The script does not expect ${request.method} ${url.pathname}`);
  await reply(operation, await handler(seen), seen, response);
}

function route(method: string, path: string): [ControlOperationId, Record<string, string>] {
  for (const [id, operation] of Object.entries(controlOperations)) {
    if (operation.method !== method && !(method === 'HEAD' && operation.method === 'GET')) continue;
    const names = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
    const found = new RegExp(`^${operation.path.replaceAll(/\{\w+\}/g, '([^/]+)')}$`).exec(path);
    if (found === null) continue;
    const parameters = names.map((name, at) => [name, decodeURIComponent(found[at + 1] ?? '')] as const);
    for (const [name, value] of parameters) pathParameters[name]?.parse(value);
    return [id as ControlOperationId, Object.fromEntries(parameters)];
  }
  throw new Error(`There is no ${method} ${path}`);
}

async function readBody({ body }: ControlOperation, request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  if (body === undefined || body === 'package') return bytes;
  return body.parse(JSON.parse(bytes.toString('utf8')));
}

async function reply(
  { answer: { status, body, events } }: ControlOperation,
  scripted: Scripted<ControlOperationId>,
  { method, closed }: SeenRequest,
  response: ServerResponse,
): Promise<void> {
  switch (scripted.kind) {
    case 'raw':
      response.writeHead(scripted.status, { 'content-type': scripted.type }).end(scripted.text);
      return;
    case 'problem':
      response.writeHead(scripted.status, { 'content-type': problemType });
      response.end(method === 'HEAD' ? undefined : JSON.stringify(problemSchema.parse(scripted.problem)));
      return;
    case 'answer': {
      const text = body === undefined || body === 'package' ? '' : JSON.stringify(body.parse(scripted.value));
      response.writeHead(status, { 'content-type': 'application/json' }).end(text);
      return;
    }
    case 'events':
      await sendEvents(events ?? {}, scripted.events, closed, response);
  }
}

async function sendEvents(
  schemas: Readonly<Record<string, z.ZodType>>,
  events: AsyncIterable<{ name: string; data: unknown }> | Iterable<{ name: string; data: unknown }>,
  closed: AbortSignal,
  response: ServerResponse,
): Promise<void> {
  response.writeHead(200, { 'content-type': eventStreamType });
  response.write(heartbeatText);
  try {
    for await (const { name, data } of events) {
      if (closed.aborted) return;
      response.write(formatEvent(name, schemas[name]?.parse(data)));
    }
    response.end();
  } catch (error) {
    if (!(error instanceof CutConnection)) throw error;
    response.destroy();
  }
}

/** Thrown by events: the connection breaks there. */
export class CutConnection extends Error {}

/** Never yields, and ends when the connection does. */
export async function untilClosed({ closed }: SeenRequest): Promise<void> {
  await new Promise<void>((resolve) => {
    if (closed.aborted) resolve();
    else closed.addEventListener('abort', () => resolve(), { once: true });
  });
}
