/**
 * `runtime/webhooks/{extension}`: what services outside call to bring events. The caller shows the extension's system key,
 * `{extension}_extension`, or the master key.
 */
import type { HttpReply, WebhookReply } from '@switchyard/triggers';
import { isAuthorized, keyOf } from '../gateway/authorize.ts';
import { type AdminCall, type AdminRoute, emptyReply } from './admin-call.ts';

export const webhookRoutes: readonly AdminRoute[] = [
  {
    methods: ['GET', 'POST', 'PUT', 'OPTIONS'],
    pattern: /^\/runtime\/webhooks\/([^/]+)$/i,
    access: 'webhook',
    readsBody: true,
    serve: serveWebhook,
  },
];

async function serveWebhook(call: AdminCall): Promise<HttpReply> {
  const name = (call.parameters[0] ?? '').toLowerCase();
  const extension = call.host.kinds.webhook(name);
  if (extension === undefined) return emptyReply(404);
  if (!(await mayCall(call, name))) return emptyReply(401);
  const { request, jobHost, method, query, body } = call;
  const headers = new Map(
    Object.entries(request.headers).flatMap(([header, value]) =>
      value === undefined ? [] : [[header, Array.isArray(value) ? value.join(',') : value] as const],
    ),
  );
  const { applicationId } = jobHost.application.definition;
  const outcome = await extension.serve(applicationId, { method, headers, query, body });
  return toReply(outcome, call);
}

/** True for the master key, and for the system key of the extension, which is made when it is first needed. */
async function mayCall({ jobHost, request, target }: AdminCall, name: string): Promise<boolean> {
  const { keys, keyStore } = jobHost.application;
  const credentials = { headers: request.headers, search: target.search };
  if (isAuthorized(keys, 'admin', '', credentials)) return true;
  const shown = keyOf(credentials);
  if (keyStore === undefined || shown === undefined || shown === '') return false;
  const { value } = await keyStore.ensure({ kind: 'system' }, `${name}_extension`);
  // The level is found by a hash of the key, so that comparing takes no longer for a near miss.
  return keys?.levelOf(shown, '') === 'system' && value === shown;
}

/** A function that the app has, but that does not listen yet, is worth another try. */
function toReply(reply: WebhookReply, { jobHost, query }: AdminCall): HttpReply {
  const isThere = jobHost.catalog?.find((query.get('functionname') ?? '').replace(/^host\.functions\./i, ''));
  if (reply.kind === 'unknown') {
    return isThere === undefined || isThere.isDisabled
      ? emptyReply(404)
      : { status: 503, headers: [['Retry-After', '5']], body: '' };
  }
  return { status: reply.status, headers: [...(reply.headers ?? [])], body: reply.body ?? '' };
}
