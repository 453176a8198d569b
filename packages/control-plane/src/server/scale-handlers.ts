import type { ChangeRollout } from '@switchyard/protocol/control-api';
import { type ControlCall, type ControlHandlers, coversTenant, json, requireApplication } from './control-call.ts';
import { refuseRequest } from './problem.ts';
import type { RolloutAsker, ScaleOperations } from './scale-contract.ts';

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
    const answer = await requireScale(call).put(applicationId, scale, revision);
    await note(call, 'SetScale');
    return json(answer);
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
    const scale = requireScale(call);
    return json(await scale.startRollout(applicationId, call.body, await note(call, 'StartRollout')));
  },
  async changeRollout(call) {
    const { applicationId } = requireApplication(call);
    const scale = requireScale(call);
    const by = await note(call, actions[call.body.action]);
    return json(await scale.changeRollout(applicationId, call.body.action, by));
  },
};

/** What the audit trail calls it. */
const actions = {
  pause: 'PauseRollout',
  resume: 'ResumeRollout',
  promote: 'PromoteRollout',
  abort: 'AbortRollout',
} as const satisfies Record<ChangeRollout['action'], string>;

/** Writes down who asked, where a control plane keeps that. */
async function note(
  call: Pick<ControlCall<'getApplication'>, 'deps' | 'caller' | 'parameters'>,
  action: string,
): Promise<RolloutAsker> {
  const { subject } = call.caller;
  const trace = await call.deps.requests?.note(requireApplication(call), action, { subject });
  return { subject, ...(trace === undefined ? {} : { trace }) };
}

function requireScale({ deps }: Pick<ControlCall<'getScale'>, 'deps'>): ScaleOperations {
  return deps.scale ?? refuseRequest('SCALE_UNAVAILABLE', {});
}
