/** What docs/compatibility.md and docs/triggers.md claim is there: sections, tests and kinds. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createKinds } from '@switchyard/triggers';
import { describe, expect, it } from 'vitest';

const repository = dirname(dirname(fileURLToPath(import.meta.url)));
const sections = [
  '4 Function metadata',
  '5 HTTP trigger',
  '8 Timer',
  '9 Storage triggers',
  '12 Binding expressions',
  '13 Retry and timeout',
];
const states: readonly string[] = ['same', 'better', 'not yet'];

interface Reference {
  readonly file: string;
  readonly name: string;
}

interface Row {
  readonly section: string;
  readonly behaviour: string;
  readonly state: string;
  /** What the last column says, reference by reference; undefined where it is none. */
  readonly references: readonly (Reference | undefined)[];
}

const page = read('docs/compatibility.md');
const rows = toRows(page);

describe('docs/compatibility.md', () => {
  it('has a table under every heading', () => {
    const headings = [...page.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual(sections);
    const covered = new Set(rows.map(({ section }) => section));
    expect(sections.filter((section) => !covered.has(section))).toEqual([]);
  });

  it('says same, better or not yet in every row, and proves all but the last', () => {
    const odd = rows.filter(({ state }) => !states.includes(state));
    const unproved = rows.filter(({ state, references }) => state !== 'not yet' && references.length === 0);
    expect([...odd, ...unproved]).toEqual([]);
  });

  it('names tests that exist', () => {
    const wrong = rows.flatMap(({ behaviour, references }) =>
      references.filter((reference) => !isThere(reference)).map((reference) => ({ behaviour, reference })),
    );
    expect(wrong).toEqual([]);
  });
});

describe('docs/triggers.md', () => {
  it('has a heading for every kind that can be made', () => {
    const text = read('docs/triggers.md');
    const nothing = new Proxy({}, { get: () => () => {} }) as never;
    const kinds = createKinds({
      queues: nothing,
      timerStatus: nothing,
      blobs: nothing,
      tables: nothing,
      locks: nothing,
    });
    const wanted = [
      ...kinds.supportedTriggerTypes(),
      ...kinds.supportedInputTypes().map((type) => `${type} (in)`),
      ...kinds.supportedOutputTypes().map((type) => `${type} (out)`),
    ];
    const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
    expect(wanted.filter((kind) => !headings.includes(kind))).toEqual([]);
  });
});

function read(path: string): string {
  const file = join(repository, path);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/** The rows of every table, with the heading above them. */
function toRows(text: string): readonly Row[] {
  let section = '';
  const found: Row[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('## ')) section = line.slice(3);
    if (!line.startsWith('| ') || line.startsWith('| behaviour |')) continue;
    const [, behaviour = '', state = '', references = ''] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    found.push({ section, behaviour, state, references: toReferences(references) });
  }
  return found;
}

/** `file` "name", several of them joined by <br>, or a dash. The name may have quotation marks of its own. */
function toReferences(cell: string): Row['references'] {
  if (cell === '–') return [];
  return cell.split('<br>').map((text) => {
    const [, file, name] = /^`([^`]+)` "(.+)"$/.exec(text.trim()) ?? [];
    return file === undefined || name === undefined ? undefined : { file, name };
  });
}

function isThere(reference: Reference | undefined): boolean {
  return reference !== undefined && titlesIn(read(reference.file)).some((title) => title.includes(reference.name));
}

/** The names of the tests and groups of a test file, as its source spells them. */
function titlesIn(source: string): readonly string[] {
  const call =
    /(?:\b(?:it|test|describe)(?:\.\w+)*\(|\]\)\()\s*(?:'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)"|`((?:\\.|[^`\\])*)`)/g;
  return [...source.matchAll(call)].map(([, single, double, template]) =>
    (single ?? double ?? template ?? '').replace(/\\(.)/g, '$1'),
  );
}
