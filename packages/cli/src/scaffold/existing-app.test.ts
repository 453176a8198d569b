import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestFolder, type TestFolder } from '../testing/test-folder.ts';
import { type ExistingApp, readExistingApp } from './existing-app.ts';

let folder: TestFolder;
beforeEach(async () => {
  folder = await openTestFolder();
});
afterEach(() => folder.remove());

async function read(files: Record<string, unknown>): Promise<ExistingApp> {
  await folder.write({ 'host.json': { version: '2.0' }, ...files });
  return readExistingApp(folder.path);
}

const library = (range: string) => ({ dependencies: { '@azure/functions': range } });

describe('readExistingApp', () => {
  it.each<[string, Record<string, unknown>, Partial<ExistingApp>]>([
    ['JavaScript', { 'package.json': library('^4.0.0') }, { language: 'javascript', modules: 'commonjs', model: 'v4' }],
    ['TypeScript', { 'package.json': library('4.5.0'), 'tsconfig.json': {} }, { language: 'typescript', model: 'v4' }],
    ['modules', { 'package.json': { ...library('~4'), type: 'module' } }, { modules: 'module' }],
    [
      'a library among the tools',
      { 'package.json': { devDependencies: { '@azure/functions': '4' } } },
      { model: 'v4' },
    ],
    ['main', { 'package.json': { main: 'src/index.js' } }, { main: 'src/index.js', model: 'v4' }],
    ['an empty main', { 'package.json': { ...library('4'), main: '' } }, { main: undefined }],
    ['the older library', { 'package.json': library('^3.5.0') }, { model: 'v3' }],
    ['no library and no main', { 'package.json': {} }, { model: 'v3' }],
    ['function.json files', { 'package.json': library('4'), 'hello/function.json': {} }, { model: 'v3' }],
    ['function.json files alone', { 'hello/function.json': {} }, { model: 'v3', language: 'javascript' }],
    ['a package.json that is no object', { 'package.json': '[]' }, { model: 'v3' }],
    ['a package.json with a comment', { 'package.json': '{ // mine\n "main": "a.js" }' }, { main: 'a.js' }],
    ['names that objects carry by nature', { 'package.json': '{"__proto__": {"main": "a.js"}}' }, { main: undefined }],
  ])('understands %s', async (_what, files, expected) => {
    expect(await read(files)).toMatchObject(expected);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['host.json', { 'package.json': {} }, 'host.json'],
    ['package.json', { 'host.json': {} }, 'package.json'],
  ])('names what is missing: %s', async (_what, files, missing) => {
    await folder.write(files);
    await expect(readExistingApp(folder.path)).rejects.toThrow(
      `'${folder.path}' is no Node.js function app: it holds no ${missing}.`,
    );
  });

  it('names the place in a package.json that is no JSON', async () => {
    await expect(read({ 'package.json': '{\n "main": }' })).rejects.toThrow(/package\.json.*line 2/);
  });
});
