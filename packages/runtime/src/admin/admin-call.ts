import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { Clock } from '@switchyard/kernel';
import type { HttpReply, Kinds } from '@switchyard/triggers';
import type { RequestTarget } from '../gateway/request-target.ts';
import type { ProcessHealth } from '../health/process-health.ts';
import type { JobHost } from '../job-host/job-host.ts';

/** What the admin API uses of the process that it is in. */
export interface AdminHost {
  readonly clock: Clock;
  readonly hostVersion: string;
  readonly kinds: Pick<Kinds, 'webhook'>;
  /** How this process is; without it nobody looks. */
  readonly health?: ProcessHealth | undefined;
  /** True while this is the primary host of the app. */
  readonly isPrimary: (jobHost: JobHost) => boolean;
  /** JobHosts whose warm-up function has run. */
  readonly warmedUp: WeakSet<JobHost>;
  /** Starts a worker's process anew, if that can be done; does not wait. */
  readonly restartWorker: (workerId: string) => void;
}

/** A request to the host itself, before anything of it was read. */
export interface AdminRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: RequestTarget;
  /** The whole address, as the caller wrote it. */
  readonly url: string;
  readonly jobHost: JobHost;
  readonly host: AdminHost;
}

/** One call of a route. */
export interface AdminCall extends AdminRequest {
  readonly method: string;
  /** The parts of the path that the route names, in order, as they were sent. */
  readonly parameters: readonly string[];
  /** The query, names in lower case. */
  readonly query: ReadonlyMap<string, string>;
  /** Empty unless the route reads it. */
  readonly body: string;
}

/** A path of the admin API. Patterns are matched in lower case, without a slash at the end. */
export interface AdminRoute {
  readonly methods: readonly string[];
  readonly pattern: RegExp;
  /** `public` is for everybody, `webhook` for the extension's system key; everything else for the master key. */
  readonly access?: 'public' | 'webhook';
  readonly readsBody?: boolean;
  serve(call: AdminCall): AdminReply | Promise<AdminReply>;
}

/** A whole reply, or one whose body is a stream of so many bytes. */
export type AdminReply = HttpReply | StreamReply;

export interface StreamReply {
  readonly status: number;
  readonly headers: HttpReply['headers'];
  readonly sizeBytes: number;
  readonly stream: Readable;
}

export function jsonReply(status: number, value: unknown): HttpReply {
  return { status, headers: [['Content-Type', 'application/json; charset=utf-8']], body: JSON.stringify(value) };
}

export function emptyReply(status: number): HttpReply {
  return { status, headers: [], body: '' };
}
