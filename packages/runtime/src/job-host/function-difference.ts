import type { FunctionIndex } from '@switchyard/model';

/**
 * What keeps two workers from serving the same JobHost: the first function that one of them lists and the other does not,
 * or lists under another id. Undefined when there is none. An index that is left out stands for functions read from files.
 */
export function differenceOf(known: FunctionIndex | undefined, offered: FunctionIndex | undefined): string | undefined {
  if (known === undefined && offered === undefined) return undefined;
  if (known === undefined) return 'its functions were read from function.json, and this worker lists its own';
  if (offered === undefined) return 'this worker lists none and leaves it to function.json';
  const left = idsOf(known);
  const right = idsOf(offered);
  for (const [name, id] of left) {
    const other = right.get(name);
    if (other === undefined) return `'${name}' is missing`;
    if (other !== id) return `'${name}' has the id '${other}' instead of '${id}'`;
  }
  for (const name of right.keys()) if (!left.has(name)) return `'${name}' is new`;
  return undefined;
}

/** What keeps a worker from serving functions that are known already: one that it does not list, or a new one. */
export function missingNames(known: FunctionIndex, offered: FunctionIndex): string | undefined {
  const left = idsOf(known);
  const right = idsOf(offered);
  for (const name of left.keys()) if (!right.has(name)) return `'${name}' is missing`;
  for (const name of right.keys()) if (!left.has(name)) return `'${name}' is new`;
  return undefined;
}

/** Names differ by more than their case; a rejected function has no id. */
function idsOf({ functions, rejected }: FunctionIndex): ReadonlyMap<string, string> {
  return new Map([
    ...functions.map(({ name, functionId }) => [name.toLowerCase(), functionId] as const),
    ...rejected.map(({ name }) => [name.toLowerCase(), ''] as const),
  ]);
}
