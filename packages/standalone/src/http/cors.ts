import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CurrentApplications } from '../application/current-applications.ts';
import type { LoadedApplication } from '../application/load-application.ts';
import type { RequestHandler } from './gateway-server.ts';

/** Which web pages may call an app: `Host.CORS` and `Host.CORSCredentials` of local.settings.json. */
export interface CorsPolicy {
  /** Origins as browsers send them; `*` is every one. */
  readonly origins: readonly string[];
  readonly credentials: boolean;
}

/** What a browser says of a call from another origin. */
export interface CorsRequest {
  readonly method: string;
  readonly origin: string;
  /** The method that it asks about first; undefined in the call itself. */
  readonly askedMethod: string | undefined;
  readonly askedHeaders: string | undefined;
}

/** `preflight` is answered here; the headers of `allowed` go with the function's own answer. */
export type CorsDecision =
  | { readonly kind: 'refused' }
  | { readonly kind: 'allowed' | 'preflight'; readonly headers: Readonly<Record<string, string>> };

/** Decides about a call from another origin, as the Fetch standard wants it. */
export function decideCors(policy: CorsPolicy, request: CorsRequest): CorsDecision {
  const isNamed = policy.origins.includes(request.origin);
  if (!isNamed && !policy.origins.includes('*')) return { kind: 'refused' };
  // A wildcard never goes together with credentials: browsers refuse it.
  const origin: Record<string, string> = isNamed
    ? { 'Access-Control-Allow-Origin': request.origin, Vary: 'Origin' }
    : { 'Access-Control-Allow-Origin': '*' };
  const headers = isNamed && policy.credentials ? { ...origin, 'Access-Control-Allow-Credentials': 'true' } : origin;
  if (request.method !== 'OPTIONS' || request.askedMethod === undefined) return { kind: 'allowed', headers };
  const asked = request.askedHeaders === undefined ? {} : { 'Access-Control-Allow-Headers': request.askedHeaders };
  return { kind: 'preflight', headers: { ...headers, 'Access-Control-Allow-Methods': request.askedMethod, ...asked } };
}

/** Lets the web pages call that the apps' local.settings.json name now. Without any, requests go through untouched. */
export function withCors(applications: Pick<CurrentApplications, 'all'>, next: RequestHandler): RequestHandler {
  let seen = applications.all;
  let policyOf = createPolicies(seen);
  return (request, response) => {
    if (applications.all !== seen) {
      seen = applications.all;
      policyOf = createPolicies(seen);
    }
    const { origin, host } = request.headers;
    const policy = origin === undefined ? undefined : policyOf(host);
    if (origin === undefined || policy === undefined || !answerCors(policy, origin, request, response))
      next(request, response);
  };
}

function createPolicies(
  applications: readonly LoadedApplication[],
): (host: string | undefined) => CorsPolicy | undefined {
  const policies = new Map(
    applications
      .filter(({ localHost }) => localHost.corsOrigins.length > 0)
      .map(({ applicationId, localHost }): [string, CorsPolicy] => [
        `${applicationId}.localhost`,
        { origins: localHost.corsOrigins, credentials: localHost.corsCredentials },
      ]),
  );
  const [onlyPolicy] = applications.length === 1 ? policies.values() : [];
  return (host) => onlyPolicy ?? policies.get((host ?? '').replace(/:\d+$/, '').toLowerCase());
}

/** True when the request was answered here. */
function answerCors(policy: CorsPolicy, origin: string, request: IncomingMessage, response: ServerResponse): boolean {
  const decision = decideCors(policy, {
    method: request.method ?? 'GET',
    origin,
    askedMethod: request.headers['access-control-request-method'],
    askedHeaders: request.headers['access-control-request-headers'],
  });
  if (decision.kind === 'refused') return false;
  for (const [name, value] of Object.entries(decision.headers)) response.setHeader(name, value);
  if (decision.kind === 'allowed') return false;
  response.writeHead(204).end();
  return true;
}
