/** The table output. */
import { messageOf } from '@switchyard/kernel';
import type { TypedData } from '@switchyard/protocol';
import type { BindingContext, OutputBindingKind } from '../contract.ts';
import { triggerErrors } from '../errors.ts';
import { callUntilDone } from '../storage/storage-call.ts';
import { fromTypedData } from '../typed-data.ts';
import { planBatches } from './table-batches.ts';
import { parseTableBinding, resolveTable, type TableBindingOptions } from './table-binding.ts';
import type { TableAction, TableClient, TableService } from './table-client.ts';
import { parseExactJson, type TableKeys, toTableAction } from './table-entity.ts';

/** Tries per request; then the invocation fails. */
const maxTries = 4;

/** A table that is deleted while it is written to is created again this often. */
const maxCreations = 3;

/**
 * Makes the table output: an object is one entity, a list is several. Entities of a partition are written a hundred at a
 * time, all or none; the table is created when it is missing.
 */
export function createTableOutput(deps: { readonly tables: TableService }): OutputBindingKind<TableBindingOptions> {
  return {
    type: 'table',
    parse: parseTableBinding,
    async write(options, value, bindingData, context) {
      const { tableName, ...keys } = resolveTable(options, bindingData, context);
      const actions = toActions(value, keys, tableName);
      const table = deps.tables.open(options.connection, tableName);
      for (const batch of planBatches(actions)) await submit(context, table, batch);
    },
  };
}

/** Everything is checked before anything is written. */
function toActions(value: TypedData, keys: TableKeys, table: string): readonly TableAction[] {
  const parsed = parseValue(value, table);
  if (parsed === undefined || parsed === null) return [];
  return (Array.isArray(parsed) ? parsed : [parsed]).map((item) => {
    const result = toTableAction(item, keys);
    if (result.kind === 'action') return result.action;
    throw triggerErrors.create('TABLE_ENTITY_INVALID', { table, reason: result.reason });
  });
}

/** JSON, also in a text or in bytes. */
function parseValue(value: TypedData, table: string): unknown {
  const { data } = value;
  const text = data?.$case === 'json' || data?.$case === 'string' ? data.value : undefined;
  // What is neither goes the way of every worker's value, which refuses what can be no output.
  const given = text ?? fromTypedData(value);
  if (given === undefined) return undefined;
  const json = given instanceof Uint8Array ? new TextDecoder().decode(given) : given;
  try {
    return parseExactJson(typeof json === 'string' ? json : JSON.stringify(json));
  } catch (thrown) {
    const reason = `it is no JSON object (${messageOf(thrown)})`;
    throw triggerErrors.create('TABLE_ENTITY_INVALID', { table, reason }, thrown);
  }
}

async function submit(context: BindingContext, table: TableClient, batch: readonly TableAction[]): Promise<void> {
  const resource = `table '${table.name}'`;
  const write = (signal: AbortSignal): ReturnType<TableClient['submit']> => table.submit(batch, signal);
  for (let creations = 0; creations <= maxCreations; creations += 1) {
    const result = await callUntilDone(context, { operation: 'write', resource }, maxTries, write);
    if (result.kind === 'done') return;
    if (result.kind === 'refused') throw conflict(table, batch, result.reason);
    await callUntilDone(context, { operation: 'create', resource }, maxTries, (signal) => table.create(signal));
  }
  throw triggerErrors.create('TABLE_UNSAFE', { table: table.name });
}

function conflict(table: TableClient, batch: readonly TableAction[], reason: string): Error {
  const partitionKey = batch[0]?.entity.partitionKey ?? '';
  return triggerErrors.create('TABLE_WRITE_CONFLICT', { table: table.name, count: batch.length, partitionKey, reason });
}
