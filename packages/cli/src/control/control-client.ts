/**
 * The control API as functions: what goes in and what comes out has the types of the API's own table, and what comes out
 * is checked against it.
 */
import { createReadStream } from 'node:fs';
import type { Clock, Random } from '@switchyard/kernel';
import {
  type ControlOperation,
  type ControlOperationId,
  controlOperations,
  type PathParametersOf,
  packageType,
  type StoredPackage,
  storedPackageSchema,
  toControlPath,
} from '@switchyard/protocol/control-api';
import type { z } from 'zod';
import { ask, askBytes, type ControlLink, type ControlRequest, send } from './control-request.ts';
import type { ControlEndpoint } from './endpoint.ts';
import { readConnection } from './event-connection.ts';
import { controlLimits } from './limits.ts';
import { unreachable } from './problem-error.ts';

type Operations = typeof controlOperations;

/** What an operation answers with; undefined where that is nothing, or no JSON. */
export type AnswerOf<Id extends ControlOperationId> = Operations[Id]['answer'] extends { readonly body: infer Schema }
  ? Schema extends z.ZodType<infer T>
    ? T
    : undefined
  : undefined;

type BodyOf<Id extends ControlOperationId> = Operations[Id] extends { readonly body: infer Schema }
  ? Schema extends z.ZodType<infer T>
    ? T
    : never
  : never;

/** An event of a stream, told by its name. */
export type EventOf<Id extends ControlOperationId> = Operations[Id]['answer'] extends { readonly events: infer Events }
  ? {
      [Name in keyof Events]: Events[Name] extends z.ZodType<infer T>
        ? { readonly name: Name; readonly data: T }
        : never;
    }[keyof Events]
  : never;

export interface CallOptions<Id extends ControlOperationId> {
  readonly path: PathParametersOf<Id>;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: BodyOf<Id>;
  readonly signal: AbortSignal;
  /** From the request to its whole answer; a minute when left out. */
  readonly timeoutMs?: number;
}

export interface ControlClientDeps {
  readonly clock: Clock;
  readonly random: Random;
}

export interface ControlClient extends ControlClientDeps {
  /** Where the platform is, for messages. */
  readonly endpoint: string;
  /** Asks once. Rejects with what the API complains of, why there is no answer, or the signal's reason. */
  call<Id extends ControlOperationId>(id: Id, options: CallOptions<Id>): Promise<AnswerOf<Id>>;
  /** The events of one connection. Throws as `call` rejects, and a ConnectionLost when the stream breaks. */
  events<Id extends ControlOperationId>(id: Id, options: CallOptions<Id>): AsyncIterable<EventOf<Id>>;
  /** True when the package is stored already. */
  hasPackage(sha256: string, signal: AbortSignal): Promise<boolean>;
  /** Uploads a package from a file. Rejects as `call` does. */
  putPackage(sha256: string, file: PackageSource, signal: AbortSignal): Promise<StoredPackage>;
}

export interface PackageSource {
  readonly path: string;
  readonly sizeBytes: number;
}

export function createControlClient(deps: ControlClientDeps, endpoint: ControlEndpoint): ControlClient {
  const link: ControlLink = { clock: deps.clock, endpoint };
  return {
    ...deps,
    endpoint: endpoint.url.origin,
    async call<Id extends ControlOperationId>(id: Id, options: CallOptions<Id>) {
      const { answer }: ControlOperation = controlOperations[id];
      const timeoutMs = options.timeoutMs ?? controlLimits.answerMs;
      const request = toRequest(id, options);
      const isJson = answer.body !== undefined && answer.body !== 'package';
      const value = isJson
        ? await ask(link, request, answer.body, timeoutMs)
        : await askBytes(link, request, timeoutMs);
      // The schema stands in the row of the table that the type is taken from.
      return (isJson ? value : undefined) as AnswerOf<Id>;
    },
    events<Id extends ControlOperationId>(id: Id, options: CallOptions<Id>) {
      const { answer }: ControlOperation = controlOperations[id];
      const schemas = new Map(Object.entries(answer.events ?? {}));
      return readConnection(link, toRequest(id, options), schemas) as AsyncIterable<EventOf<Id>>;
    },
    hasPackage: (sha256, signal) => hasPackage(link, sha256, signal),
    putPackage(sha256, { path: file, sizeBytes }, signal) {
      const path = toControlPath('putPackage', { sha256 });
      const body = { stream: createReadStream(file), sizeBytes };
      const request = { method: 'PUT', path, signal, body, type: packageType };
      return ask(link, request, storedPackageSchema, controlLimits.uploadMs);
    },
  };
}

/** An answer to HEAD cannot say why it is no success: the upload that follows will. */
async function hasPackage({ endpoint }: ControlLink, sha256: string, signal: AbortSignal): Promise<boolean> {
  try {
    const path = toControlPath('getPackage', { sha256 });
    const { status, body } = await send(endpoint, { method: 'HEAD', path, signal });
    body.destroy();
    return status === 200;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw unreachable(endpoint.url, error);
  }
}

function toRequest<Id extends ControlOperationId>(id: Id, options: CallOptions<Id>): ControlRequest {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(options.query ?? {}))
    if (value !== undefined) query.set(name, String(value));
  const search = query.size === 0 ? '' : `?${query}`;
  const json = options.body === undefined ? undefined : Buffer.from(JSON.stringify(options.body));
  return {
    method: controlOperations[id].method,
    path: `${toControlPath(id, options.path)}${search}`,
    signal: options.signal,
    ...(json === undefined ? {} : { body: json, type: 'application/json' }),
  };
}
