/** A storage account that is opened with tokens: its addresses, and whose tokens. */
import { Secret } from '@switchyard/kernel';
import type { Connection, SettingsView } from '@switchyard/model';
import { type IdentitySettings, isTlsAddress, readIdentity } from '../identity/identity-settings.ts';
import type { StorageConnection } from './storage-connection.ts';

/** Addresses of the services; one that is undefined was not named. */
export interface StorageIdentity {
  readonly identity: IdentitySettings;
  readonly endpoints: Readonly<Record<StorageServiceName, string | undefined>>;
}

export type StorageServiceName = 'blob' | 'queue' | 'table';

const services: readonly StorageServiceName[] = ['blob', 'queue', 'table'];

export type ReadStorageIdentity =
  | { readonly kind: 'connection'; readonly connection: StorageConnection }
  | { readonly kind: 'invalid'; readonly problem: string };

/**
 * Reads `blobServiceUri`, `queueServiceUri`, `tableServiceUri`, `serviceUri` and `accountName`. An address that is not named
 * follows from the others, where their names are those of Azure.
 */
export function readStorageIdentity(
  { members }: Extract<Connection, { kind: 'identity' }>,
  settings: SettingsView,
): ReadStorageIdentity {
  const read = readIdentity(members, settings);
  if (read.kind === 'invalid') return read;
  const member = (name: string): string | undefined => members.get(name)?.reveal().replace(/\/+$/, '');
  const account = member('accountname');
  const named = services.map((service) => member(`${service}serviceuri`)).find((uri) => uri !== undefined);
  const endpointOf = (service: StorageServiceName): string | undefined =>
    member(`${service}serviceuri`) ??
    sibling(member('serviceuri'), service) ??
    (account === undefined ? undefined : `https://${account}.${service}.core.windows.net`) ??
    siblingOfAzure(named, service);
  const endpoints = { blob: endpointOf('blob'), queue: endpointOf('queue'), table: endpointOf('table') };
  const addresses = Object.values(endpoints).filter((endpoint) => endpoint !== undefined);
  const [first] = addresses;
  if (first === undefined) {
    return invalid(
      'it names no account: set "accountName", or "blobServiceUri", "queueServiceUri" and "tableServiceUri"',
    );
  }
  if (!addresses.every(isTlsAddress))
    return invalid('an address in it does not begin with https://, and tokens travel over TLS alone');
  const shown = services.map((service) => `${service}Endpoint=${endpoints[service] ?? ''}`).join(';');
  return {
    kind: 'connection',
    connection: {
      connectionString: new Secret(shown),
      queueEndpoint: (endpoints.queue ?? first).toLowerCase(),
      identity: { identity: read.identity, endpoints },
    },
  };
}

const label = /\.(blob|queue|table)\./i;

/** The same account's address of another service; an address without the name of a service stands for all of them. */
function sibling(uri: string | undefined, service: StorageServiceName): string | undefined {
  return uri?.replace(label, `.${service}.`);
}

function siblingOfAzure(uri: string | undefined, service: StorageServiceName): string | undefined {
  return uri !== undefined && label.test(uri) ? sibling(uri, service) : undefined;
}

function invalid(problem: string): ReadStorageIdentity {
  return { kind: 'invalid', problem };
}
