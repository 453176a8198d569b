import { type AppFolder, createAppFolder } from '@switchyard/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findEntryFiles, hasFunctionJson } from './entry-files.ts';

let folder: AppFolder;
beforeAll(() => {
  folder = createAppFolder({
    'src/a.js': '',
    'src/b.js': '',
    'lib/index.mjs': '',
    'app.cjs': '',
    'Hello/function.json': '{}',
  });
});
afterAll(() => folder.remove());

describe('findEntryFiles', () => {
  it.each<[string, string[]]>([
    ['src/*.js', ['src/a.js', 'src/b.js']],
    ['src\\*.js', ['src/a.js', 'src/b.js']],
    ['src/a.js', ['src/a.js']],
    ['src/a', ['src/a.js']],
    ['app', ['app.cjs']],
    ['lib', ['lib/index.mjs']],
    ['./lib/', ['lib/index.mjs']],
    ['src', ['src/a.js', 'src/b.js']],
    ['src/@(a|c).js', ['src/a.js']],
    ['Hello', []],
    ['dist/*.js', []],
  ])('%s', (main, expected) => {
    expect(findEntryFiles(folder.path, main)).toEqual(expected);
  });
});

describe('hasFunctionJson', () => {
  it('looks one folder deep', () => {
    expect(hasFunctionJson(folder.path)).toBe(true);
    expect(hasFunctionJson(`${folder.path}/src`)).toBe(false);
    expect(hasFunctionJson(`${folder.path}/missing`)).toBe(false);
  });
});
