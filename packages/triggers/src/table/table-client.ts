/**
 * The operations on a storage table that bindings need. The adapter of the storage library and the tables in memory pass one
 * contract suite.
 *
 * What a table may well answer is a return value; a call rejects only when the service did not do its part, and then with a
 * PlatformError whose message holds no key and no signature.
 */
import type { StorageConnection } from '../storage/storage-connection.ts';

/** The types that the service knows. */
export type TableType = 'String' | 'Boolean' | 'Int32' | 'Int64' | 'Double' | 'DateTime' | 'Guid' | 'Binary';

/** A value as the service writes it: digits, `true`, an ISO time, Base64. */
export interface TableValue {
  readonly type: TableType;
  readonly text: string;
}

export interface TableEntity {
  readonly partitionKey: string;
  readonly rowKey: string;
  /** Everything but keys, ETag and Timestamp, in the service's order. */
  readonly properties: ReadonlyMap<string, TableValue>;
}

/** One part of a batch. */
export type TableAction =
  | { readonly kind: 'insert'; readonly entity: TableEntity }
  /** Inserts, or writes over what is there. */
  | { readonly kind: 'upsert'; readonly entity: TableEntity }
  /** Writes over the version with this ETag. */
  | { readonly kind: 'replace'; readonly entity: TableEntity; readonly etag: string };

/** There is no such entity, or no such table. */
export interface TableMissing {
  readonly kind: 'missing';
}

export interface TablePage {
  readonly kind: 'page';
  readonly entities: readonly TableEntity[];
  /** Where the next page begins; undefined at the end. */
  readonly continuation: string | undefined;
}

export type TableSubmitResult =
  | { readonly kind: 'done' }
  /** There is no such table. */
  | TableMissing
  /** An entity exists already, or is not the version that was named; nothing of the batch was written. */
  | { readonly kind: 'refused'; readonly reason: string };

/** One table. */
export interface TableClient {
  readonly name: string;
  get(
    partitionKey: string,
    rowKey: string,
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'found'; readonly entity: TableEntity } | TableMissing>;
  /** Up to `maxEntities` (the service gives 1,000 at most) that the OData filter lets through. */
  query(
    query: {
      readonly filter: string | undefined;
      readonly maxEntities: number;
      readonly continuation?: string | undefined;
    },
    signal: AbortSignal,
  ): Promise<TablePage | TableMissing>;
  /** Carries out all of 1 to 100 actions on one partition, or none. */
  submit(actions: readonly TableAction[], signal: AbortSignal): Promise<TableSubmitResult>;
  /** Creates the table; one that exists already is fine. */
  create(signal: AbortSignal): Promise<void>;
}

/** Opens tables. Opening is cheap and does no I/O. */
export interface TableService {
  open(connection: StorageConnection, tableName: string): TableClient;
}
