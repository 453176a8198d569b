import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestFolder, type TestFolder } from '../testing/test-folder.ts';
import { findStack, parseStack } from './find-stack.ts';

let folder: TestFolder;
beforeEach(async () => {
  folder = await openTestFolder();
  await folder.write({ 'host.json': {} });
});
afterEach(() => folder.remove());

describe('parseStack', () => {
  it.each([
    ['node', { runtime: 'node' }],
    ['python:3.12', { runtime: 'python', version: '3.12' }],
    ['dotnet-isolated:8.0', { runtime: 'dotnet-isolated', version: '8.0' }],
  ])('reads %s', (text, stack) => {
    expect(parseStack(text)).toEqual(stack);
  });

  it.each(['', 'Node', 'node:', 'node 22', ':22', `${'n'.repeat(41)}`, 'node:22 x'])('refuses %j', (text) => {
    expect(() => parseStack(text)).toThrow('is no stack. Write a runtime');
  });
});

describe('findStack', () => {
  const find = (settings: Record<string, string> = {}) => findStack(folder.path, new Map(Object.entries(settings)));

  it('believes settings first: those that are deployed, then those of the folder', async () => {
    await folder.write({
      'package.json': {},
      'local.settings.json': { Values: { FUNCTIONS_WORKER_RUNTIME: 'Python' } },
    });
    expect(await find()).toEqual({ runtime: 'python' });
    expect(await find({ FUNCTIONS_WORKER_RUNTIME: ' java ' })).toEqual({ runtime: 'java' });
  });

  it.each([
    ['package.json', 'node'],
    ['function_app.py', 'python'],
    ['requirements.txt', 'python'],
    ['pom.xml', 'java'],
    ['profile.ps1', 'powershell'],
  ])('takes %s for %s', async (file, runtime) => {
    await folder.write({ [file]: '' });
    expect(await find()).toEqual({ runtime });
  });

  it.each([
    ['hi/index.js', {}, 'node'],
    ['hi/index.mjs', {}, 'node'],
    ['hi/__init__.py', {}, 'python'],
    ['hi/run.ps1', {}, 'powershell'],
    ['other/app.js', { scriptFile: '../dist/main.cjs' }, 'node'],
  ])('takes the script %s of a function with %j for %s', async (script, definition, runtime) => {
    await folder.write({ 'docs/readme.py': '', 'hi/function.json': definition, [script]: '' });
    expect(await find()).toEqual({ runtime });
  });

  it('passes over a function.json that tells nothing', async () => {
    await folder.write({ 'a/function.json': '{', 'b/function.json': {}, 'b/index.js': '' });
    expect(await find()).toEqual({ runtime: 'node' });
  });

  it('knows custom handlers, and passes over settings that it cannot read', async () => {
    await folder.write({ 'host.json': { customHandler: {} }, 'package.json': {}, 'local.settings.json': '{' });
    expect(await find()).toEqual({ runtime: 'custom' });
  });

  it('says when nothing tells', async () => {
    await expect(find()).rejects.toThrow('Name it with --stack, for example --stack node.');
  });
});
