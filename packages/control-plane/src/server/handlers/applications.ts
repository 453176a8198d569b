import type { ApplicationChange } from '../../catalog/contract.ts';
import {
  type ControlCall,
  type ControlHandlers,
  coversTenant,
  json,
  requireApplication,
  toStack,
} from '../control-call.ts';
import { RequestRefused, refuseRequest, writtenValue } from '../problem.ts';
import { toApplicationView, toStatusView } from '../views.ts';

/** Apps as such. */
export const applicationHandlers: ControlHandlers<
  'listApplications' | 'putApplication' | 'getApplication' | 'deleteApplication' | 'getStatus'
> = {
  listApplications({ deps, caller, query }) {
    const { tenant, after, limit = 100 } = query;
    const visible = tenant === undefined ? caller.tenants : coversTenant(caller, tenant) ? [tenant] : [];
    const found = deps.catalog.applications.list({
      ...(visible === '*' ? {} : { tenants: visible }),
      ...(after === undefined ? {} : { after }),
      limit,
    });
    const last = found.length === limit ? found.at(-1) : undefined;
    return json({
      applications: found.map((application) => toApplicationView(deps, application)),
      ...(last === undefined ? {} : { next: last.applicationId }),
    });
  },
  putApplication(call) {
    const { deps } = call;
    const change = toChange(call);
    requireAdmission(call, change);
    return json(toApplicationView(deps, writtenValue(deps.catalog.applications.put(change))));
  },
  getApplication: (call) => json(toApplicationView(call.deps, requireApplication(call))),
  async deleteApplication(call) {
    const { deps, caller } = call;
    const application = requireApplication(call);
    deps.catalog.applications.remove(application.applicationId);
    await deps.requests?.withdraw(application, { subject: caller.subject });
    return { kind: 'empty' };
  },
  getStatus: (call) => json(toStatusView(call.deps, requireApplication(call))),
};

function toChange({ parameters, body, options }: ControlCall<'putApplication'>): ApplicationChange {
  const { tenantId, hostNames, stack, revision } = body;
  return {
    applicationId: parameters.app,
    ...(tenantId === undefined ? {} : { tenantId }),
    ...(hostNames === undefined ? {} : { hostNames }),
    ...(stack === undefined ? {} : { stack: toStack(stack, options) }),
    ...(revision === undefined ? {} : { revision }),
  };
}

/** The caller must cover the tenant, and the platform must be able to take the app. */
function requireAdmission({ deps, caller }: ControlCall<'putApplication'>, change: ApplicationChange): void {
  const { applicationId } = change;
  const existing = deps.catalog.applications.get(applicationId);
  if (existing !== undefined && !coversTenant(caller, existing.tenantId)) {
    refuseRequest('APPLICATION_NAME_TAKEN', { applicationId });
  }
  const tenantId = change.tenantId ?? existing?.tenantId;
  const stack = change.stack ?? existing?.stack;
  // The catalog says what is missing.
  if (tenantId === undefined || stack === undefined) return;
  if (!coversTenant(caller, tenantId)) refuseRequest('CONTROL_TENANT_REFUSED', { subject: caller.subject, tenantId });
  const hostNames = change.hostNames ?? existing?.hostNames ?? [];
  const admission = deps.platform.admit({ applicationId, tenantId, stack, hostNames });
  if (admission.kind === 'refused') throw new RequestRefused(admission.error);
}
