/** How a service of an account is opened: with the keys of a connection string, or with tokens. */
import type { TokenCredential } from '@azure/identity';
import { type AzureIdentities, keyOf } from '../azure-identity/azure-identities.ts';
import { triggerErrors } from '../errors.ts';
import type { CallName } from '../storage/storage-call.ts';
import type { StorageConnection } from '../storage/storage-connection.ts';
import type { StorageServiceName } from '../storage/storage-identity.ts';

export type StorageAccess =
  | { readonly kind: 'key'; readonly connectionString: string }
  | { readonly kind: 'token'; readonly endpoint: string; readonly credential: TokenCredential };

/** Rejects with STORAGE_CALL_REFUSED where the settings name no address of the service, and with IDENTITY_NOT_ALLOWED. */
export async function toAccess(
  { connectionString, identity }: StorageConnection,
  service: StorageServiceName,
  name: CallName,
  identities: AzureIdentities,
): Promise<StorageAccess> {
  if (identity === undefined) return { kind: 'key', connectionString: connectionString.reveal() };
  const endpoint = identity.endpoints[service];
  if (endpoint === undefined) {
    const reason = `the settings of the connection name no "${service}ServiceUri"`;
    throw triggerErrors.create('STORAGE_CALL_REFUSED', { ...name, reason });
  }
  return { kind: 'token', endpoint, credential: await identities.credentialOf(identity.identity) };
}

/** What tells accounts apart. It holds keys: never show it. */
export function keyOfAccount({ connectionString, identity }: StorageConnection): string {
  return identity === undefined
    ? connectionString.reveal()
    : `${keyOf(identity.identity)} ${connectionString.reveal()}`;
}
