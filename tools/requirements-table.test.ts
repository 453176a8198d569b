/** What docs/requirements.md claims: every item is there once, in order, and what is shown is shown by a test that exists. */
import { describe, expect, it } from 'vitest';
import { isThere, readPage, tableRows, toReferences } from './documents/test-references.ts';

/** The lists of the design, and how many items each has. */
const lists = new Map([
  ['Worker side', 46],
  ['Runtime and scale controller', 60],
]);

const rows = tableRows(readPage('docs/requirements.md')).filter(({ cells }) => cells[0] !== '#');

describe('docs/requirements.md', () => {
  it.each([...lists])('has every item of "%s", in order', (title, count) => {
    const numbers = rows.filter(({ heading }) => heading === title).map(({ cells }) => Number(cells[0]));
    expect(numbers).toEqual(Array.from({ length: count }, (_, index) => index + 1));
  });

  it('knows three states, and names a test for what is shown', () => {
    const wrong = rows.filter(({ cells: [, , state = '', shown = ''] }) => {
      const isShown = state === 'shown';
      return isShown !== toReferences(shown).length > 0 || !(isShown || /^(not yet|superseded by .+)$/.test(state));
    });
    expect(wrong).toEqual([]);
  });

  it('names tests that exist', () => {
    const wrong = rows.flatMap(({ cells: [number, , , shown = ''] }) =>
      toReferences(shown)
        .filter((reference) => !isThere(reference))
        .map((reference) => ({ number, reference })),
    );
    expect(wrong).toEqual([]);
  });
});
