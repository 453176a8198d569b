import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitCommandWords } from './command-words.ts';

describe('splitCommandWords', () => {
  test.each<[string, string[]]>([
    ['', []],
    ['  \t ', []],
    ['one', ['one']],
    ['-XX:+TieredCompilation  -noverify -jar', ['-XX:+TieredCompilation', '-noverify', '-jar']],
    ['--name "My App" end', ['--name', 'My App', 'end']],
    ['--name="My App"', ['--name=My App']],
    ['a "" b', ['a', '', 'b']],
    ['"a""b"', ['a"b']],
    ['C:\\tools\\run.exe \\"x\\"', ['C:\\tools\\run.exe', '"x"']],
    ['"C:\\my tools\\\\" next', ['C:\\my tools\\', 'next']],
    ['"open to the end', ['open to the end']],
  ])('%j is the words %j', (text, words) => {
    expect(splitCommandWords(text)).toEqual(words);
  });

  test('gives back whatever words were quoted', () => {
    const quote = (word: string): string => `"${word.replace(/(\\*)("|$)/g, '$1$1$2').replace(/"/g, '\\"')}"`;
    fc.assert(
      fc.property(fc.array(fc.string({ unit: fc.constantFrom('a', ' ', '\\', '"', '%', "'", '\t') })), (words) => {
        expect(splitCommandWords(words.map(quote).join(' '))).toEqual(words);
      }),
    );
  });

  test('never fails and keeps everything that is neither blank, quote nor backslash', () => {
    const rest = (text: string): string => text.replace(/[\s"\\]/g, '');
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(rest(splitCommandWords(text).join(''))).toBe(rest(text));
      }),
    );
  });
});
