/** Azure Key Vault: where rotated secrets are kept, and what settings refer to. */
import type { Vault } from '@switchyard/control-plane';
import { openKeyVault, openSecretReferences } from '@switchyard/control-plane/azure';
import type { Log } from '@switchyard/kernel';
import { resolveSecrets, type SecretVault } from '../../application/secret-references.ts';
import { targetErrors } from '../errors.ts';
import { openAzureAccess } from './azure.ts';
import { type AzureSettings, readAzureSettings } from './azure-settings.ts';
import type { Environment } from './target-settings.ts';

/** With authorities of its own a cloud has vaults that the SDK knows no domain of. */
function optionsOf({ ca_file: caFile }: AzureSettings): { readonly isKnownDomain: boolean } {
  return { isKnownDomain: caFile === undefined };
}

/** The vault at `SWITCHYARD_AZURE_KEY_VAULT_URL`. */
export async function openAzureVault(settings: AzureSettings, url: string): Promise<Vault> {
  return openKeyVault(await openAzureAccess(settings), url, optionsOf(settings));
}

/** The secrets of all vaults at `SWITCHYARD_AZURE_KEY_VAULT_REFERENCES`. */
export async function openAzureSecrets(environment: Environment): Promise<SecretVault> {
  const settings = readAzureSettings(environment);
  const address = settings?.key_vault_references;
  if (settings === undefined || address === undefined) {
    const details = { variable: 'SWITCHYARD_AZURE_KEY_VAULT_REFERENCES', reason: 'it is not there' };
    throw targetErrors.create('TARGET_SETTING_INVALID', details);
  }
  const read = await openSecretReferences(await openAzureAccess(settings), address, optionsOf(settings));
  return { read };
}

/** Puts secrets in the place of references, for apps of a tenant. */
export type ResolveTenantSecrets = (
  tenantId: string,
  values: ReadonlyMap<string, string>,
) => Promise<ReadonlyMap<string, string>>;

/**
 * A tenant gets secrets of its own vaults alone: those that `SWITCHYARD_AZURE_KEY_VAULT_TENANTS` names beside it. The platform asks
 * in its own name, so every vault that is open to it would be open to every app.
 */
export async function openTenantSecrets(environment: Environment, log: Log): Promise<ResolveTenantSecrets> {
  const vault = await openAzureSecrets(environment);
  const tenants = readAzureSettings(environment)?.key_vault_tenants ?? [];
  const own = new Set(tenants.map(({ tenantId, vault: name }) => `${tenantId} ${name}`));
  return async (tenantId, values) => {
    const ofTenant: SecretVault = {
      async read(reference) {
        if (own.has(`${tenantId} ${reference.vault.toLowerCase()}`)) return vault.read(reference);
        throw new Error(`the tenant '${tenantId}' may not read the vault '${reference.vault}'`);
      },
    };
    const { values: resolved, notes } = await resolveSecrets(values, ofTenant);
    for (const note of notes) log.write('warning', 'A setting stays as it is written', { tenantId, reason: note });
    return resolved;
  };
}
