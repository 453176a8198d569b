/**
 * Why a value is no JSON, or undefined when it is. Walks without recursion, so that depth is a fault and no crash.
 * @param maxDepth levels of lists and objects that are allowed
 */
export function findJsonFault(value: unknown, maxDepth: number): string | undefined {
  let level: readonly unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    const next: unknown[] = [];
    for (const item of level) {
      const reason = scalarFault(item);
      if (reason !== undefined) return reason;
      if (typeof item !== 'object' || item === null) continue;
      if (depth >= maxDepth) return `it has more than ${maxDepth} levels; flatten it`;
      // A list with holes would become one with nulls on its way.
      for (const child of Array.isArray(item) ? Array.from(item) : Object.values(item)) next.push(child);
    }
    level = next;
  }
  return undefined;
}

function scalarFault(item: unknown): string | undefined {
  switch (typeof item) {
    case 'boolean':
      return undefined;
    case 'string':
      return item.isWellFormed() ? undefined : 'it has half of a surrogate pair, which no UTF-8 can say';
    case 'number':
      return Number.isFinite(item) ? undefined : `it has the number ${item}, which JSON cannot say`;
    case 'object':
      return item === null || isPlain(item) ? undefined : 'it has an object of a class; send plain objects and lists';
    default:
      return `it has a value of the type ${typeof item}, which JSON cannot say`;
  }
}

function isPlain(item: object): boolean {
  if (Array.isArray(item)) return true;
  const prototype: unknown = Object.getPrototypeOf(item);
  return prototype === Object.prototype || prototype === null;
}
