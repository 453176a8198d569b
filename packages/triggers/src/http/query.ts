import { unescape as unescapeLeniently } from 'node:querystring';

/**
 * The parameters of a query string, without the question mark. Names are compared without regard to case and keep their
 * first spelling; values of one name are joined by commas, as the official host does. Broken escapes never fail.
 */
export function parseQuery(search: string): Map<string, string> {
  const values = new Map<string, string>();
  const spellings = new Map<string, string>();
  for (let start = 0; start < search.length; ) {
    const ampersand = search.indexOf('&', start);
    const end = ampersand < 0 ? search.length : ampersand;
    if (end > start) add(values, spellings, search.slice(start, end));
    start = end + 1;
  }
  return values;
}

function add(values: Map<string, string>, spellings: Map<string, string>, part: string): void {
  const equals = part.indexOf('=');
  const written = decode(equals < 0 ? part : part.slice(0, equals));
  const value = equals < 0 ? '' : decode(part.slice(equals + 1));
  const key = written.toLowerCase();
  const name = spellings.get(key);
  if (name === undefined) {
    spellings.set(key, written);
    values.set(written, value);
    return;
  }
  values.set(name, `${values.get(name) ?? ''},${value}`);
}

function decode(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  return spaced.includes('%') ? unescapeLeniently(spaced) : spaced;
}
