/**
 * Storage tables through the official library. This folder alone imports it, and only when a table is first used, so that
 * apps without storage start without loading it.
 *
 * I1 The library is loaded at most once, by the first request, and never by opening a table.
 * I2 No message of an error holds a key, a signature or an address with one.
 */
import type { TableClient as SdkTableClient, TransactionAction } from '@azure/data-tables';
import { isPlatformError, messageOf } from '@switchyard/kernel';
import { type AzureIdentities, createAzureIdentities } from '../azure-identity/azure-identities.ts';
import { triggerErrors } from '../errors.ts';
import type { StorageConnection } from '../storage/storage-connection.ts';
import type {
  TableAction,
  TableClient,
  TableEntity,
  TableMissing,
  TablePage,
  TableService,
  TableSubmitResult,
  TableType,
  TableValue,
} from '../table/table-client.ts';
import { keyOfAccount, toAccess } from './storage-access.ts';
import { serviceCode, toStorageFault } from './storage-fault.ts';

type Sdk = typeof import('@azure/data-tables');

const packageName = '@azure/data-tables';

/** Tables kept open; one beyond them is opened anew, which costs little. */
const maxTables = 1_024;

const missing: TableMissing = { kind: 'missing' };

/** The service's answers that mean that a table is not there, or not much longer. */
const tableMissingCodes: ReadonlySet<string> = new Set(['TableNotFound', 'TableBeingDeleted']);

/** The service's answers to an action on an entity that is not as expected. */
const refusedCodes: ReadonlySet<string> = new Set([
  'EntityAlreadyExists',
  'EntityNotFound',
  'ResourceNotFound',
  'UpdateConditionNotSatisfied',
  'ConditionNotMet',
]);

/** What the library adds to an entity that is no property of it. */
const systemNames: ReadonlySet<string> = new Set(['partitionKey', 'rowKey', 'etag', 'timestamp', 'odata.metadata']);

/** Makes a service for real storage accounts. Our callers retry, so the library does not. */
export function createAzureTableService(
  load: () => Promise<Sdk> = importSdk,
  identities: AzureIdentities = createAzureIdentities({ allowsAmbient: false }),
): TableService {
  const tables = new Map<string, SdkTableClient>();
  let loading: Promise<Sdk> | undefined;
  const open = async (connection: StorageConnection, tableName: string): Promise<SdkTableClient> => {
    loading ??= load().catch((thrown) => {
      loading = undefined;
      throw triggerErrors.create('STORAGE_SDK_MISSING', { package: packageName, reason: messageOf(thrown) }, thrown);
    });
    const sdk = await loading;
    const key = JSON.stringify([keyOfAccount(connection), tableName]);
    const known = tables.get(key);
    const table = known ?? (await openTable(sdk, connection, tableName, identities));
    if (known === undefined && tables.size >= maxTables) tables.clear();
    tables.set(key, table);
    return table;
  };
  return { open: (connection, name) => new AzureTableClient(name, () => open(connection, name)) };
}

function importSdk(): Promise<Sdk> {
  return import('@azure/data-tables');
}

async function openTable(
  sdk: Sdk,
  connection: StorageConnection,
  tableName: string,
  identities: AzureIdentities,
): Promise<SdkTableClient> {
  const name = { operation: 'connect', resource: `table '${tableName}'` };
  const access = await toAccess(connection, 'table', name, identities);
  const retryOptions = { maxRetries: 0 };
  try {
    if (access.kind === 'token') {
      return new sdk.TableClient(access.endpoint, tableName, access.credential, { retryOptions });
    }
    const options = { allowInsecureConnection: true, retryOptions };
    return sdk.TableClient.fromConnectionString(access.connectionString, tableName, options);
  } catch (thrown) {
    // What the library says of a connection string quotes no part of it.
    throw triggerErrors.create('STORAGE_CALL_REFUSED', { ...name, reason: messageOf(thrown) });
  }
}

class AzureTableClient implements TableClient {
  readonly name: string;
  readonly #open: () => Promise<SdkTableClient>;
  #client: Promise<SdkTableClient> | undefined;

  constructor(name: string, open: () => Promise<SdkTableClient>) {
    this.name = name;
    this.#open = open;
  }

