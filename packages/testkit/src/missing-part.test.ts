import { expect, test } from 'vitest';
import { type PartSurroundings, requireOptionalPart, requirePart } from './missing-part.ts';

function surroundings(ci: boolean): PartSurroundings & { readonly warnings: string[] } {
  const warnings: string[] = [];
  return { ci, warnings, warn: (message) => warnings.push(message) };
}

test('a part that is present lets the test run, without a word', () => {
  const here = surroundings(true);
  expect(requirePart('Node 20', true, 'Install it.', here)).toEqual({ skip: false });
  expect(here.warnings).toEqual([]);
});

test('a missing part skips on a machine of a user, and says how to get it', () => {
  const here = surroundings(false);
  expect(requirePart('Node 20', false, 'Install it.', here)).toEqual({ skip: true });
  expect(here.warnings).toEqual([
    'SKIPPED: Tests that need Node 20 cannot run, because it is missing here. Install it.',
  ]);
});

test('a missing part fails in continuous integration', () => {
  expect(() => requirePart('Node 20', false, 'Install it.', surroundings(true))).toThrow(/Node 20.*Install it\./);
});

test('a missing part that nobody can install skips everywhere, and says how to get it', () => {
  const here = surroundings(true);
  expect(requireOptionalPart('the official worker', false, 'Name its folder.', here)).toEqual({ skip: true });
  expect(here.warnings).toEqual([expect.stringContaining('Name its folder.')]);
  expect(requireOptionalPart('the official worker', true, 'Name its folder.', here)).toEqual({ skip: false });
});
