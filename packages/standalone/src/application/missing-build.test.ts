import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Files, openTestFolder, type TestFolder } from '../testing/app-folders.ts';
import { missingBuildNote } from './missing-build.ts';

let folder: TestFolder;
beforeEach(async () => {
  folder = await openTestFolder();
});
afterEach(() => folder.remove());

const unbuilt: Files = {
  'package.json': { main: 'dist/src/{index.js,functions/*.js}', scripts: { build: 'tsc' } },
  'tsconfig.json': {},
  'src/functions/hello.ts': '',
};

describe('missingBuildNote', () => {
  it('names the folder, the pattern and the command', async () => {
    const app = await folder.write('app', unbuilt);
    expect(await missingBuildNote(app, 'node')).toBe(
      `The TypeScript in '${app}' is not built: no file matches "main": "dist/src/{index.js,functions/*.js}" of its package.json. Run 'npm run build' there.`,
    );
  });

  it('knows that there may be no build script', async () => {
    const app = await folder.write('app', { ...unbuilt, 'package.json': { main: 'dist/index.js' } });
    expect(await missingBuildNote(app, 'node')).toContain("Run 'npx tsc' there.");
  });

  it.each<[string, Files]>([
    ['built', { ...unbuilt, 'dist/src/functions/hello.js': '' }],
    ['built to the file without its extension', { ...unbuilt, 'package.json': { main: 'lib' }, 'lib/index.js': '' }],
    ['not in TypeScript', { 'package.json': { main: 'dist/*.js' } }],
    ['without main', { ...unbuilt, 'package.json': {} }],
    ['without package.json', { 'tsconfig.json': {} }],
    ['with a package.json that is no JSON', { ...unbuilt, 'package.json': '{' }],
    ['with a package.json that is no object', { ...unbuilt, 'package.json': '[]' }],
  ])('says nothing of an app that is %s', async (_what, files) => {
    const app = await folder.write('app', files);
    expect(await missingBuildNote(app, 'node')).toBeUndefined();
  });

  it('says nothing of other languages, and of folders that are not there', async () => {
    expect(await missingBuildNote(await folder.write('app', unbuilt), 'python')).toBeUndefined();
    expect(await missingBuildNote(join(folder.path, 'nowhere'), 'node')).toBeUndefined();
  });
});
