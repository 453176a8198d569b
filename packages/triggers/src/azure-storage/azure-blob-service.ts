/**
 * Blobs through the official library. This folder alone imports it, and only when a blob is first used, so that apps
 * without storage start without loading it.
 *
 * I1 The library is loaded at most once, by the first request, and never by opening a container.
 * I2 No message of an error holds a key, a signature or an address with one.
 */
import type { BlobServiceClient, ContainerClient } from '@azure/storage-blob';
import { isPlatformError, messageOf } from '@switchyard/kernel';
import { type AzureIdentities, createAzureIdentities } from '../azure-identity/azure-identities.ts';
import type { BlobService } from '../blob/blob-client.ts';
import { triggerErrors } from '../errors.ts';
import type { StorageConnection } from '../storage/storage-connection.ts';
import { AzureBlobContainer } from './azure-blob-container.ts';
import { keyOfAccount, toAccess } from './storage-access.ts';

type Sdk = typeof import('@azure/storage-blob');

const packageName = '@azure/storage-blob';

/** Accounts kept open; one beyond them is opened anew, which costs little. */
const maxAccounts = 256;

/** Makes a service for real storage accounts. Our callers retry, so the library does not. */
export function createAzureBlobService(
  load: () => Promise<Sdk> = importSdk,
  identities: AzureIdentities = createAzureIdentities({ allowsAmbient: false }),
): BlobService {
  const accounts = new Map<string, BlobServiceClient>();
  let loading: Promise<Sdk> | undefined;
  const open = async (connection: StorageConnection, containerName: string): Promise<ContainerClient> => {
    loading ??= load().catch((thrown) => {
      loading = undefined;
      throw triggerErrors.create('STORAGE_SDK_MISSING', { package: packageName, reason: messageOf(thrown) }, thrown);
    });
    const sdk = await loading;
    const key = keyOfAccount(connection);
    const known = accounts.get(key);
    const account = known ?? (await openAccount(sdk, connection, containerName, identities));
    if (known === undefined && accounts.size >= maxAccounts) accounts.clear();
    accounts.set(key, account);
    return account.getContainerClient(containerName);
  };
  return { open: (connection, name) => new AzureBlobContainer(name, () => open(connection, name)) };
}

function importSdk(): Promise<Sdk> {
  return import('@azure/storage-blob');
}

async function openAccount(
  sdk: Sdk,
  connection: StorageConnection,
  containerName: string,
  identities: AzureIdentities,
): Promise<BlobServiceClient> {
  const options = { retryOptions: { maxTries: 1 } };
  const name = { operation: 'connect', resource: `container '${containerName}'` };
  const access = await toAccess(connection, 'blob', name, identities);
  try {
    return access.kind === 'token'
      ? new sdk.BlobServiceClient(access.endpoint, access.credential, options)
      : sdk.BlobServiceClient.fromConnectionString(access.connectionString, options);
  } catch (thrown) {
    if (isPlatformError(thrown)) throw thrown;
    // What the library says of a connection string quotes no part of it.
    throw triggerErrors.create('STORAGE_CALL_REFUSED', { ...name, reason: messageOf(thrown) });
  }
}
