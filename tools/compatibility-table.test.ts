/** What docs/compatibility.md and docs/triggers.md claim is there: sections, tests and kinds. */
import { createKinds } from '@switchyard/triggers';
import { describe, expect, it } from 'vitest';
import { isThere, readPage, type TestReference, tableRows, toReferences } from './documents/test-references.ts';

const sections = [
  '4 Function metadata',
  '5 HTTP trigger',
  '6 Admin and webhooks',
  '7 host.json',
  '8 Timer',
  '9 Storage triggers',
  '10 Messaging and other extensions',
  '11 Custom handler',
  '12 Binding expressions',
  '13 Retry and timeout',
  '14 Placeholder, drain',
  '15 Logs and telemetry',
];
const states: readonly string[] = ['same', 'better', 'not yet'];

interface Row {
  readonly section: string;
  readonly behaviour: string;
  readonly state: string;
  /** What the last column says, reference by reference; undefined where it is none. */
  readonly references: readonly (TestReference | undefined)[];
}

const page = readPage('docs/compatibility.md');
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
    const text = readPage('docs/triggers.md');
    const nothing = new Proxy({}, { get: () => () => {} }) as never;
    const kinds = createKinds({
      queues: nothing,
      timerStatus: nothing,
      blobs: nothing,
      tables: nothing,
      locks: nothing,
      serviceBus: nothing,
      rabbitMq: nothing,
      eventHubs: nothing,
      redis: nothing,
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

/** The rows of every table but their heads. */
function toRows(text: string): readonly Row[] {
  return tableRows(text)
    .filter(({ cells: [first] }) => first !== 'behaviour')
    .map(({ heading, cells: [behaviour = '', state = '', references = ''] }) => ({
      section: heading,
      behaviour,
      state,
      references: toReferences(references),
    }));
}
