/** The connection of a storage binding: found in the app's settings, checked once, opened later. */
import type { Secret } from '@switchyard/kernel';
import { type BindingMetadata, resolveConnection } from '@switchyard/model';
import type { BindingScope } from '../contract.ts';
import { triggerErrors } from '../errors.ts';
import { readStorageIdentity, type StorageIdentity } from './storage-identity.ts';

/** A connection to the queues of a storage account. */
export interface StorageConnection {
  /** With an identity the addresses of its services alone. */
  readonly connectionString: Secret;
  /** The account's queue endpoint: the same for every way to write the same account. */
  readonly queueEndpoint: string;
  /** Whose tokens open the account, where it is not a key. */
  readonly identity?: StorageIdentity;
}

const developmentEndpoint = 'http://127.0.0.1:10001/devstoreaccount1';

/**
 * The connection that a binding names, `AzureWebJobsStorage` when it names none. Throws STORAGE_CONNECTION_MISSING,
 * STORAGE_CONNECTION_INVALID or STORAGE_IDENTITY_INVALID.
 */
export function resolveStorageConnection(binding: BindingMetadata, scope: BindingScope): StorageConnection {
  const connection = resolveConnection(scope.settings, binding.connection);
  const details = { function: scope.function.name, binding: binding.name };
  switch (connection.kind) {
    case 'missing':
      throw triggerErrors.create('STORAGE_CONNECTION_MISSING', { ...details, setting: connection.name });
    case 'identity': {
      const read = readStorageIdentity(connection, scope.settings);
      if (read.kind === 'connection') return read.connection;
      const { problem } = read;
      throw triggerErrors.create('STORAGE_IDENTITY_INVALID', { ...details, setting: connection.settingName, problem });
    }
    case 'connectionString': {
      const parsed = parseQueueEndpoint(connection.value.reveal());
      if (parsed.kind === 'endpoint') return { connectionString: connection.value, queueEndpoint: parsed.endpoint };
      const setting = connection.settingName;
      throw triggerErrors.create('STORAGE_CONNECTION_INVALID', { ...details, setting, reason: parsed.reason });
    }
  }
}

/** Reads a connection string far enough to know the account. The reason never quotes the string: it holds a key. */
export function parseQueueEndpoint(
  text: string,
): { readonly kind: 'endpoint'; readonly endpoint: string } | { readonly kind: 'invalid'; readonly reason: string } {
  const parts = new Map<string, string>();
  for (const part of text.split(';')) {
    if (part.trim() === '') continue;
    const equals = part.indexOf('=');
    if (equals < 1) return { kind: 'invalid', reason: 'a part of it has no "="' };
    parts.set(part.slice(0, equals).trim().toLowerCase(), part.slice(equals + 1).trim());
  }
  if (parts.get('usedevelopmentstorage')?.toLowerCase() === 'true') {
    return { kind: 'endpoint', endpoint: developmentEndpoint };
  }
  const account = parts.get('accountname');
  const hasKey = account !== undefined && parts.has('accountkey');
  if (!hasKey && !parts.has('sharedaccesssignature')) {
    return { kind: 'invalid', reason: 'it has neither "AccountName" and "AccountKey" nor "SharedAccessSignature"' };
  }
  const endpoint = parts.get('queueendpoint') ?? defaultEndpoint(parts, account);
  if (endpoint === undefined) return { kind: 'invalid', reason: 'it has neither "QueueEndpoint" nor "AccountName"' };
  if (!URL.canParse(endpoint)) return { kind: 'invalid', reason: 'its "QueueEndpoint" is no address' };
  return { kind: 'endpoint', endpoint: endpoint.replace(/\/+$/, '').toLowerCase() };
}

function defaultEndpoint(parts: ReadonlyMap<string, string>, account: string | undefined): string | undefined {
  if (account === undefined) return undefined;
  const protocol = parts.get('defaultendpointsprotocol') ?? 'https';
  return `${protocol}://${account}.queue.${parts.get('endpointsuffix') ?? 'core.windows.net'}`;
}
