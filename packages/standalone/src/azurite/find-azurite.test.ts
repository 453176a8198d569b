import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openTestFolder, type TestFolder } from '../testing/app-folders.ts';
import { findAzurite } from './find-azurite.ts';

let folder: TestFolder;
beforeEach(async () => {
  folder = await openTestFolder();
});
afterEach(() => folder.remove());

it('finds the emulator as a module in one of the folders would, the first folder first', async () => {
  const packageFiles = { 'package.json': { name: 'azurite' }, 'dist/src/azurite.js': '' };
  const one = await folder.write('one/node_modules/azurite', packageFiles);
  await folder.write('two/node_modules/azurite', packageFiles);
  const folders = ['empty', 'one/deep/down', 'two'].map((name) => join(folder.path, name));
  expect(findAzurite(folders)).toBe(join(one, 'dist', 'src', 'azurite.js'));
});

it('does not take a package without its program', async () => {
  await folder.write('one/node_modules/azurite', { 'package.json': { name: 'azurite' } });
  expect(findAzurite([join(folder.path, 'one')])).toBeUndefined();
});
