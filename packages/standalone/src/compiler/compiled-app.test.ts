import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createWatchRules } from '../reload/watch-rules.ts';
import { type Files, openTestFolder, type TestFolder } from '../testing/app-folders.ts';
import { FakeFolders } from '../testing/fake-folders.ts';
import { findTypeScript, inspectOutput, readProjectFacts } from './compiled-app.ts';

let folder: TestFolder;
beforeEach(async () => {
  folder = await openTestFolder();
});
afterEach(() => folder.remove());

const facts = async (files: Files) => readProjectFacts(await folder.write('app', files));
const main = 'dist/src/functions/*.js';

describe('readProjectFacts', () => {
  it.each<[string, Files, string | undefined]>([
    ['the outDir that main stands in', { 'tsconfig.json': { compilerOptions: { outDir: './dist/' } } }, 'dist'],
    [
      'comments and trailing commas',
      { 'tsconfig.json': '{ /* x */ "compilerOptions": { "outDir": "dist", }, }' },
      'dist',
    ],
    [
      'a customary folder, when the outDir stands in another file',
      { 'tsconfig.json': { extends: './base.json' } },
      'dist',
    ],
    ['nothing without a tsconfig.json', {}, undefined],
    ['nothing when main stands elsewhere', { 'tsconfig.json': { compilerOptions: { outDir: 'out' } } }, undefined],
    [
      'nothing when TypeScript only checks',
      { 'tsconfig.json': { compilerOptions: { outDir: 'dist', noEmit: true } } },
      undefined,
    ],
    ['nothing when the output stands beside the sources', { 'tsconfig.json': {} }, undefined],
    ['nothing of a broken file', { 'tsconfig.json': '{' }, undefined],
  ])('finds %s', async (_what, files, outDir) => {
    expect(await facts({ 'package.json': { main }, ...files })).toEqual({ main, outDir });
  });

  it('tells what builds an app that a bundler writes', async () => {
    const files = {
      'package.json': { main, scripts: { build: 'webpack' } },
      'tsconfig.json': { compilerOptions: { outDir: 'dist' } },
    };
    expect(await facts(files)).toEqual({ main, outDir: 'dist', ownBuild: 'npm run build' });
  });

  it.each<[string, Files]>([
    ['no package.json', {}],
    ['one that is no JSON', { 'package.json': 'x' }],
    ['one that is a list', { 'package.json': [] }],
    ['a main that is no text', { 'package.json': { main: 3 } }],
    ['a __proto__ with a main', { 'package.json': '{"__proto__": {"main": "dist/a.js"}}' }],
  ])('knows nothing with %s', async (_what, files) => {
    expect(await facts({ 'tsconfig.json': { compilerOptions: { outDir: 'dist' } }, ...files })).toEqual({
      main: undefined,
      outDir: undefined,
    });
  });
});

describe('inspectOutput', () => {
  const rules = createWatchRules({
    main,
    outDir: 'dist',
    extensions: ['.js'],
    fileNames: [],
    folders: [],
    ownFolders: [],
  });
  it.each([
    ['missing', ['src/a.ts']],
    ['fresh', ['src/a.ts', 'host.json', 'dist/src/a.js']],
    ['stale', ['dist/src/a.js', 'src/a.ts']],
    ['missing', ['dist/notes.txt', 'src/a.ts']],
  ])('tells %s output', async (state, files) => {
    expect(await inspectOutput(new FakeFolders('/app', files), '/app', 'dist', rules)).toBe(state);
  });
});

describe('findTypeScript', () => {
  it('finds the compiler that is installed for the app', async () => {
    const app = await folder.write('app', { 'node_modules/typescript/package.json': { name: 'typescript' } });
    expect(findTypeScript(app)).toMatch(/app[/\\]node_modules[/\\]typescript[/\\]bin[/\\]tsc$/);
  });

  it('finds none where none is installed', async () => {
    expect(findTypeScript(await folder.write('app', {}))).toBeUndefined();
  });
});
