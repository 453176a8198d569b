import { join } from 'node:path';
import { type AppFolder, createAppFolder } from '@switchyard/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { moduleTypeOf, readPackageJson } from './package-json.ts';

let folder: AppFolder | undefined;
afterEach(() => folder?.remove());

function open(text: string | undefined): string {
  folder = createAppFolder(text === undefined ? { 'sub/a.js': '' } : { 'package.json': text, 'sub/a.js': '' });
  return folder.path;
}

describe('readPackageJson', () => {
  it('reads main and type, also behind a byte order mark', () => {
    expect(readPackageJson(open('\uFEFF{ "main": "src/*.js", "type": "module" }'))).toEqual({
      kind: 'found',
      main: 'src/*.js',
      type: 'module',
    });
  });

  it('knows that there is none, and what is meant by nothing', () => {
    expect(readPackageJson(open(undefined))).toEqual({ kind: 'missing' });
    expect(readPackageJson(open('{ "main": "" }'))).toMatchObject({ main: undefined, type: 'commonjs' });
  });

  it.each([
    ['{ "main": ', 'JSON'],
    ['[]', 'it holds no JSON object'],
    ['{ "main": 5 }', '"main" must be a string'],
  ])('refuses %s, naming the file', (text, reason) => {
    const path = open(text);
    expect(() => readPackageJson(path)).toThrow(reason);
    expect(() => readPackageJson(path)).toThrow(join(path, 'package.json'));
  });
});

describe('moduleTypeOf', () => {
  it('takes the nearest package.json upwards', () => {
    const path = open('{ "type": "module" }');
    expect(moduleTypeOf(join(path, 'sub'))).toBe('module');
    folder?.write('sub/package.json', '{}');
    expect(moduleTypeOf(join(path, 'sub'))).toBe('commonjs');
  });
});
