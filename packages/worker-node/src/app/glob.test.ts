import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expandBraces, isPattern, matchFiles } from './glob.ts';

const files = [
  'index.js',
  'dist/index.js',
  'dist/src/functions/a.js',
  'dist/src/functions/b.js',
  'dist/src/functions/b.js.map',
  'dist/src/functions/.hidden.js',
  'dist/src/functions/deep/c.js',
  'dist/src/index.js',
  'node_modules/p/index.js',
  'odd[1].js',
];

let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'switchyard-glob-'));
  for (const file of files) {
    mkdirSync(join(root, dirname(file)), { recursive: true });
    writeFileSync(join(root, file), '');
  }
  symlinkSync(root, join(root, 'dist', 'circle'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('matchFiles', () => {
  it.each<[string, string[]]>([
    ['index.js', ['index.js']],
    ['./dist//index.js', ['dist/index.js']],
    ['dist/src/functions/*.js', ['dist/src/functions/a.js', 'dist/src/functions/b.js']],
    ['dist/src/{index.js,functions/*.js}', ['dist/src/functions/a.js', 'dist/src/functions/b.js', 'dist/src/index.js']],
    ['dist/src/functions/?.js', ['dist/src/functions/a.js', 'dist/src/functions/b.js']],
    ['dist/src/functions/[a-a].js', ['dist/src/functions/a.js']],
    ['dist/src/functions/[!a].js', ['dist/src/functions/b.js']],
    ['dist/src/functions/.*.js', ['dist/src/functions/.hidden.js']],
    [
      'dist/src/**/*.js',
      ['dist/src/functions/a.js', 'dist/src/functions/b.js', 'dist/src/functions/deep/c.js', 'dist/src/index.js'],
    ],
    ['dist/src/functions/**', ['a.js', 'b.js', 'b.js.map', 'deep/c.js'].map((name) => `dist/src/functions/${name}`)],
    ['**/p/*.js', []],
    ['node_modules/*/*.js', ['node_modules/p/index.js']],
    ['dist', []],
    ['missing/*.js', []],
    ['dist/circle/index.js', ['dist/circle/index.js']],
    ['dist/src/functions/!(a).js', ['dist/src/functions/b.js']],
    ['dist/src/functions/!(*.map)', ['dist/src/functions/a.js', 'dist/src/functions/b.js']],
    [
      'dist/**/!(a|*.test).js',
      ['dist/index.js', 'dist/src/functions/b.js', 'dist/src/functions/deep/c.js', 'dist/src/index.js'],
    ],
    ['dist/src/functions/@(a|b).{js,mjs}', ['dist/src/functions/a.js', 'dist/src/functions/b.js']],
    [
      'dist/src/+(functions|deep)/[ab].js?(.map)',
      ['a.js', 'b.js', 'b.js.map'].map((name) => `dist/src/functions/${name}`),
    ],
    ['dist/src/functions/*(x|b|@(a)).js', ['dist/src/functions/a.js', 'dist/src/functions/b.js']],
    ['odd[[]1].js', ['odd[1].js']],
  ])('%s', (pattern, expected) => {
    expect(matchFiles(root, pattern)).toEqual(expected);
  });

  it('stops at its limit, naming the pattern', () => {
    expect(() => matchFiles(root, '**/*.js', 5)).toThrow(
      '"main": "**/*.js" makes the worker look at more than 5 files',
    );
  });

  it('agrees with a literal reading of the names, for any pattern of stars', () => {
    const names = ['a.js', 'b.js', 'b.js.map'];
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'b', '.', 'j', 's', '*', '?'), maxLength: 6 }), (pattern) => {
        fc.pre(!pattern.startsWith('.') && !/^\*\*$/.test(pattern));
        const expected = names.filter((name) => matches(pattern, name)).map((name) => `dist/src/functions/${name}`);
        expect(matchFiles(root, `dist/src/functions/${pattern}`)).toEqual(pattern === '' ? [] : expected);
      }),
    );
  });
});

/** The textbook definition. */
function matches(pattern: string, name: string): boolean {
  if (pattern === '') return name === '';
  if (pattern.startsWith('*'))
    return matches(pattern.slice(1), name) || (name !== '' && matches(pattern, name.slice(1)));
  return name !== '' && (pattern[0] === '?' || pattern[0] === name[0]) && matches(pattern.slice(1), name.slice(1));
}

describe('expandBraces', () => {
  it.each<[string, string[]]>([
    ['a', ['a']],
    ['{a,b}', ['a', 'b']],
    ['x{a,{b,c}d}y', ['xay', 'xbdy', 'xcdy']],
    ['{a,b}{c,d}', ['ac', 'ad', 'bc', 'bd']],
    ['{a,}', ['a', '']],
    ['{a}', ['{a}']],
    ['{a', ['{a']],
    ['a}b', ['a}b']],
  ])('%s', (pattern, expected) => {
    expect(expandBraces(pattern)).toEqual(expected);
  });

  it('refuses a pattern that explodes', () => {
    expect(() => expandBraces('{a,b}'.repeat(30))).toThrow('1024');
  });
});

describe('isPattern', () => {
  it('tells patterns from paths', () => {
    expect(['dist/index.js', 'a-b_c.js', 'copy (1).js'].filter(isPattern)).toEqual([]);
    expect(['*.js', 'a?', '[a]', '{a,b}', '!(a)', '@(a)', '+(a)'].filter((one) => !isPattern(one))).toEqual([]);
  });
});
