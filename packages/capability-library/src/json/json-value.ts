import { refuseParameter } from '../parameters.ts';

const maxDepth = 64;

/** Any JSON value. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

/**
 * A deep copy of a JSON value, whose objects have no prototype in the way: a key like `__proto__` is a key and nothing
 * else. Fails with PARAMETER_INVALID for what JSON cannot say.
 */
export function copyJson(value: unknown, what: string, depth = 0): JsonValue {
  if (depth > maxDepth) refuseParameter(what, `it nests deeper than ${maxDepth} levels`);
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) refuseParameter(what, `it holds ${value}, which JSON cannot say`);
    return value;
  }
  if (Array.isArray(value)) return value.map((item) => copyJson(item, what, depth + 1));
  if (typeof value !== 'object') refuseParameter(what, `it holds ${typeof value}, which JSON cannot say`);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null)
    refuseParameter(what, 'it holds something that is no plain object');
  const copy: { [key: string]: JsonValue } = Object.create(null);
  for (const [key, item] of Object.entries(value)) copy[key] = copyJson(item, what, depth + 1);
  return copy;
}

/** True for a JSON object. */
export function isJsonObject(value: JsonValue | undefined): value is { [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Equal as JSON: the order of keys does not matter. */
export function equalJson(left: JsonValue, right: JsonValue): boolean {
  return canonicalJson(left) === canonicalJson(right);
}

/** JSON with sorted keys and no spaces, so that equal values give equal text. */
export function canonicalJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const entries = Object.keys(value).sort();
  return `{${entries.map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] ?? null)}`).join(',')}}`;
}
