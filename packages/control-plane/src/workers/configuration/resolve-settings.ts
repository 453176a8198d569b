/** The settings that a configuration means for a service, with the secrets that it refers to. */
import { Secret } from '@switchyard/kernel';
import type { RuntimeConfiguration } from '@switchyard/protocol/control-api';
import type { DomainView } from '../../frame/contract.ts';
import { workerErrors } from '../../frame/errors.ts';
import type { SettingValues } from '../../targets/contract.ts';
import type { Vault } from '../../targets/vault.ts';

/**
 * Reads the secrets out of the vault, each in the version that is in use.
 * @throws PlatformError SECRET_UNKNOWN
 */
export async function resolveSettings(
  { view, vault }: { readonly view: DomainView; readonly vault: Vault },
  { values, tenantId }: RuntimeConfiguration,
): Promise<SettingValues> {
  const resolved = new Map<string, Secret>();
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === 'string') {
      resolved.set(name, new Secret(value));
      continue;
    }
    const secretBindingId = value.secret;
    const [binding, rotation] = await Promise.all([
      view.get('secretBinding', secretBindingId),
      view.get('secretRotation', secretBindingId),
    ]);
    // A binding of another tenant is as unknown as one that there is not.
    const isOwn = binding?.tenantId === tenantId && rotation !== undefined && rotation.version > 0;
    const entry = { tenantId, name: secretBindingId, version: rotation?.version ?? 0 };
    const secret = isOwn ? await vault.read(entry) : undefined;
    if (secret === undefined) throw workerErrors.create('SECRET_UNKNOWN', { secretBindingId });
    resolved.set(name, secret);
  }
  return resolved;
}

/** True while a secret that the configuration refers to is made for the first time. */
export async function isWaitingForSecrets(view: DomainView, { values }: RuntimeConfiguration): Promise<boolean> {
  for (const value of Object.values(values)) {
    if (typeof value === 'string') continue;
    const [binding, rotation] = await Promise.all([
      view.get('secretBinding', value.secret),
      view.get('secretRotation', value.secret),
    ]);
    if (binding !== undefined && (rotation === undefined || rotation.version === 0)) return true;
  }
  return false;
}
