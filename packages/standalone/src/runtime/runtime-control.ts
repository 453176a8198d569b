/**
 * What a Runtime in a process of its own shows and takes over HTTP: `GET /health` for probes, and for who may:
 * `GET /v1/runtime/status`, `POST /v1/runtime/workers/{id}/restart`. Pure mapping; opens nothing.
 */
import { restartWishSchema, runtimePaths } from '@switchyard/protocol/control-api';
import type { JobHostStatus, RestartOutcome, RestartWish, WorkerStatus } from '@switchyard/runtime';
import type { RuntimeHealth } from './runtime-health.ts';

/** A Runtime, as far as this needs it. */
export interface ControlledRuntime {
  health(): RuntimeHealth;
  status(): readonly JobHostStatus[];
  placeholders(): readonly WorkerStatus[];
  restartWorker(workerId: string, wish: RestartWish): Promise<RestartOutcome>;
}

/** Who asks, by the value of its Authorization header. */
export type ControlGuard = (
  authorization: string | undefined,
) => Promise<
  | { readonly kind: 'accepted'; readonly scopes: readonly string[] }
  | { readonly kind: 'refused'; readonly status: number; readonly code: string; readonly reason: string }
>;

export interface ControlRequest {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly authorization: string | undefined;
  /** The text of the body; undefined when it is too long or broken. */
  readonly readBody: () => Promise<string | undefined>;
}

export interface ControlReply {
  readonly status: number;
  readonly body: unknown;
}

/** Answers one request. Rejects only as `guard` and `readBody` do. */
export async function answerControlRequest(
  runtime: ControlledRuntime,
  guard: ControlGuard,
  request: ControlRequest,
): Promise<ControlReply> {
  const { method, path } = request;
  if (path === '/health' || path === '/ready') {
    if (method !== 'GET') return refused(405, 'METHOD_REFUSED', `${path} takes GET only.`);
    const health = runtime.health();
    return { status: health.status === 'Unhealthy' ? 503 : 200, body: health };
  }
  const restarted = runtimePaths.restart.exec(path)?.[1];
  if (path !== runtimePaths.status && restarted === undefined) {
    return refused(404, 'PATH_UNKNOWN', `There is no '${path.slice(0, 200)}' here.`);
  }
  const expected = restarted === undefined ? 'GET' : 'POST';
  if (method !== expected) return refused(405, 'METHOD_REFUSED', `${path} takes ${expected} only.`);
  const verdict = await guard(request.authorization);
  if (verdict.kind === 'refused') return refused(verdict.status, verdict.code, verdict.reason);
  const scope = restarted === undefined ? 'read' : 'write';
  if (!verdict.scopes.includes(scope)) {
    return refused(403, 'SCOPE_MISSING', `This needs a token with the scope '${scope}'.`);
  }
  if (restarted === undefined) {
    return { status: 200, body: { jobHosts: runtime.status(), placeholders: runtime.placeholders() } };
  }
  return await restart(runtime, restarted, await request.readBody());
}

async function restart(runtime: ControlledRuntime, segment: string, text: string | undefined): Promise<ControlReply> {
  const workerId = decodeSegment(segment);
  const wish = restartWishSchema.safeParse(parseJson(text));
  if (workerId === undefined)
    return refused(400, 'PATH_INVALID', 'The id of the worker is not written as a URL needs it.');
  if (!wish.success) {
    const [issue] = wish.error.issues;
    const where = issue?.path.join('.') || 'the body';
    return refused(400, 'BODY_INVALID', `${where}: ${issue?.message ?? 'is no JSON'}`);
  }
  const { environment, ...others } = wish.data;
  const variables = environment === undefined ? {} : { environment: new Map(Object.entries(environment)) };
  const outcome = await runtime.restartWorker(workerId, { ...others, ...variables });
  switch (outcome.kind) {
    case 'accepted':
      return { status: 202, body: outcome };
    case 'in-progress':
      return { status: 409, body: outcome };
    case 'rejected':
      return { status: 422, body: outcome };
  }
}

function decodeSegment(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

function parseJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refused(status: number, code: string, message: string): ControlReply {
  return { status, body: { code, message } };
}
