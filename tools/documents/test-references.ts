/** Pages that name the tests which show what they say: how their tables are read, and whether the tests are there. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface TestReference {
  readonly file: string;
  /** The name of a test or a group, or a part of it, as the source spells it. */
  readonly name: string;
}

export interface TableRow {
  /** The heading of the second level that stands above. */
  readonly heading: string;
  readonly cells: readonly string[];
}

/** The text of a file of this repository; empty when there is none. */
export function readPage(path: string): string {
  const file = join(repository, path);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/** The rows of every table of a page but the lines that rule them off. The heads of the tables are among them. */
export function tableRows(text: string): readonly TableRow[] {
  let heading = '';
  const found: TableRow[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('## ')) heading = line.slice(3);
    if (!line.startsWith('| ')) continue;
    const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    found.push({ heading, cells: cells.slice(1, -1) });
  }
  return found;
}

/** Reads `file` "name", several of them joined by <br>, or a dash for none. Undefined stands for what is written otherwise. */
export function toReferences(cell: string): readonly (TestReference | undefined)[] {
  if (cell === '–') return [];
  return cell.split('<br>').map((text) => {
    const [, file, name] = /^`([^`]+)` "(.+)"$/.exec(text.trim()) ?? [];
    return file === undefined || name === undefined ? undefined : { file, name };
  });
}

export function isThere(reference: TestReference | undefined): boolean {
  return reference !== undefined && titlesIn(readPage(reference.file)).some((title) => title.includes(reference.name));
}

/** The names of the tests and groups of a test file, as its source spells them; cases that are data have theirs after `name:`. */
function titlesIn(source: string): readonly string[] {
  const call =
    /(?:\b(?:it|test|describe)(?:\.\w+)*\(|\]\)\(|^\s*name: )\s*(?:'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)"|`((?:\\.|[^`\\])*)`)/gm;
  return [...source.matchAll(call)].map(([, single, double, template]) =>
    (single ?? double ?? template ?? '').replace(/\\(.)/g, '$1'),
  );
}
