import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCompilerReader } from './compiler-lines.ts';

function read(text: string) {
  const reader = createCompilerReader();
  return text.split('\n').flatMap((line) => reader(line) ?? []);
}

const pass = `12:33:40 AM - Starting compilation in watch mode...

src/a.ts(3,5): error TS2322: Type 'string' is not assignable to type 'number'.
  The expected type comes from here.
error TS2688: Cannot find type definition file for 'node'.

12:33:41 AM - Found 2 errors. Watching for file changes.
`;

describe('createCompilerReader', () => {
  it('reads the errors of a pass, with their places as editors know them', () => {
    expect(read(pass)).toEqual([
      {
        errors: [
          "src/a.ts:3:5 - error TS2322: Type 'string' is not assignable to type 'number'.",
          '  The expected type comes from here.',
          "error TS2688: Cannot find type definition file for 'node'.",
        ],
      },
    ]);
  });

  it('begins anew with every pass', () => {
    const clean =
      '12:34:00 AM - File change detected. Starting incremental compilation...\n\nFound 0 errors. Watching.';
    expect(read(`${pass}${clean}`)[1]).toEqual({ errors: [] });
  });

  it('counts the errors that no screen shows', () => {
    const many = Array.from({ length: 25 }, (_, index) => `a.ts(${index + 1},1): error TS1: oh`).join('\n  more\n');
    const [{ errors } = { errors: [] }] = read(`${many}\nFound 25 errors.`);
    expect(errors.at(-1)).toBe('... and 5 more');
    expect(errors.filter((line) => line.includes('TS1'))).toHaveLength(20);
  });

  it('takes any text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(Array.isArray(read(text))).toBe(true);
      }),
    );
  });
});
