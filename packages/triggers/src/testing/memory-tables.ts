/**
 * Storage tables in memory, with the service's rules for keys, versions and batches. Tests make them fail, look into them,
 * and put entities there. Filters are as simple as tests need them: comparisons with `eq`, joined by `and`.
 */
import type { StorageConnection } from '../storage/storage-connection.ts';
import type {
  TableAction,
  TableClient,
  TableEntity,
  TableMissing,
  TablePage,
  TableService,
  TableSubmitResult,
  TableValue,
} from '../table/table-client.ts';

interface StoredEntity {
  readonly entity: TableEntity;
  readonly etag: string;
}

type Entities = Map<string, StoredEntity>;

export type TableOperation = Exclude<keyof TableClient, 'name'>;

/** What a request meets before it is carried out: nothing, an error, or a wait. */
export type TableFault = (operation: TableOperation, table: string) => Promise<void> | undefined;

const missing: TableMissing = { kind: 'missing' };

/** The service gives no more per page. */
const maxPage = 1_000;

export class MemoryTables implements TableService {
  /** Every request, as `operation table`, in the order of arrival. */
  readonly requests: string[] = [];
  /** Every filter that was asked with. */
  readonly filters: (string | undefined)[] = [];
  fault: TableFault = () => undefined;
  readonly #tables = new Map<string, Entities>();
  #sequence = 0;

  open(connection: StorageConnection, name: string): TableClient {
    const key = keyOf(connection, name);
    const ask = async <T>(operation: TableOperation, signal: AbortSignal, carryOut: () => T): Promise<T> => {
      signal.throwIfAborted();
      this.requests.push(`${operation} ${name}`);
      await this.fault(operation, name);
      return carryOut();
    };
    return {
      name,
      get: (partitionKey, rowKey, signal) =>
        ask('get', signal, () => {
          const found = this.#tables.get(key)?.get(entityKey(partitionKey, rowKey));
          return found === undefined ? missing : { kind: 'found' as const, entity: found.entity };
        }),
      query: (query, signal) => ask('query', signal, () => this.#query(key, query)),
      submit: (actions, signal) => ask('submit', signal, () => this.#submit(key, actions)),
      create: (signal) => ask('create', signal, () => this.create(connection, name)),
    };
  }

  /** Creates a table, as somebody else would. */
  create(connection: StorageConnection, name: string): void {
    const key = keyOf(connection, name);
    if (!this.#tables.has(key)) this.#tables.set(key, new Map());
  }

  /** Removes a table with all it holds. */
  remove(connection: StorageConnection, name: string): void {
    this.#tables.delete(keyOf(connection, name));
  }

  /** Writes an entity, as somebody else would, and creates the table when it is missing. */
  put(
    connection: StorageConnection,
    name: string,
    partitionKey: string,
    rowKey: string,
    properties: Readonly<Record<string, TableValue>> = {},
  ): void {
    this.create(connection, name);
    const entity = { partitionKey, rowKey, properties: new Map(Object.entries(properties)) };
    this.#submit(keyOf(connection, name), [{ kind: 'upsert', entity }]);
  }

  /** The entities of a table in their order; undefined when there is no table. */
  entities(connection: StorageConnection, name: string): readonly TableEntity[] | undefined {
    const entities = this.#tables.get(keyOf(connection, name));
    return entities === undefined ? undefined : sorted(entities);
  }

  /** The version of an entity. */
  etagOf(connection: StorageConnection, name: string, partitionKey: string, rowKey: string): string | undefined {
    return this.#tables.get(keyOf(connection, name))?.get(entityKey(partitionKey, rowKey))?.etag;
  }

  #query(key: string, query: Parameters<TableClient['query']>[0]): TablePage | TableMissing {
    this.filters.push(query.filter);
    const entities = this.#tables.get(key);
    if (entities === undefined) return missing;
    const { filter, continuation = '' } = query;
    const rest = sorted(entities)
      .filter((entity) => entityKey(entity.partitionKey, entity.rowKey) > continuation)
      .filter((entity) => filter === undefined || passes(entity, filter));
    const page = rest.slice(0, Math.min(query.maxEntities, maxPage));
    const last = page.at(-1);
    const hasMore = last !== undefined && page.length < rest.length;
    return {
      kind: 'page',
      entities: page,
      continuation: hasMore ? entityKey(last.partitionKey, last.rowKey) : undefined,
    };
  }

  #submit(key: string, actions: readonly TableAction[]): TableSubmitResult {
    const entities = this.#tables.get(key);
    if (entities === undefined) return missing;
    for (const action of actions) {
      const stored = entities.get(entityKey(action.entity.partitionKey, action.entity.rowKey));
      if (action.kind === 'insert' && stored !== undefined) return { kind: 'refused', reason: 'EntityAlreadyExists' };
      if (action.kind !== 'replace') continue;
      if (stored === undefined) return { kind: 'refused', reason: 'ResourceNotFound' };
      if (stored.etag !== action.etag) return { kind: 'refused', reason: 'UpdateConditionNotSatisfied' };
    }
    for (const { entity } of actions) {
      this.#sequence += 1;
      const stored = { entity, etag: `W/"datetime'${this.#sequence}'"` };
      entities.set(entityKey(entity.partitionKey, entity.rowKey), stored);
    }
    return { kind: 'done' };
  }
}

function sorted(entities: Entities): readonly TableEntity[] {
  return [...entities].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, { entity }]) => entity);
}

/** Sorts as the service does: by partition, then by row. */
function entityKey(partitionKey: string, rowKey: string): string {
  return `${partitionKey}\u0000${rowKey}`;
}

function keyOf(connection: StorageConnection, name: string): string {
  return `${connection.queueEndpoint}/${name.toLowerCase()}`;
}

function passes(entity: TableEntity, filter: string): boolean {
  return filter.split(' and ').every((part) => {
    const [, name = '', quoted] = /^\(*(\w+) eq '((?:[^']|'')*)'\)*$/.exec(part) ?? [];
    if (quoted === undefined) throw new Error(`the tables in memory cannot read the filter ${filter}`);
    return textOf(entity, name) === quoted.replaceAll("''", "'");
  });
}

function textOf(entity: TableEntity, name: string): string | undefined {
  if (name === 'PartitionKey') return entity.partitionKey;
  return name === 'RowKey' ? entity.rowKey : entity.properties.get(name)?.text;
}
