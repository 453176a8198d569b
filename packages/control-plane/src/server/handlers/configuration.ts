import { maskedValue } from '@switchyard/protocol/control-api';
import type { SettingsState } from '../../catalog/contract.ts';
import { type ControlHandlers, isOn, json, requireApplication, requireScope } from '../control-call.ts';
import { writtenValue } from '../problem.ts';
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
  patchSettings(call) {
    const { applicationId } = requireApplication(call);
    const { set, remove, revision } = call.body;
    const outcome = call.deps.catalog.settings.patch(applicationId, {
      ...(set === undefined ? {} : { set: new Map(Object.entries(set)) }),
      ...(remove === undefined ? {} : { remove }),
      ...(revision === undefined ? {} : { revision }),
    });
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
  setTraffic(call) {
    const { applicationId } = requireApplication(call);
    const { weights, revision } = call.body;
    const change = { weights, reason: 'traffic', ...(revision === undefined ? {} : { revision }) } as const;
    return json(toTrafficView(writtenValue(call.deps.catalog.traffic.set(applicationId, change))));
  },
  rollBack(call) {
    const { applicationId } = requireApplication(call);
    return json(toTrafficView(writtenValue(call.deps.catalog.traffic.rollBack(applicationId, call.body))));
  },
};

function toSettingsView({ revision, values }: SettingsState, isRevealed: boolean) {
  const settings = [...values].map(([name, value]) => ({ name, value: isRevealed ? value.reveal() : maskedValue }));
  return { revision, settings };
}
