/** The app's own storage account, where the host keeps locks, receipts, positions and timer statuses. */
import { resolveConnection, type SettingsView } from '@switchyard/model';
import type { BindingScope } from '../contract.ts';
import { parseQueueEndpoint, resolveStorageConnection, type StorageConnection } from './storage-connection.ts';
import { readStorageIdentity } from './storage-identity.ts';

/** The container of the official host for everything that it keeps. */
export const hostContainerName = 'azure-webjobs-hosts';

/** The id of a function in the names that the official host gives to its blobs. */
export function functionIdOf(functionName: string): string {
  return `Host.Functions.${functionName}`;
}

/** The connection `AzureWebJobsStorage`, or undefined where there is none that can be used. */
export function findHostStorage(settings: SettingsView): StorageConnection | undefined {
  const connection = resolveConnection(settings, undefined);
  if (connection.kind === 'missing') return undefined;
  if (connection.kind === 'identity') {
    const read = readStorageIdentity(connection, settings);
    return read.kind === 'connection' ? read.connection : undefined;
  }
  const parsed = parseQueueEndpoint(connection.value.reveal());
  if (parsed.kind === 'invalid') return undefined;
  return { connectionString: connection.value, queueEndpoint: parsed.endpoint };
}

/** The same for a binding that cannot do without. Throws STORAGE_CONNECTION_MISSING and the like. */
export function requireHostStorage(scope: BindingScope, bindingName: string): StorageConnection {
  const binding = { name: bindingName, type: '', direction: 'in', raw: {}, properties: {} } as const;
  return resolveStorageConnection(binding, scope);
}
