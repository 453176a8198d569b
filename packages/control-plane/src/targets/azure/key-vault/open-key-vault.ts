import type { SecretClient } from '@azure/keyvault-secrets';
import type { Vault } from '../../vault.ts';
import { type AzureAccess, clientOptionsOf } from '../sdk/azure-access.ts';
import { loadSdk } from '../sdk/load-sdk.ts';
import { createKeyVault } from './key-vault.ts';
import { createReadReference, type ReadReference } from './secret-references.ts';

export interface KeyVaultOptions {
  /** False where a vault has a domain that the SDK does not know: then it is for the address alone to say who is asked. */
  readonly isKnownDomain?: boolean;
  readonly retryDelayMs?: number;
}

/** @throws PlatformError SDK_MISSING */
export async function openKeyVault(access: AzureAccess, url: string, options: KeyVaultOptions = {}): Promise<Vault> {
  return createKeyVault((await loadClients(access, options))(url));
}

/**
 * `address` has `{vault}` where the name of the vault belongs, such as `https://{vault}.vault.azure.net`.
 * @throws PlatformError SDK_MISSING
 */
export async function openSecretReferences(
  access: AzureAccess,
  address: string,
  options: KeyVaultOptions = {},
): Promise<ReadReference> {
  const open = await loadClients(access, options);
  return createReadReference((vault) => open(address.replaceAll('{vault}', vault)));
}

async function loadClients(
  access: AzureAccess,
  { isKnownDomain = true, retryDelayMs }: KeyVaultOptions,
): Promise<(url: string) => SecretClient> {
  const { SecretClient: Client } = await loadSdk(
    'Azure Key Vault',
    '@azure/keyvault-secrets',
    () => import('@azure/keyvault-secrets'),
  );
  const pipeline = { ...clientOptionsOf(access, retryDelayMs), disableChallengeResourceVerification: !isKnownDomain };
  return (url) => new Client(url, access.credential, pipeline);
}
