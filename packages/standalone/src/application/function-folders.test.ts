import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestFolder, type TestFolder } from '../testing/app-folders.ts';
import { createFunctionFolders } from './function-folders.ts';

const binding = { type: 'queueTrigger', direction: 'in', name: 'item', queueName: 'orders' };
const config = (queueName: string): string => JSON.stringify({ bindings: [{ ...binding, queueName }] });
const script = 'module.exports = async () => {};';

describe('createFunctionFolders', () => {
  let folder: TestFolder;
  let directory: string;
  let changed: string[];
  const open = (runsFromPackage = false) =>
    createFunctionFolders({ directory, runtime: 'node', runsFromPackage, onChange: (name) => changed.push(name) });
  const read = (path: string): Promise<string> => readFile(join(directory, path), 'utf8');
  const refusals = (names: readonly string[]) =>
    Promise.all(
      names.map((name) =>
        open()
          .write('Orders', {
            files: new Map([
              ['index.js', script],
              [name, 'x'],
            ]),
            config: config('new'),
          })
          .then(
            () => 'written',
            (error: { readonly code: string }) => error.code,
          ),
      ),
    );

  beforeEach(async () => {
    changed = [];
    folder = await openTestFolder();
    directory = await folder.write('app', {
      'host.json': { version: '2.0' },
      'Orders/function.json': config('orders'),
      'Orders/index.js': script,
      'Orders/lib/prices.js': 'exports.price = 1;',
      'src/index.js': 'not a function',
    });
  });
  afterEach(() => folder.remove());

  it('makes a function of config and files, and tells of it', async () => {
    const metadata = await open().write('Bills', {
      files: new Map([
        ['index.js', script],
        ['lib/tax.js', 'exports.tax = 1;'],
      ]),
      config: config('bills'),
    });
    expect(metadata).toMatchObject({
      name: 'Bills',
      scriptFile: join(directory, 'Bills', 'index.js'),
      language: 'node',
    });
    expect(await read('Bills/function.json')).toBe(config('bills'));
    expect(await read('Bills/lib/tax.js')).toBe('exports.tax = 1;');
    expect(changed).toEqual(['Bills']);
  });

  it('changes function.json alone when there are no files, and all of the folder when there are', async () => {
    await open().write('orders', { files: undefined, config: config('first') });
    expect(await read('Orders/function.json')).toBe(config('first'));
    expect(await readdir(join(directory, 'Orders'))).toEqual(['function.json', 'index.js', 'lib']);
    await open().write('Orders', { files: new Map([['run.js', script]]), config: undefined });
    expect(await readdir(join(directory, 'Orders'))).toEqual(['function.json', 'run.js']);
    expect(await read('Orders/function.json')).toBe(config('first'));
  });

  it('removes a folder once', async () => {
    expect(await open().remove('ORDERS')).toBe(true);
    expect(await open().remove('Orders')).toBe(false);
    expect((await readdir(directory)).sort()).toEqual(['host.json', 'src']);
    expect(changed).toEqual(['Orders']);
  });

  it('I1: takes no path that leads out of the folder', async () => {
    const names = [
      '../host.json',
      '/etc/x',
      'lib/../../host.json',
      'a\\b',
      'c:x',
      '',
      'lib//x',
      '.',
      `${'x'.repeat(256)}`,
    ];
    expect(new Set(await refusals(names))).toEqual(new Set(['FUNCTION_FOLDER_INVALID']));
    await expect(open().write('../other', { files: undefined, config: config('x') })).rejects.toMatchObject({
      code: 'FUNCTION_NAME_INVALID',
    });
    await expect(open().remove('..')).rejects.toMatchObject({ code: 'FUNCTION_NAME_INVALID' });
    expect(await read('host.json')).toBe('{"version":"2.0"}');
    expect(changed).toEqual([]);
  });

  it('I2: leaves folders alone that are no function, and those that are links', async () => {
    await mkdir(join(folder.path, 'elsewhere'));
    await writeFile(join(folder.path, 'elsewhere', 'function.json'), config('linked'));
    await symlink(join(folder.path, 'elsewhere'), join(directory, 'linked'));
    for (const name of ['src', 'linked', 'node_modules']) {
      const refusal = { code: 'FUNCTION_FOLDER_REFUSED' };
      await expect(open().write(name, { files: new Map(), config: config('x') })).rejects.toMatchObject(refusal);
      await expect(open().remove(name)).rejects.toMatchObject(refusal);
    }
    expect(await read('src/index.js')).toBe('not a function');
    expect(await read('linked/function.json')).toBe(config('linked'));
  });

  it.each([
    [
      'function.json of no JSON',
      new Map([
        ['index.js', script],
        ['function.json', '{'],
      ]),
    ],
    [
      'no trigger',
      new Map([
        ['index.js', script],
        ['function.json', '{"bindings": []}'],
      ]),
    ],
    ['no script', new Map([['function.json', config('x')]])],
    ['too many files', new Map(Array.from({ length: 501 }, (_, at) => [`f${at}.js`, script]))],
  ])('I3: changes nothing for %s', async (_what, files) => {
    await expect(open().write('Orders', { files, config: undefined })).rejects.toMatchObject({
      code: 'FUNCTION_FOLDER_INVALID',
    });
    expect(await read('Orders/function.json')).toBe(config('orders'));
    expect((await readdir(directory)).sort()).toEqual(['Orders', 'host.json', 'src']);
    expect(changed).toEqual([]);
  });

  it('I4: makes changes one after the other, and refuses the last ones of too many', async () => {
    const folders = open();
    const edits = Array.from({ length: 101 }, (_, at) =>
      folders.write('Orders', { files: new Map([['index.js', script]]), config: config(`q${at}`) }).then(
        () => 'made',
        (error: { readonly code: string }) => error.code,
      ),
    );
    expect(await Promise.all(edits)).toEqual([...Array.from({ length: 100 }, () => 'made'), 'FUNCTION_FOLDER_REFUSED']);
    expect(await read('Orders/function.json')).toBe(config('q99'));
    expect(await folders.remove('Orders')).toBe(true);
  });

  it('changes nothing of an app that runs from a package', async () => {
    const refusal = { code: 'FUNCTION_FOLDER_REFUSED' };
    await expect(open(true).write('Bills', { files: undefined, config: config('x') })).rejects.toMatchObject(refusal);
    await expect(open(true).remove('Orders')).rejects.toMatchObject(refusal);
  });
});
