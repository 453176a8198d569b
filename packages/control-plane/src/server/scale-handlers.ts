import { type ControlCall, type ControlHandlers, json, requireApplication } from './control-call.ts';
import { refuseRequest } from './problem.ts';
import type { ScaleOperations } from './scale-contract.ts';

/** Scale and roll-outs of an app. */
export const scaleHandlers: ControlHandlers<'getScale' | 'putScale' | 'getRollout' | 'startRollout' | 'changeRollout'> =
  {
    async getScale(call) {
      const { applicationId } = requireApplication(call);
      return json(await requireScale(call).view(applicationId));
    },
    async putScale(call) {
      const { applicationId } = requireApplication(call);
      const { scale, revision } = call.body;
      return json(await requireScale(call).put(applicationId, scale, revision));
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
