/** App settings that override host.json: `AzureFunctionsJobHost__extensions__queues__batchSize` (section AzureFunctionsJobHost). */
import { isJsonObject, type JsonObject } from './json-text.ts';
import { toSettingKey } from './settings.ts';

const prefix = 'azurefunctionsjobhost:';

/** Deeper names are no keys of host.json. */
const maxSegments = 16;

/**
 * Returns host.json with the overrides in it. Segments match keys in any case; lists are addressed by number. A value
 * becomes what its text says (`32`, `true`), unless the file has a text in its place.
 */
export function applyHostJsonOverrides(
  source: JsonObject,
  settings: Iterable<readonly [name: string, value: string]>,
): JsonObject {
  let result: unknown = source;
  for (const [name, value] of settings) {
    const key = name.replaceAll('__', ':');
    if (!toSettingKey(name).startsWith(prefix)) continue;
    const segments = key.slice(prefix.length).split(':');
    if (segments.length <= maxSegments && segments.every((segment) => segment !== '')) {
      result = override(result, segments, value);
    }
  }
  return isJsonObject(result) ? result : source;
}

function override(target: unknown, segments: readonly string[], value: string): unknown {
  const [segment, ...rest] = segments;
  if (segment === undefined) return typeof target === 'string' ? value : toScalar(value);
  if (Array.isArray(target)) return overrideItem(target, segment, rest, value);
  const entries: [string, unknown][] = isJsonObject(target) ? Object.entries(target) : [];
  const wanted = segment.toLowerCase();
  const position = entries.findLastIndex(([name]) => name.toLowerCase() === wanted);
  const [name, old] = entries[position] ?? [segment, undefined];
  entries[position < 0 ? entries.length : position] = [name, override(old, rest, value)];
  return Object.fromEntries(entries);
}

function overrideItem(list: readonly unknown[], segment: string, rest: readonly string[], value: string): unknown {
  const index = /^\d{1,4}$/.test(segment) ? Number(segment) : Number.NaN;
  if (index < list.length) return list.with(index, override(list[index], rest, value));
  return index === list.length ? [...list, override(undefined, rest, value)] : list;
}

/** A number only where it reads back as the same text, so that `1.10` stays what it is. */
function toScalar(value: string): unknown {
  if (/^(true|false)$/i.test(value)) return value.toLowerCase() === 'true';
  const number = Number(value);
  return Number.isFinite(number) && String(number) === value ? number : value;
}
