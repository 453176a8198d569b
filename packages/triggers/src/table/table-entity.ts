/**
 * Entities as JSON, in both directions, as the official host converts them: keys and properties of one object; whole numbers
 * are Int64, nested values are their JSON text, and what is null is not written.
 */
import { isJsonObject, type JsonObject } from '@switchyard/model';
import type { TableAction, TableEntity, TableValue } from './table-client.ts';

/** The keys that a binding gives to entities without their own. */
export interface TableKeys {
  readonly partitionKey: string | undefined;
  readonly rowKey: string | undefined;
}

export type TableActionResult =
  | { readonly kind: 'action'; readonly action: TableAction }
  | { readonly kind: 'invalid'; readonly reason: string };

/** The ETag that stands for any version. */
const anyVersion = '*';

/** The longest key, in characters (1 KiB of UTF-16). */
const maxKeyLength = 512;

/** The service takes none of these in a key. */
const forbiddenInKey = /[/\\#?\p{Cc}]/u;

/** The service's names of properties. */
const propertyName = /^[\p{L}_][\p{L}\p{N}_]*$/u;

const maxPropertyNameLength = 255;
const maxInt64 = 2n ** 63n;

/** A number with the digits that stood in the text. */
class NumberText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Parses JSON so that no digit of a number is lost. Throws a SyntaxError. */
export function parseExactJson(text: string): unknown {
  return JSON.parse(text, keepDigits);
}

/** What to do with an entity that a function gave back, parsed by `parseExactJson`. */
export function toTableAction(value: unknown, keys: TableKeys): TableActionResult {
  if (value instanceof NumberText || !isJsonObject(value)) return invalid(`${describe(value)} is no object`);
  const properties = new Map<string, TableValue>();
  let { partitionKey, rowKey } = keys;
  let etag = '';
  for (const [name, item] of Object.entries(value)) {
    const lower = name.toLowerCase();
    if (lower === 'partitionkey') partitionKey = toKey(item) ?? partitionKey;
    else if (lower === 'rowkey') rowKey = toKey(item) ?? rowKey;
    else if (lower === 'etag' || lower === 'odata.etag') etag = toKey(item) ?? '';
    else if (lower === 'timestamp' || lower.startsWith('odata.')) continue;
    else {
      const problem = addProperty(properties, name, item);
      if (problem !== undefined) return invalid(problem);
    }
  }
  const problem = keyProblem('PartitionKey', partitionKey) ?? keyProblem('RowKey', rowKey);
  if (problem !== undefined || partitionKey === undefined || rowKey === undefined) return invalid(problem ?? '');
  const entity: TableEntity = { partitionKey, rowKey, properties };
  if (etag === '') return { kind: 'action', action: { kind: 'insert', entity } };
  if (etag === anyVersion) return { kind: 'action', action: { kind: 'upsert', entity } };
  return { kind: 'action', action: { kind: 'replace', entity, etag } };
}

/** The JSON text of an entity. Numbers keep all their digits; times, GUIDs and bytes (Base64) are texts. */
export function formatEntity(entity: TableEntity): string {
  const members = [
    `"PartitionKey":${JSON.stringify(entity.partitionKey)}`,
    `"RowKey":${JSON.stringify(entity.rowKey)}`,
    ...[...entity.properties].map(([name, value]) => `${JSON.stringify(name)}:${formatValue(value)}`),
  ];
  return `{${members.join(',')}}`;
}

function formatValue({ type, text }: TableValue): string {
  switch (type) {
    case 'Boolean':
      return text.toLowerCase() === 'true' ? 'true' : 'false';
    case 'Int32':
    case 'Int64':
    case 'Double':
      // Infinity and NaN have no JSON.
      return /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text) ? text : JSON.stringify(text);
    case 'String':
    case 'DateTime':
    case 'Guid':
    case 'Binary':
      return JSON.stringify(text);
  }
}

function addProperty(properties: Map<string, TableValue>, name: string, item: unknown): string | undefined {
  if (name.length > maxPropertyNameLength || !propertyName.test(name)) {
    return `${JSON.stringify(name)} is no name of a property, which has letters, digits and underscores`;
  }
  const value = toValue(item);
  if (value !== undefined) properties.set(name, value);
  return undefined;
}

/** Undefined for null. */
function toValue(item: unknown): TableValue | undefined {
  if (item === null || item === undefined) return undefined;
  if (typeof item === 'string') return { type: 'String', text: item };
  if (typeof item === 'boolean') return { type: 'Boolean', text: String(item) };
  if (item instanceof NumberText) return toNumber(item.text);
  return { type: 'String', text: JSON.stringify(toPlain(item)) };
}

function toNumber(text: string): TableValue {
  const isWhole = /^-?\d+$/.test(text);
  if (!isWhole) return { type: 'Double', text };
  const value = BigInt(text);
  return value >= -maxInt64 && value < maxInt64 ? { type: 'Int64', text: String(value) } : { type: 'Double', text };
}

/** Keys and ETags may be numbers in JSON. */
function toKey(item: unknown): string | undefined {
  if (typeof item === 'string') return item;
  if (item instanceof NumberText) return item.text;
  return typeof item === 'boolean' ? String(item) : undefined;
}

function keyProblem(name: string, key: string | undefined): string | undefined {
  if (key === undefined) return `it has no "${name}", and the binding names none either`;
  if (key.length > maxKeyLength) return `its "${name}" has ${key.length} characters, more than ${maxKeyLength}`;
  if (!forbiddenInKey.test(key)) return undefined;
  return `its "${name}" ${JSON.stringify(key)} has one of the characters / \\ # ? or a control character`;
}

function toPlain(value: unknown): unknown {
  if (value instanceof NumberText) return Number(value.text);
  if (Array.isArray(value)) return value.map(toPlain);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value as JsonObject).map(([key, item]) => [key, toPlain(item)]));
}

/** A reviver that wraps every number. */
function keepDigits(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === 'number' ? new NumberText(context?.source ?? String(value)) : value;
}

function describe(value: unknown): string {
  if (value instanceof NumberText) return value.text;
  return JSON.stringify(toPlain(value)) ?? 'nothing';
}

function invalid(reason: string): TableActionResult {
  return { kind: 'invalid', reason };
}
