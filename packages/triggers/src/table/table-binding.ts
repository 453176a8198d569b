/** What table inputs and outputs have in common. */
import { type BindingExpression, type BindingMetadata, describeValue, parseBindingExpression } from '@switchyard/model';
import type { TypedData } from '@switchyard/protocol';
import { bindingDataFrom } from '../binding-data.ts';
import type { BindingContext, BindingScope } from '../contract.ts';
import { triggerErrors } from '../errors.ts';
import { resolveStorageConnection, type StorageConnection } from '../storage/storage-connection.ts';
import type { TableKeys } from './table-entity.ts';

/** The parsed part. */
export interface TableBindingOptions {
  readonly bindingName: string;
  readonly tableName: BindingExpression;
  readonly connection: StorageConnection;
  readonly partitionKey: BindingExpression | undefined;
  readonly rowKey: BindingExpression | undefined;
}

/** What a binding means for one invocation. */
export interface ResolvedTable extends TableKeys {
  readonly tableName: string;
}

/** 3 to 63 letters and digits, the first one a letter. */
const namePattern = /^[A-Za-z][A-Za-z0-9]{2,62}$/;

/** Throws TABLE_NAME_MISSING, TABLE_NAME_INVALID, TABLE_BINDING_INVALID, and what expressions and connections throw. */
export function parseTableBinding(binding: BindingMetadata, scope: BindingScope): TableBindingOptions {
  const value = binding.raw.tableName;
  if (typeof value !== 'string' || value.trim() === '') {
    const details = { function: scope.function.name, binding: binding.name, value: JSON.stringify(value) ?? 'missing' };
    throw triggerErrors.create('TABLE_NAME_MISSING', details);
  }
  const tableName = parseText('tableName', value.trim(), scope);
  if (tableName.parameters.length === 0) checkName(tableName.text, scope.function.name, binding.name);
  return {
    bindingName: binding.name,
    tableName,
    connection: resolveStorageConnection(binding, scope),
    partitionKey: parseOptionalText('partitionKey', binding, scope),
    rowKey: parseOptionalText('rowKey', binding, scope),
  };
}

/** Fills the expressions in. Throws TABLE_NAME_INVALID and what expressions throw. */
export function resolveTable(
  options: TableBindingOptions,
  bindingData: ReadonlyMap<string, TypedData>,
  context: BindingContext,
): ResolvedTable {
  const { clock, random, functionName } = context;
  const data = bindingDataFrom(bindingData);
  const resolve = (expression: BindingExpression): string => expression.resolve(data, { clock, random, functionName });
  const tableName = resolve(options.tableName);
  checkName(tableName, functionName, options.bindingName);
  return {
    tableName,
    partitionKey: options.partitionKey === undefined ? undefined : resolve(options.partitionKey),
    rowKey: options.rowKey === undefined ? undefined : resolve(options.rowKey),
  };
}

/** The text of an optional key; an empty one counts as none. Throws TABLE_BINDING_INVALID. */
export function readOptionalText(key: string, binding: BindingMetadata, scope: BindingScope): string | undefined {
  const value = binding.raw[key];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string') return value;
  throw bindingInvalid(key, value, 'it must be a text', binding, scope);
}

export function bindingInvalid(
  key: string,
  value: unknown,
  expected: string,
  binding: BindingMetadata,
  scope: BindingScope,
): Error {
  const details = { function: scope.function.name, binding: binding.name, key, value: describeValue(value), expected };
  return triggerErrors.create('TABLE_BINDING_INVALID', details);
}

function parseOptionalText(key: string, binding: BindingMetadata, scope: BindingScope): BindingExpression | undefined {
  const text = readOptionalText(key, binding, scope);
  return text === undefined ? undefined : parseText(key, text, scope);
}

function parseText(key: string, text: string, scope: BindingScope): BindingExpression {
  return parseBindingExpression(text, `"${key}" of function '${scope.function.name}'`, scope.settings);
}

function checkName(name: string, functionName: string, bindingName: string): void {
  if (namePattern.test(name)) return;
  throw triggerErrors.create('TABLE_NAME_INVALID', { function: functionName, binding: bindingName, value: name });
}
