/**
 * What a Runtime in a process of its own shows and takes over HTTP: `GET /health` for probes, and for who may:
 * `GET /v1/runtime/status`, `POST /v1/runtime/workers/{id}/restart`, `PUT` and `DELETE /v1/runtime/apps/{app}`. Pure
 * mapping; opens nothing.
 */
import { isPlatformError } from '@switchyard/kernel';
import { hostedAppSchema, restartWishSchema, runtimePaths } from '@switchyard/protocol/control-api';
import type {
  AnnouncedApplication,
  JobHostStatus,
  RestartOutcome,
  RestartWish,
  WorkerStatus,
} from '@switchyard/runtime';
import type { RuntimeHealth } from './runtime-health.ts';

/** A Runtime, as far as this needs it. */
export interface ControlledRuntime {
  health(): RuntimeHealth;
  status(): readonly JobHostStatus[];
  placeholders(): readonly WorkerStatus[];
  restartWorker(workerId: string, wish: RestartWish): Promise<RestartOutcome>;
  /** Hosts an app; resolves as soon as it does. Rejects with a PlatformError when it cannot. */
  host(app: AnnouncedApplication): Promise<void>;
  /** Ends an app; unknown ones are harmless. */
  unhost(applicationId: string): Promise<void>;
}

/** Who asks, by the value of its Authorization header. */
export type ControlGuard = (
  authorization: string | undefined,
) => Promise<
  | { readonly kind: 'accepted'; readonly scopes: readonly string[]; readonly tenants: '*' | readonly string[] }
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

type Verdict = Extract<Awaited<ReturnType<ControlGuard>>, { kind: 'accepted' }>;

/** One operation: whose scope it needs, and what it does with the part of the path that its pattern takes out. */
interface Operation {
  readonly method: string;
  readonly pattern: RegExp;
  readonly scope: string;
  readonly run: (
    runtime: ControlledRuntime,
    taken: string,
    request: ControlRequest,
    verdict: Verdict,
  ) => Promise<ControlReply>;
}

const operations: readonly Operation[] = [
  {
    method: 'GET',
    pattern: new RegExp(`^${runtimePaths.status}$`),
    scope: 'read',
    run: async (runtime) => ({
      status: 200,
      body: { jobHosts: runtime.status(), placeholders: runtime.placeholders() },
    }),
  },
  {
    method: 'POST',
    pattern: runtimePaths.restart,
    scope: 'write',
    run: async (runtime, workerId, request) => restart(runtime, workerId, await request.readBody()),
  },
  {
    method: 'PUT',
    pattern: runtimePaths.app,
    scope: 'deploy',
    run: async (runtime, app, request, verdict) => host(runtime, app, await request.readBody(), verdict),
  },
  {
    method: 'DELETE',
    pattern: runtimePaths.app,
    scope: 'deploy',
    async run(runtime, app, _request, verdict) {
      if (verdict.tenants !== '*') return refused(403, 'TENANT_FOREIGN', 'This needs a token of all tenants.');
      await runtime.unhost(app);
      return { status: 200, body: { app } };
    },
  },
];

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
  const here = operations.filter(({ pattern }) => pattern.test(path));
  if (here.length === 0) return refused(404, 'PATH_UNKNOWN', `There is no '${path.slice(0, 200)}' here.`);
  const operation = here.find((one) => one.method === method);
  if (operation === undefined) {
    return refused(405, 'METHOD_REFUSED', `${path} takes ${here.map((one) => one.method).join(' and ')} only.`);
  }
  const verdict = await guard(request.authorization);
  if (verdict.kind === 'refused') return refused(verdict.status, verdict.code, verdict.reason);
  const { scope } = operation;
  if (!verdict.scopes.includes(scope)) {
    return refused(403, 'SCOPE_MISSING', `This needs a token with the scope '${scope}'.`);
  }
  return await operation.run(runtime, operation.pattern.exec(path)?.[1] ?? '', request, verdict);
}

async function host(
  runtime: ControlledRuntime,
  applicationId: string,
  text: string | undefined,
  { tenants }: Verdict,
): Promise<ControlReply> {
  const reading = hostedAppSchema.safeParse(parseJson(text));
  if (!reading.success) return unfit(reading.error.issues);
  const { tenantId, metadataVersion, codeVersion, settings, hostJson, ...app } = reading.data;
  if (tenants !== '*' && !tenants.includes(tenantId)) {
    return refused(403, 'TENANT_FOREIGN', `This token may not touch the tenant '${tenantId}'.`);
  }
  const definition = { applicationId, metadataVersion, codeVersion };
  try {
    await runtime.host({
      ...app,
      definition,
      tenantId,
      settings: new Map(Object.entries(settings)),
      hostJson: hostJson === undefined ? undefined : JSON.stringify(hostJson),
    });
    return { status: 202, body: definition };
  } catch (thrown) {
    if (!isPlatformError(thrown)) throw thrown;
    return refused(thrown.definition.http, thrown.code, thrown.message);
  }
}

/** Values are not quoted: they may be secrets. */
function unfit(issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]): ControlReply {
  const [issue] = issues;
  const where = issue?.path.map(String).join('.') || 'the body';
  return refused(400, 'BODY_INVALID', `${where}: ${issue?.message ?? 'is no JSON'}`);
}

async function restart(runtime: ControlledRuntime, segment: string, text: string | undefined): Promise<ControlReply> {
  const workerId = decodeSegment(segment);
  const wish = restartWishSchema.safeParse(parseJson(text));
  if (workerId === undefined)
    return refused(400, 'PATH_INVALID', 'The id of the worker is not written as a URL needs it.');
  if (!wish.success) return unfit(wish.error.issues);
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
