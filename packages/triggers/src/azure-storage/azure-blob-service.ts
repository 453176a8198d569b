/**
 * Blobs through the official library. This folder alone imports it, and only when a blob is first used, so that apps
 * without storage start without loading it.
 *
 * I1 The library is loaded at most once, by the first request, and never by opening a container.
 * I2 No message of an error holds a key, a signature or an address with one.
 */
import type { BlobServiceClient, ContainerClient } from '@azure/storage-blob';
import { isPlatformError, messageOf } from '@switchyard/kernel';
import type { BlobService } from '../blob/blob-client.ts';
import { triggerErrors } from '../errors.ts';
import type { StorageConnection } from '../storage/storage-connection.ts';
import { AzureBlobContainer } from './azure-blob-container.ts';

type Sdk = typeof import('@azure/storage-blob');

const packageName = '@azure/storage-blob';

/** Accounts kept open; one beyond them is opened anew, which costs little. */
const maxAccounts = 256;

/** Makes a service for real storage accounts. Our callers retry, so the library does not. */
export function createAzureBlobService(load: () => Promise<Sdk> = importSdk): BlobService {
  const accounts = new Map<string, BlobServiceClient>();
  let loading: Promise<Sdk> | undefined;
  const open = async (connection: StorageConnection, containerName: string): Promise<ContainerClient> => {
    loading ??= load().catch((thrown) => {
      loading = undefined;
      throw triggerErrors.create('STORAGE_SDK_MISSING', { package: packageName, reason: messageOf(thrown) }, thrown);
    });
    const sdk = await loading;
    const key = connection.connectionString.reveal();
    const known = accounts.get(key);
    const account = known ?? openAccount(sdk, key, containerName);
    if (known === undefined && accounts.size >= maxAccounts) accounts.clear();
    accounts.set(key, account);
    return account.getContainerClient(containerName);
  };
  return { open: (connection, name) => new AzureBlobContainer(name, () => open(connection, name)) };
}

function importSdk(): Promise<Sdk> {
  return import('@azure/storage-blob');
}

function openAccount(sdk: Sdk, connectionString: string, containerName: string): BlobServiceClient {
  try {
    return sdk.BlobServiceClient.fromConnectionString(connectionString, { retryOptions: { maxTries: 1 } });
  } catch (thrown) {
    if (isPlatformError(thrown)) throw thrown;
    // What the library says of a connection string quotes no part of it.
    const name = { operation: 'connect', resource: `container '${containerName}'` };
    throw triggerErrors.create('STORAGE_CALL_REFUSED', { ...name, reason: messageOf(thrown) });
  }
}
