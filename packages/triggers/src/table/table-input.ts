/** The table input: one entity, or the list of those that a filter lets through. */
import { type BindingMetadata, readKey } from '@switchyard/model';
import type { TypedData } from '@switchyard/protocol';
import { bindingDataFrom } from '../binding-data.ts';
import type { BindingContext, BindingScope, InputBindingKind } from '../contract.ts';
import { triggerErrors } from '../errors.ts';
import { maxContentBytes } from '../storage/content-limit.ts';
import { connectionNameOf, isDeferred, toModelBindingData } from '../storage/deferred-binding.ts';
import { callUntilDone } from '../storage/storage-call.ts';
import { jsonData } from '../typed-data.ts';
import {
  bindingInvalid,
  parseTableBinding,
  type ResolvedTable,
  readOptionalText,
  resolveTable,
  type TableBindingOptions,
} from './table-binding.ts';
import type { TableClient, TableService } from './table-client.ts';
import { formatEntity } from './table-entity.ts';
import { parseTableFilter, quoteText, type TableFilter } from './table-filter.ts';

/** A table binding of direction in, parsed. */
export interface TableInputOptions extends TableBindingOptions {
  readonly filter: TableFilter | undefined;
  /** The most entities to read; undefined means all. */
  readonly take: number | undefined;
  /** The connection's name where the worker opens the table itself. */
  readonly deferredConnection: string | undefined;
}

/** Tries per request; then the invocation fails. */
const maxTries = 3;

/** The service gives no more entities per request. */
const maxPage = 1_000;

/**
 * Makes the table input. With both keys it is one entity, or a value without content where there is none; else a list, empty
 * where there is no table.
 */
export function createTableInput(deps: { readonly tables: TableService }): InputBindingKind<TableInputOptions> {
  return {
    type: 'table',
    parse(binding, scope) {
      const options = parseTableBinding(binding, scope);
      if (options.rowKey !== undefined && options.partitionKey === undefined) {
        throw bindingInvalid('rowKey', binding.raw.rowKey, 'it needs a "partitionKey" beside it', binding, scope);
      }
      const filter = readOptionalText('filter', binding, scope);
      const where = `"filter" of function '${scope.function.name}'`;
      return {
        ...options,
        filter: filter === undefined ? undefined : parseTableFilter(filter, where, scope.settings),
        take: parseTake(binding, scope),
        deferredConnection: isDeferred(binding) ? connectionNameOf(binding) : undefined,
      };
    },
    async read(options, bindingData, context) {
      const resolved = resolveTable(options, bindingData, context);
      const filter = resolveFilter(options, bindingData, context);
      if (options.deferredConnection !== undefined) return toDeferredData(options, resolved, filter);
      const table = deps.tables.open(options.connection, resolved.tableName);
      const { partitionKey, rowKey } = resolved;
      if (partitionKey !== undefined && rowKey !== undefined) {
        return readEntity(table, partitionKey, rowKey, context);
      }
      return readList(options, table, joinFilters(partitionKey, filter), context);
    },
  };
}

function parseTake(binding: BindingMetadata, scope: BindingScope): number | undefined {
  const value = readKey(binding.raw, 'take');
  if (value === undefined || value === null || value === '' || value === 0) return undefined;
  const take = typeof value === 'string' ? Number(value) : value;
  if (typeof take === 'number' && Number.isSafeInteger(take) && take > 0) return take;
  throw bindingInvalid('take', value, 'it must be a whole number above 0', binding, scope);
}

function resolveFilter(
  { filter, bindingName }: TableInputOptions,
  bindingData: ReadonlyMap<string, TypedData>,
  context: BindingContext,
): string | undefined {
  const { clock, random, functionName } = context;
  const refuse = (value: string): Error => {
    const details = { function: functionName, binding: bindingName, value: JSON.stringify(value) };
    return triggerErrors.create('TABLE_FILTER_VALUE_INVALID', details);
  };
  return filter?.resolve(bindingDataFrom(bindingData), { clock, random, functionName }, refuse);
}

function joinFilters(partitionKey: string | undefined, filter: string | undefined): string | undefined {
  if (partitionKey === undefined) return filter;
  const partition = `PartitionKey eq ${quoteText(partitionKey)}`;
  return filter === undefined ? partition : `${partition} and (${filter})`;
}

async function readEntity(
  table: TableClient,
  partitionKey: string,
  rowKey: string,
  context: BindingContext,
): Promise<TypedData> {
  const name = { operation: 'get', resource: `table '${table.name}'` };
  const get = (signal: AbortSignal): ReturnType<TableClient['get']> => table.get(partitionKey, rowKey, signal);
  const found = await callUntilDone(context, name, maxTries, get);
  return found.kind === 'found' ? jsonData(formatEntity(found.entity)) : { data: undefined };
}

async function readList(
  options: TableInputOptions,
  table: TableClient,
  filter: string | undefined,
  context: BindingContext,
): Promise<TypedData> {
  const name = { operation: 'query', resource: `table '${table.name}'` };
  const items: string[] = [];
  let sizeBytes = 0;
  let continuation: string | undefined;
  do {
    const left = (options.take ?? Number.POSITIVE_INFINITY) - items.length;
    const query = { filter, maxEntities: Math.min(maxPage, left), continuation };
    const page = await callUntilDone(context, name, maxTries, (signal) => table.query(query, signal));
    if (page.kind === 'missing') break;
    for (const entity of page.entities.slice(0, left)) {
      const item = formatEntity(entity);
      sizeBytes += Buffer.byteLength(item) + 1;
      items.push(item);
    }
    if (sizeBytes > maxContentBytes) throw tooLarge(options, table, context);
    continuation = page.continuation;
  } while (continuation !== undefined && items.length < (options.take ?? Number.POSITIVE_INFINITY));
  return jsonData(`[${items.join(',')}]`);
}

function tooLarge(options: TableInputOptions, table: TableClient, context: BindingContext): Error {
  return triggerErrors.create('TABLE_RESULT_TOO_LARGE', {
    function: context.functionName,
    binding: options.bindingName,
    table: table.name,
    limitBytes: maxContentBytes,
  });
}

/** What to read, for a worker that reads it itself. */
function toDeferredData(options: TableInputOptions, resolved: ResolvedTable, filter: string | undefined): TypedData {
  return toModelBindingData('AzureStorageTables', {
    TableName: resolved.tableName,
    Take: options.take ?? 0,
    Filter: filter ?? null,
    Connection: options.deferredConnection,
    PartitionKey: resolved.partitionKey ?? null,
    RowKey: resolved.rowKey ?? null,
  });
}
