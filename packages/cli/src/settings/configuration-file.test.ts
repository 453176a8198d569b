import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestFolder, type TestFolder } from '../testing/test-folder.ts';
import { readConfigurationFile } from './configuration-file.ts';

let folder: TestFolder;
beforeEach(async () => {
  folder = await openTestFolder();
});
afterEach(() => folder.remove());

async function read(text: string): Promise<ReadonlyMap<unknown, unknown>> {
  await folder.write({ 'switchyard.yaml': text });
  return readConfigurationFile(folder.path);
}

describe('readConfigurationFile', () => {
  it('is empty when there is no file, or nothing in it', async () => {
    expect(await readConfigurationFile(folder.path)).toEqual(new Map());
    expect(await readConfigurationFile(join(folder.path, 'nowhere'))).toEqual(new Map());
    expect(await read('')).toEqual(new Map());
    expect(await read('# nothing yet\n')).toEqual(new Map());
  });

  it('reads names and values', async () => {
    const values = await read('# mine\nport: 8080\nverbose: true\nhost: 127.0.0.1\napps: [orders, payments]\n');
    expect([...values]).toEqual([
      ['port', 8080],
      ['verbose', true],
      ['host', '127.0.0.1'],
      ['apps', ['orders', 'payments']],
    ]);
  });

  it('takes no settings from a manifest, which may have the same name', async () => {
    expect(await read('apiVersion: switchyard.dev/v1\ntenant: default\nservices: []\n')).toEqual(new Map());
  });

  it('keeps names that objects carry by nature as names', async () => {
    expect([...(await read('__proto__: 1\n')).keys()]).toEqual(['__proto__']);
  });

  it.each([
    ['port: [1', 'line 1'],
    ['port: 1\nport: 2\n', 'line 2'],
    ['- port\n', 'it must hold names and values'],
    ['just text', 'it must hold names and values'],
    ['a: &a [1]\nb: *c\n', 'Unresolved alias'],
  ])('names the file and the place of what is wrong in %j', async (text, place) => {
    const failure = await read(text).catch((error: Error) => error.message);
    expect(failure).toContain(`${join(folder.path, 'switchyard.yaml')}: `);
    expect(failure).toContain(place);
    expect(failure).not.toContain('\n');
  });

  it('refuses references that multiply', async () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x,x]'];
    for (const [to, from] of ['ba', 'cb', 'dc', 'ed', 'fe'])
      bomb.push(`${to}: &${to} [${Array(10).fill(`*${from}`).join()}]`);
    await expect(read(bomb.join('\n'))).rejects.toThrow('switchyard.yaml: ');
  });

  it('names a file that cannot be read', async () => {
    await mkdir(join(folder.path, 'switchyard.yaml'));
    await expect(readConfigurationFile(folder.path)).rejects.toThrow('it cannot be read');
  });
});