  get(partitionKey: string, rowKey: string, abortSignal: AbortSignal): ReturnType<TableClient['get']> {
    return this.#ask<Awaited<ReturnType<TableClient['get']>>>('get', missingOf, async (table) => {
      const entity = await table.getEntity(partitionKey, rowKey, { abortSignal, disableTypeConversion: true });
      return { kind: 'found', entity: toEntity(entity) };
    });
  }

  query(query: Parameters<TableClient['query']>[0], abortSignal: AbortSignal): Promise<TablePage | TableMissing> {
    return this.#ask<TablePage | TableMissing>('query', missingOf, async (table) => {
      const { filter, maxEntities, continuation: token } = query;
      const pages = table
        .listEntities({
          abortSignal,
          disableTypeConversion: true,
          ...(filter === undefined ? {} : { queryOptions: { filter } }),
        })
        .byPage({
          maxPageSize: Math.min(maxEntities, 1_000),
          ...(token === undefined ? {} : { continuationToken: token }),
        });
      for await (const page of pages) {
        const continuation = page.continuationToken === '' ? undefined : page.continuationToken;
        return { kind: 'page', entities: page.map(toEntity), continuation };
      }
      return { kind: 'page', entities: [], continuation: undefined };
    });
  }

  submit(actions: readonly TableAction[], abortSignal: AbortSignal): Promise<TableSubmitResult> {
    return this.#ask<TableSubmitResult>('write', submitResultOf, async (table) => {
      await table.submitTransaction(actions.map(toSdkAction), { abortSignal });
      return { kind: 'done' };
    });
  }

  create(abortSignal: AbortSignal): Promise<void> {
    return this.#ask(
      'create',
      () => undefined,
      async (table) => {
        await table.createTable({ abortSignal });
      },
    );
  }

  /** Makes a request. A code that `expected` knows gives its value; any other fault is a PlatformError. */
  async #ask<T>(
    operation: string,
    expected: (code: string) => T | undefined,
    call: (table: SdkTableClient) => Promise<T>,
  ): Promise<T> {
    this.#client ??= this.#open().catch((thrown) => {
      this.#client = undefined;
      throw thrown;
    });
    try {
      return await call(await this.#client);
    } catch (thrown) {
      const value = expected(serviceCode(thrown) ?? '');
      if (value !== undefined) return value;
      const resource = `table '${this.name}'`;
      throw isPlatformError(thrown) ? thrown : toStorageFault({ operation, resource }, thrown);
    }
  }
}

function missingOf(code: string): TableMissing | undefined {
  const isMissing = tableMissingCodes.has(code) || code === 'ResourceNotFound' || code === 'EntityNotFound';
  return isMissing ? missing : undefined;
}

function submitResultOf(code: string): TableSubmitResult | undefined {
  if (tableMissingCodes.has(code)) return missing;
  return refusedCodes.has(code) ? { kind: 'refused', reason: code } : undefined;
}

function toSdkAction(action: TableAction): TransactionAction {
  const { partitionKey, rowKey, properties } = action.entity;
  const values = [...properties].map(([name, { type, text }]) => [name, { type, value: text }] as const);
  const entity = { ...Object.fromEntries(values), partitionKey, rowKey };
  switch (action.kind) {
    case 'insert':
      return ['create', entity];
    case 'upsert':
      return ['upsert', entity, 'Replace'];
    case 'replace':
      return ['update', entity, 'Replace', { etag: action.etag }];
  }
}

function toEntity(entity: { readonly partitionKey?: string; readonly rowKey?: string }): TableEntity {
  const properties = new Map<string, TableValue>();
  for (const [name, value] of Object.entries(entity)) {
    const typed = systemNames.has(name) ? undefined : toValue(value);
    if (typed !== undefined) properties.set(name, typed);
  }
  return { partitionKey: entity.partitionKey ?? '', rowKey: entity.rowKey ?? '', properties };
}

/** Without conversion the library gives every value as `{type, value}`. */
function toValue(value: unknown): TableValue | undefined {
  if (typeof value !== 'object' || value === null || !('type' in value) || !('value' in value)) return undefined;
  return { type: value.type as TableType, text: String(value.value) };
}
