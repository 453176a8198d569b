import { maskedValue } from '@switchyard/protocol/control-api';
import type { SettingsState } from '../../catalog/contract.ts';
import { domainErrors } from '../../domain/errors.ts';
import type { AppRequests } from '../../requests/contract.ts';
import {
  type ControlCall,
  type ControlHandlers,
  isOn,
  json,
  requireApplication,
  requireScope,
} from '../control-call.ts';
import { RequestRefused, refuseRequest, writtenValue } from '../problem.ts';
import { toTrafficView } from '../views.ts';

/** Settings, keys and traffic. */
export const configurationHandlers: ControlHandlers<
  'getSettings' | 'patchSettings' | 'listKeys' | 'getTraffic' | 'setTraffic' | 'rollBack'
> = {
  getSettings(call) {
    const { applicationId } = requireApplication(call);
    const isRevealed = isOn(call.query.reveal);
    if (isRevealed) requireScope(call, 'secrets');
    return json(toSettingsView(call.deps.catalog.settings.get(applicationId), isRevealed));
  },
  async patchSettings(call) {
    const application = requireApplication(call);
    const { set, remove, revision } = call.body;
    const change = {
      ...(set === undefined ? {} : { set: new Map(Object.entries(set)) }),
      ...(remove === undefined ? {} : { remove }),
      ...(revision === undefined ? {} : { revision }),
    };
    const outcome = await requireRequests(call).changeSettings(application, change, call.caller, call.signal);
    return json(toSettingsView(writtenValue(outcome), false));
  },
  listKeys(call) {
    const { applicationId } = requireApplication(call);
    const isRevealed = isOn(call.query.reveal);
    if (isRevealed) requireScope(call, 'secrets');
    const keys = call.deps.catalog.keys.list(applicationId);
    return json({ keys: keys.map((key) => ({ ...key, value: isRevealed ? key.value.reveal() : maskedValue })) });
  },
  getTraffic(call) {
    const { applicationId } = requireApplication(call);
    return json(toTrafficView(call.deps.catalog.traffic.get(applicationId)));
  },
  async setTraffic(call) {
    const application = requireApplication(call);
    const request = { ...call.body, reason: 'traffic' } as const;
    const outcome = await requireRequests(call).shareTraffic(application, request, call.caller, call.signal);
    return json(toTrafficView(writtenValue(outcome)));
  },
  async rollBack(call) {
    const application = requireApplication(call);
    const { applicationId } = application;
    const { to = call.deps.catalog.traffic.rollbackTarget(applicationId), ...seen } = call.body;
    if (to === undefined) return refuseRequest('ROLLBACK_TARGET_MISSING', { applicationId });
    const request = { ...seen, weights: [{ codeVersion: to, weight: 100 }], reason: 'rollback' } as const;
    const outcome = await requireRequests(call).shareTraffic(application, request, call.caller, call.signal);
    return json(toTrafficView(writtenValue(outcome)));
  },
};

function requireRequests({ deps }: Pick<ControlCall<'getHealth'>, 'deps'>): AppRequests {
  if (deps.requests !== undefined) return deps.requests;
  throw new RequestRefused(domainErrors.create('CONTROL_PLANE_OFF'));
}

function toSettingsView({ revision, values }: SettingsState, isRevealed: boolean) {
  const settings = [...values].map(([name, value]) => ({ name, value: isRevealed ? value.reveal() : maskedValue }));
  return { revision, settings };
}
