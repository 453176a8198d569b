import { delimiter } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defineCommand } from '../command.ts';
import { type GivenArguments, parseArguments } from '../parse-arguments.ts';
import { openTestFolder, type TestFolder } from '../testing/test-folder.ts';
import { resolveInput, variableOf } from './resolve-settings.ts';

const command = defineCommand({
  name: 'dev',
  summary: '',
  positional: { name: 'path', summary: '', maximum: 9, setting: 'apps' },
  flags: {
    port: { kind: 'integer', placeholder: 'N', minimum: 0, maximum: 65_535, summary: '' },
    'data-dir': { kind: 'text', placeholder: 'FOLDER', summary: '' },
    verbose: { kind: 'switch', summary: '' },
    secret: { kind: 'switch', hidden: true, summary: '' },
  },
  configurable: true,
  examples: [],
  run: () => Promise.resolve(0),
});

/** Another command that reads the same file. */
const other = defineCommand({
  name: 'up',
  summary: '',
  flags: { 'trusted-tenants': { kind: 'switch', summary: '' } },
  configurable: true,
  examples: [],
  run: () => Promise.resolve(0),
});

let folder: TestFolder;
beforeEach(async () => {
  folder = await openTestFolder();
});
afterEach(() => folder.remove());

async function resolve(line: string, environment: Record<string, string> = {}, subject = command) {
  const parsed = parseArguments(subject, line === '' ? [] : line.split(' ')) as GivenArguments;
  return resolveInput(subject, parsed, { environment, workingDirectory: folder.path }, [subject, other]);
}

describe('resolveInput', () => {
  it('says nothing about what nobody says anything about', async () => {
    const { flags, positionals, origins } = await resolve('');
    expect(flags).toEqual({ port: undefined, 'data-dir': undefined, verbose: false, secret: false });
    expect(positionals).toEqual([]);
    expect(origins.size).toBe(0);
  });

  it('lets the environment win over the file, and flags over both', async () => {
    await folder.write({ 'switchyard.yaml': 'port: 1\ndata-dir: from-file\nverbose: true\n' });
    const { flags, origins } = await resolve('--port 3', { SWITCHYARD_PORT: '2', SWITCHYARD_DATA_DIR: 'from-env' });
    expect(flags).toMatchObject({ port: 3, 'data-dir': 'from-env', verbose: true });
    expect([...origins]).toEqual([
      ['port', '--port'],
      ['data-dir', 'SWITCHYARD_DATA_DIR'],
      ['verbose', 'switchyard.yaml'],
    ]);
  });

  it('lets a flag take a configured switch back', async () => {
    await folder.write({ 'switchyard.yaml': 'verbose: true\n' });
    expect((await resolve('--verbose=false')).flags.verbose).toBe(false);
    expect((await resolve('', { SWITCHYARD_VERBOSE: 'off' })).flags.verbose).toBe(false);
  });

  it('takes the apps from all three places', async () => {
    await folder.write({ 'switchyard.yaml': 'apps:\n  - orders\n  - payments\n' });
    expect(await resolve('')).toMatchObject({ positionals: ['orders', 'payments'] });
    const environment = { SWITCHYARD_APPS: `one${delimiter}two` };
    expect(await resolve('', environment)).toMatchObject({ positionals: ['one', 'two'] });
    const given = await resolve('three', environment);
    expect(given.positionals).toEqual(['three']);
    expect(given.origins.get('apps')).toBe('the command line');
    await folder.write({ 'switchyard.yaml': 'apps: orders\n' });
    expect(await resolve('')).toMatchObject({ positionals: ['orders'] });
  });

  it('passes over what only another command takes from the same file', async () => {
    await folder.write({ 'switchyard.yaml': 'apps: [orders]\ntrusted-tenants: true\nport: 1\n' });
    const { flags, origins } = await resolve('');
    expect(flags).toMatchObject({ port: 1 });
    expect([...origins.keys()]).toEqual(['apps', 'port']);
    const parsed = parseArguments(other, []) as GivenArguments;
    const source = { environment: {}, workingDirectory: folder.path };
    const taken = await resolveInput(other, parsed, source, [command, other]);
    expect(taken).toMatchObject({ positionals: [], flags: { 'trusted-tenants': true } });
  });

  it('passes over empty values', async () => {
    await folder.write({ 'switchyard.yaml': 'port:\n' });
    const { flags, origins } = await resolve('', { SWITCHYARD_PORT: '', SWITCHYARD_APPS: '' });
    expect(flags.port).toBeUndefined();
    expect(origins.size).toBe(0);
  });

  it('leaves commands that are not configurable alone', async () => {
    await folder.write({ 'switchyard.yaml': 'port: [broken' });
    const { flags } = await resolve('', { SWITCHYARD_PORT: '2' }, { ...command, configurable: false });
    expect(flags.port).toBeUndefined();
  });

  it.each([
    ['port: high', "port in switchyard.yaml: it must be a whole number from 0 to 65535, not 'high'."],
    ['port: 1.5', "port in switchyard.yaml: it must be a whole number from 0 to 65535, not '1.5'."],
    ['port: [1]', 'port in switchyard.yaml: it must be a single value.'],
    ['verbose: maybe', "verbose in switchyard.yaml: it must be true or false, not 'maybe'."],
    ['apps: [[a]]', 'apps in switchyard.yaml: it must be a list of at most 100 folders.'],
    ['apps: [""]', 'apps in switchyard.yaml: it must be a list of at most 100 folders.'],
    ['prot: 1', "switchyard.yaml: there is no setting 'prot'. Did you mean 'port'?"],
    ['secret: true', "switchyard.yaml: there is no setting 'secret'."],
    ['__proto__: 1', "switchyard.yaml: there is no setting '__proto__'."],
    ['1: 2', "switchyard.yaml: there is no setting '1'."],
  ])('refuses %j', async (text, message) => {
    await folder.write({ 'switchyard.yaml': text });
    await expect(resolve('')).rejects.toThrow(message);
  });

  it.each([
    ['SWITCHYARD_PORT', '70000', "SWITCHYARD_PORT: it must be a whole number from 0 to 65535, not '70000'."],
    ['SWITCHYARD_VERBOSE', 'maybe', "SWITCHYARD_VERBOSE: it must be true or false, not 'maybe'."],
  ])('refuses %s=%s', async (name, value, message) => {
    await expect(resolve('', { [name]: value })).rejects.toThrow(message);
  });

  it('names the variable of a setting', () => {
    expect(variableOf('persist-storage')).toBe('SWITCHYARD_PERSIST_STORAGE');
  });
});
