/** Brings settings to a running service and reads them back: what was not read back was not applied. */
import type { ComputeTarget, ServiceOfTarget, SettingsOutcome, SettingValues } from '../../targets/contract.ts';

export type AppliedSettings =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'applied'; readonly mode: SettingsOutcome }
  /** The running service still has others, under these names. */
  | { readonly kind: 'differs'; readonly names: readonly string[] };

export async function applySettings(
  target: ComputeTarget,
  service: ServiceOfTarget,
  settings: SettingValues,
): Promise<AppliedSettings> {
  if (settings.size === 0 || (await differingSettings(target, service.serviceId, settings)).length === 0) {
    return { kind: 'unchanged' };
  }
  const mode = await target.applySettings(service, settings);
  // What waits for a restart cannot be read back before it.
  if (mode === 'restart-required') return { kind: 'applied', mode };
  const names = await differingSettings(target, service.serviceId, settings);
  return names.length === 0 ? { kind: 'applied', mode } : { kind: 'differs', names };
}

/** The names under which the running service has another value than it ought to have, or none. */
export async function differingSettings(
  target: Pick<ComputeTarget, 'readSettings'>,
  serviceId: string,
  settings: SettingValues,
): Promise<readonly string[]> {
  const found = await target.readSettings(serviceId, [...settings.keys()]);
  return [...settings].filter(([name, value]) => found.get(name)?.reveal() !== value.reveal()).map(([name]) => name);
}
