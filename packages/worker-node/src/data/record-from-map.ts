/**
 * A map of the wire as an object without a prototype: a key named `__proto__` or `constructor` is a key like any
 * other, and a name that was not sent is not found.
 */
export function recordFromMap<From, To>(
  map: ReadonlyMap<string, From>,
  convert: (value: From) => To,
): Record<string, To> {
  const record: Record<string, To> = Object.create(null);
  for (const [key, value] of map) record[key] = convert(value);
  return record;
}

/**
 * A map of the wire as an ordinary object, for what users see themselves: it has `hasOwnProperty` and prints as they
 * expect. A key named `__proto__` becomes a property of its own and leaves the prototype alone.
 */
export function plainRecordFromMap(map: ReadonlyMap<string, string>): Record<string, string> {
  const record: Record<string, string> = {};
  for (const [key, value] of map) {
    if (key === '__proto__') Object.defineProperty(record, key, { value, ...ordinary });
    else record[key] = value;
  }
  return record;
}

const ordinary = { writable: true, enumerable: true, configurable: true };
