import { parse } from 'node:querystring';

const maxParameters = 100;

/** The values of a query by their names in lower case; of several with one name the first counts. */
export function toQuery(search: string): ReadonlyMap<string, string> {
  const query = new Map<string, string>();
  const parsed = parse(search, undefined, undefined, { maxKeys: maxParameters });
  for (const [name, value] of Object.entries(parsed)) {
    const first = Array.isArray(value) ? value[0] : value;
    if (first !== undefined && !query.has(name.toLowerCase())) query.set(name.toLowerCase(), first);
  }
  return query;
}
