import { asList, asOneOf, asRecord, asText, describe, fieldOf, refuseParameter } from '../parameters.ts';
import { formatPointer, isIndex, parsePointer } from './json-pointer.ts';
import { copyJson, equalJson, isJsonObject, type JsonValue } from './json-value.ts';

const maxOperations = 10_000;
const operations = ['add', 'remove', 'replace', 'move', 'copy', 'test'] as const;

/** What the operations act on; the document stands in a box, because an operation may replace all of it. */
interface Box {
  document: JsonValue;
}

/**
 * Applies a JSON patch (RFC 6902) to a copy of the document: all of it, or, failing with PARAMETER_INVALID and the
 * number of the operation that cannot be done, nothing.
 */
export function applyPatch(document: unknown, patch: unknown): JsonValue {
  const box: Box = { document: copyJson(document, 'The document') };
  asList(patch, 'The patch', maxOperations).forEach((entry, index) => {
    applyOperation(box, asRecord(entry, `Operation ${index} of the patch`), index);
  });
  return box.document;
}

function applyOperation(box: Box, operation: Readonly<Record<string, unknown>>, index: number): void {
  const what = `Operation ${index} of the patch`;
  const path = parsePointer(asText(fieldOf(operation, 'path'), `The path of operation ${index}`));
  switch (asOneOf(fieldOf(operation, 'op'), `The op of operation ${index}`, operations)) {
    case 'add':
      add(box, path, valueIn(operation, what), what);
      break;
    case 'remove':
      remove(box, path, what);
      break;
    case 'replace':
      remove(box, path, what, true);
      add(box, path, valueIn(operation, what), what, true);
      break;
    case 'move': {
      const from = sourceOf(operation, index);
      if (path.length > from.length && formatPointer(path).startsWith(`${formatPointer(from)}/`))
        refuseParameter(what, 'it moves a value into itself');
      add(box, path, remove(box, from, what), what);
      break;
    }
    case 'copy':
      add(box, path, copyJson(read(box, sourceOf(operation, index), what), what), what);
      break;
    case 'test':
      if (!equalJson(read(box, path, what), valueIn(operation, what)))
        refuseParameter(what, `the value at '${formatPointer(path)}' is another one`);
  }
}

/**
 * Applies a JSON merge patch (RFC 7396): objects are merged, null removes, everything else replaces. `__proto__` and its
 * like are keys of the result and reach no prototype.
 */
export function mergeJson(target: unknown, patch: unknown): JsonValue {
  return merge(copyJson(target, 'The target'), copyJson(patch, 'The patch'));
}

function merge(target: JsonValue, patch: JsonValue): JsonValue {
  if (!isJsonObject(patch)) return patch;
  const result: { [key: string]: JsonValue } = isJsonObject(target) ? target : Object.create(null);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merge(result[key] ?? null, value);
  }
  return result;
}

function valueIn(operation: Readonly<Record<string, unknown>>, what: string): JsonValue {
  if (!Object.hasOwn(operation, 'value')) refuseParameter(what, "it has no 'value'");
  return copyJson(operation.value, `${what}: its value`);
}

function sourceOf(operation: Readonly<Record<string, unknown>>, index: number): string[] {
  return parsePointer(asText(fieldOf(operation, 'from'), `The 'from' of operation ${index}`));
}

function read(box: Box, path: readonly string[], what: string): JsonValue {
  let value = box.document;
  for (const part of path) value = step(value, part, what);
  return value;
}

function step(value: JsonValue, part: string, what: string): JsonValue {
  const child = Array.isArray(value)
    ? isIndex(part)
      ? value[Number(part)]
      : undefined
    : isJsonObject(value)
      ? value[part]
      : undefined;
  if (child === undefined) refuseParameter(what, `there is nothing at ${describe(part)}`);
  return child;
}

/** `inPlace`: the removed value of a replacement left a gap in an array that must not move the others. */
function add(box: Box, path: readonly string[], value: JsonValue, what: string, inPlace = false): void {
  const last = path.at(-1);
  if (last === undefined) {
    box.document = value;
    return;
  }
  const parent = read(box, path.slice(0, -1), what);
  if (isJsonObject(parent)) {
    parent[last] = value;
    return;
  }
  if (!Array.isArray(parent)) refuseParameter(what, `${describe(last)} stands in nothing that holds values`);
  const index = last === '-' && !inPlace ? parent.length : isIndex(last) ? Number(last) : -1;
  if (index < 0 || index > parent.length) refuseParameter(what, `${describe(last)} is no place in the list`);
  parent.splice(index, inPlace ? 1 : 0, value);
}

/** `inPlace`: only checks that there is something to replace. */
function remove(box: Box, path: readonly string[], what: string, inPlace = false): JsonValue {
  const last = path.at(-1);
  if (last === undefined) return box.document;
  const parent = read(box, path.slice(0, -1), what);
  const value = step(parent, last, what);
  if (inPlace) return value;
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else if (isJsonObject(parent)) delete parent[last];
  return value;
}
