import { type ControlCall, type ControlHandlers, coversTenant, json, requireApplication } from './control-call.ts';
import { refuseRequest } from './problem.ts';
import type { ScaleOperations } from './scale-contract.ts';

/** Scale and roll-outs of an app, and what tenants may have. */
export const scaleHandlers: ControlHandlers<
  'getScale' | 'putScale' | 'getTenantQuota' | 'putTenantQuota' | 'getRollout' | 'startRollout' | 'changeRollout'
> = {
  async getScale(call) {
    const { applicationId } = requireApplication(call);
    return json(await requireScale(call).view(applicationId));
  },
  async putScale(call) {
    const { applicationId } = requireApplication(call);
    const { scale, revision } = call.body;
    return json(await requireScale(call).put(applicationId, scale, revision));
  },
  async getTenantQuota(call) {
    const { tenant: tenantId } = call.parameters;
    const { subject } = call.caller;
    if (!coversTenant(call.caller, tenantId)) refuseRequest('CONTROL_TENANT_REFUSED', { subject, tenantId });
    return json(await requireScale(call).quota(tenantId));
  },
  async putTenantQuota(call) {
    const { tenant: tenantId } = call.parameters;
    const { subject, tenants } = call.caller;
    if (tenants !== '*') refuseRequest('TENANT_QUOTA_REFUSED', { subject, tenantId });
    const { quota, revision } = call.body;
    return json(await requireScale(call).putQuota(tenantId, quota, revision));
  },
  async getRollout(call) {
    const { applicationId } = requireApplication(call);
    return json(
      (await requireScale(call).rollout(applicationId)) ?? refuseRequest('ROLLOUT_UNKNOWN', { applicationId }),
    );
  },
  async startRollout(call) {
    const { applicationId } = requireApplication(call);
    return json(await requireScale(call).startRollout(applicationId, call.body));
  },
  async changeRollout(call) {
    const { applicationId } = requireApplication(call);
    return json(await requireScale(call).changeRollout(applicationId, call.body.action));
  },
};

function requireScale({ deps }: Pick<ControlCall<'getScale'>, 'deps'>): ScaleOperations {
  return deps.scale ?? refuseRequest('SCALE_UNAVAILABLE', {});
}
