/** One binding object of function.json or of a worker's index. */
import { modelErrors } from './errors.ts';
import type { BindingDataType, BindingDirection, BindingMetadata } from './function-metadata.ts';
import { describeValue, isJsonObject, type JsonObject, readKey } from './json-text.ts';

/** The name of the binding that takes the function's return value. */
export const returnBindingName = '$return';

const namePattern = /^([a-zA-Z][a-zA-Z0-9]{0,127}|\$return)$/;
const directions: readonly BindingDirection[] = ['in', 'out', 'inout'];
const dataTypes: readonly BindingDataType[] = ['string', 'binary', 'stream'];
const cardinalities = ['one', 'many'] as const;

/** True for the types that start a function, such as `queueTrigger`. */
export function isTriggerType(type: string): boolean {
  return type.toLowerCase().endsWith('trigger');
}

/**
 * Parses the bindings of a function; `where` names it in errors.
 * @throws PlatformError BINDING_INVALID, BINDINGS_MISSING, BINDING_NAME_TWICE, TRIGGER_COUNT
 */
export function parseBindings(
  raw: readonly unknown[],
  where: string,
): { readonly bindings: readonly BindingMetadata[]; readonly trigger: BindingMetadata } {
  if (raw.length === 0) throw modelErrors.create('BINDINGS_MISSING', { where });
  const bindings = raw.map((item, index) => parseBinding(item, index, where));
  const seen = new Set<string>();
  for (const { name } of bindings) {
    if (seen.has(name.toLowerCase())) throw modelErrors.create('BINDING_NAME_TWICE', { where, name });
    seen.add(name.toLowerCase());
  }
  const triggers = bindings.filter(({ type }) => isTriggerType(type));
  const [trigger] = triggers;
  if (trigger === undefined || triggers.length > 1) {
    const found = triggers.length === 0 ? 'none' : triggers.map(({ name, type }) => `${name} (${type})`).join(', ');
    throw modelErrors.create('TRIGGER_COUNT', { where, found });
  }
  if (trigger.direction === 'out') {
    throw invalid(where, trigger.name, 'direction', '"out"', '"in", as it is the trigger');
  }
  return { bindings, trigger };
}

function parseBinding(raw: unknown, index: number, where: string): BindingMetadata {
  if (!isJsonObject(raw)) throw invalid(where, `number ${index + 1}`, 'itself', describeValue(raw), 'an object');
  const name = readText(raw, 'name', `number ${index + 1}`, where) ?? '';
  if (!namePattern.test(name)) {
    const expected = 'letters and digits that start with a letter, at most 128, or $return';
    throw invalid(where, `number ${index + 1}`, 'name', describeValue(name), expected);
  }
  const type = readText(raw, 'type', name, where) ?? '';
  if (type === '') throw invalid(where, name, 'type', 'missing', 'the kind of the binding, for example httpTrigger');
  const direction = readWord(raw, 'direction', directions, name, where) ?? 'in';
  if (name === returnBindingName && direction !== 'out') {
    throw invalid(where, name, 'direction', `"${direction}"`, '"out", as it takes the return value');
  }
  const dataType = readWord(raw, 'dataType', dataTypes, name, where);
  const cardinality = readWord(raw, 'cardinality', cardinalities, name, where);
  const connection = readText(raw, 'connection', name, where);
  return {
    name,
    type,
    direction,
    ...(dataType === undefined ? {} : { dataType }),
    ...(cardinality === undefined ? {} : { cardinality }),
    ...(connection === undefined || connection === '' ? {} : { connection }),
    raw,
    properties: readProperties(raw, name, where),
  };
}

/** A word of a closed set, in any case: the Python worker writes them in upper case. `undefined` is how protobuf says none. */
function readWord<Word extends string>(
  raw: JsonObject,
  key: string,
  words: readonly Word[],
  binding: string,
  where: string,
): Word | undefined {
  const text = readText(raw, key, binding, where)?.toLowerCase();
  if (text === undefined || text === '' || text === 'undefined') return undefined;
  const word = words.find((candidate) => candidate === text);
  if (word !== undefined) return word;
  throw invalid(where, binding, key, describeValue(readKey(raw, key)), `one of ${words.join(', ')}`);
}

function readText(raw: JsonObject, key: string, binding: string, where: string): string | undefined {
  const value = readKey(raw, key);
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  throw invalid(where, binding, key, describeValue(value), 'a text');
}

function readProperties(raw: JsonObject, binding: string, where: string): Readonly<Record<string, string>> {
  const value = readKey(raw, 'properties');
  if (value === undefined || value === null) return {};
  if (!isJsonObject(value)) throw invalid(where, binding, 'properties', describeValue(value), 'an object');
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, typeof item === 'string' ? item : describeValue(item)]),
  );
}

function invalid(where: string, binding: string, key: string, value: string, expected: string): Error {
  return modelErrors.create('BINDING_INVALID', { where, binding, key, value, expected });
}
