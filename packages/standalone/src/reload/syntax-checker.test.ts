import { systemClock } from '@switchyard/kernel';
import { createNodeProcesses } from '@switchyard/sidecar';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Files, openTestFolder, type TestFolder } from '../testing/app-folders.ts';
import { createVersion } from '../testing/versions.ts';
import { nodeFolders } from './node-folders.ts';
import { createSyntaxChecker } from './syntax-checker.ts';
import { createWatchRules } from './watch-rules.ts';

let folder: TestFolder;
beforeEach(async () => {
  folder = await openTestFolder();
});
afterEach(() => folder.remove());

const deps = { clock: systemClock, folders: nodeFolders, processes: createNodeProcesses() };
const rules = createWatchRules({
  main: 'src/*.js',
  outDir: undefined,
  extensions: ['.js', '.mjs', '.cjs'],
  fileNames: [],
  folders: [],
  ownFolders: [],
});

async function check(files: Files, reason: string, paths: readonly string[] = [], runtime = 'node') {
  const directory = await folder.write('app', files);
  return createSyntaxChecker(deps, () => rules)(createVersion({ directory, runtime }), reason, paths);
}

const reason = "The entry point could not be loaded: Unexpected token ';'";

describe('the syntax checker', () => {
  it.each([
    ['an ES module', { 'package.json': { type: 'module' }, 'src/a.js': "import 'x';\n\nconst a = ;\n" }],
    ['a script', { 'package.json': {}, 'src/a.js': "require('x');\n\nconst a = ;\n" }],
  ])('finds the place in %s', async (_what, files) => {
    expect(await check(files, reason, ['src/a.js', 'host.json'])).toEqual({
      place: 'src/a.js:3',
      text: "SyntaxError: Unexpected token ';'\nconst a = ;\n          ^",
    });
  });

  it('looks through all scripts when nothing is known of a change', async () => {
    const files = {
      'package.json': {},
      'src/a.js': 'fine();',
      'lib/deep/b.js': 'const b = ;',
      'node_modules/c.js': '=',
    };
    expect(await check(files, reason)).toMatchObject({ place: 'lib/deep/b.js:1' });
  });

  it.each<[string, Files, string, string?]>([
    ['the scripts can be parsed', { 'src/a.js': 'fine();' }, reason],
    ['the error is another one', { 'src/a.js': 'const a = ;' }, 'The settings are missing'],
    ['the file is gone', {}, reason],
    ['the app is not for Node', { 'src/a.js': 'const a = ;' }, reason, 'python'],
  ])('finds nothing when %s', async (_what, files, why, runtime) => {
    expect(await check(files, why, ['src/a.js'], runtime)).toBeUndefined();
  });
});
