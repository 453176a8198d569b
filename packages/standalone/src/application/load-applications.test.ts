import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Files, openTestFolder, type TestFolder } from '../testing/app-folders.ts';
import { loadApplications } from './load-applications.ts';

let folder: TestFolder;
beforeEach(async () => {
  folder = await openTestFolder();
});
afterEach(() => folder.remove());

const good: Files = {
  'host.json': { version: '2.0' },
  'local.settings.json': { Values: { FUNCTIONS_WORKER_RUNTIME: 'node', GREETING: 'Hello' } },
};

async function load(files: Files, environment: Record<string, string> = {}, name = 'My App') {
  return loadApplications([await folder.write(name, files)], environment);
}

/** The message of the one error. */
async function errorOf(files: Files, name?: string): Promise<string> {
  const { applications, errors } = await load(files, {}, name);
  expect(applications).toEqual([]);
  expect(errors).toHaveLength(1);
  return errors[0]?.message ?? '';
}

describe('loadApplications', () => {
  it('reads an app', async () => {
    const { applications, errors } = await load(good);
    expect(errors).toEqual([]);
    expect(applications).toMatchObject([
      {
        applicationId: 'my-app',
        directory: join(folder.path, 'My App'),
        runtime: 'node',
        hostJson: { version: '2.0' },
        localNames: ['FUNCTIONS_WORKER_RUNTIME', 'GREETING'],
        notes: [],
      },
    ]);
    expect(applications[0]?.settings.get('greeting')).toBe('Hello');
  });

  it('lets the environment win over local.settings.json', async () => {
    const { applications } = await load(good, { GREETING: 'Ahoy', OTHER: 'set' });
    expect(applications[0]?.values.get('GREETING')).toBe('Ahoy');
    expect(applications[0]?.settings.get('OTHER')).toBe('set');
  });

  it.each<[string, Files, string, string?]>([
    ['package.json', { 'package.json': {} }, 'package.json'],
    ['requirements.txt', { 'requirements.txt': '' }, 'requirements.txt', 'python'],
    ['function.json', { 'hello/function.json': {}, 'hello/index.js': '' }, 'hello/index.js'],
  ])('finds the language out by %s, and says so', async (_what, files, because, runtime = 'node') => {
    const { applications } = await load({ 'host.json': { version: '2.0' }, ...files });
    expect(applications[0]?.runtime).toBe(runtime);
    expect(applications[0]?.notes).toEqual([
      `FUNCTIONS_WORKER_RUNTIME is not set; '${runtime}' is assumed because of ${because}.`,
    ]);
  });

  it('needs no host.json where there are functions', async () => {
    const { applications } = await load({ 'hello/function.json': {}, 'hello/index.js': '' });
    expect(applications).toMatchObject([{ runtime: 'node', hostJson: undefined }]);
  });

  it('passes on what host.json is doubtful about', async () => {
    const { applications } = await load({ ...good, 'host.json': { version: '2.0', queues: {} } });
    expect(applications[0]?.notes).toMatchObject([expect.stringContaining('host.json: ')]);
  });

  it('tells of a folder that does not exist', async () => {
    const path = join(folder.path, 'nowhere');
    const { errors } = await loadApplications([path], {});
    expect(errors[0]?.message).toContain(`'${path}' does not exist.`);
  });

  it('tells of a path that is a file', async () => {
    const app = await folder.write('app', good);
    const { errors } = await loadApplications([join(app, 'host.json')], {});
    expect(errors[0]?.message).toContain('is a file');
  });

  it('tells of a folder that cannot be read', async () => {
    const loop = join(folder.path, 'loop');
    await symlink(loop, loop);
    const { errors } = await loadApplications([loop], {});
    expect(errors[0]?.message).toContain(`'${loop}' cannot be read: ELOOP`);
  });

  it('tells of a folder that is no app', async () => {
    expect(await errorOf({ 'readme.txt': '' })).toContain('is no function app: it holds no host.json');
  });

  it.each<[string, Files, readonly string[]]>([
    ['broken host.json', { 'host.json': '{\n  "version": \n}' }, ['host.json', 'line 3']],
    ['a host.json of version 1', { 'host.json': { queues: {} } }, ['host.json', '2.0']],
    ['a bad value', { 'host.json': { version: '2.0', functionTimeout: 'soon' } }, ['host.json', 'functionTimeout']],
    ['broken settings', { 'local.settings.json': '{\n"Values": {"A": }}' }, ['local.settings.json', 'line 2']],
    ['encrypted settings', { 'local.settings.json': { IsEncrypted: true } }, ['local.settings.json']],
    [
      'a setting that is no text',
      { 'local.settings.json': { Values: { A: {} } } },
      ['local.settings.json', 'Values.A'],
    ],
  ])('tells of %s with file and place', async (_what, files, parts) => {
    const message = await errorOf({ ...good, ...files });
    for (const part of parts) expect(message).toContain(part);
  });

  it('tells of an app whose language nothing tells', async () => {
    expect(await errorOf({ 'host.json': { version: '2.0' } })).toContain('Set FUNCTIONS_WORKER_RUNTIME');
  });

  it('runs the good app beside the bad one', async () => {
    const paths = [await folder.write('good', good), await folder.write('bad', { 'host.json': '[' })];
    const { applications, errors } = await loadApplications(paths, {});
    expect(applications.map(({ applicationId }) => applicationId)).toEqual(['good']);
    expect(errors).toHaveLength(1);
  });

  it('refuses a second app of the same id, and reads a folder that is named twice once', async () => {
    const one = await folder.write('one/app', good);
    const two = await folder.write('two/App', good);
    const { applications, errors } = await loadApplications([one, two, one], {});
    expect(applications).toHaveLength(1);
    expect(errors.map((error) => error.message)).toEqual([expect.stringContaining("would both be the app 'app'")]);
  });
});
