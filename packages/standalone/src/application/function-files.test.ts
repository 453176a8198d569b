import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestFolder, type TestFolder } from '../testing/app-folders.ts';
import { createFunctionFiles } from './function-files.ts';

let folder: TestFolder;
beforeEach(async () => {
  folder = await openTestFolder();
});
afterEach(() => folder.remove());

describe('createFunctionFiles', () => {
  it('lists folders with a function.json in order of name, with their files', async () => {
    const app = await folder.write('app', {
      'Zebra/function.json': '{"z": 1}',
      'ant/function.json': '{"a": 1}',
      'ant/index.js': '',
      'ant/lib/helper.js': '',
      'shared/helper.js': '',
      'host.json': {},
      'node_modules/evil/function.json': '{}',
    });
    expect(await createFunctionFiles(app).list()).toEqual([
      { name: 'Zebra', directory: join(app, 'Zebra'), text: '{"z": 1}', files: ['function.json'] },
      { name: 'ant', directory: join(app, 'ant'), text: '{"a": 1}', files: ['function.json', 'index.js'] },
    ]);
  });

  it('follows links to folders, and passes over links to nothing', async () => {
    const app = await folder.write('app', {});
    const elsewhere = await folder.write('elsewhere', { 'function.json': '{}' });
    await symlink(elsewhere, join(app, 'linked'));
    await symlink(join(folder.path, 'nowhere'), join(app, 'dangling'));
    expect((await createFunctionFiles(app).list()).map(({ name }) => name)).toEqual(['linked']);
  });

  it('tells of a function.json that cannot be read by an empty text', async () => {
    const app = await folder.write('app', { 'odd/function.json/nested': '' });
    expect(await createFunctionFiles(app).list()).toMatchObject([{ name: 'odd', text: '' }]);
  });
});
