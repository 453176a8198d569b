import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findTemplate } from '../commands/create-function.ts';
import { openTestFolder, type TestFolder } from '../testing/test-folder.ts';
import { addFunction } from './add-function.ts';

let folder: TestFolder;
beforeEach(async () => {
  folder = await openTestFolder();
  await folder.write({ 'host.json': { version: '2.0' } });
});
afterEach(() => folder.remove());

const v4 = { main: 'src/functions/*.js', dependencies: { '@azure/functions': '^4.5.0' } };
const add = (trigger: string, name?: string) =>
  addFunction({ directory: folder.path, template: findTemplate(trigger), name, authLevel: 'anonymous' });

describe('addFunction', () => {
  it('writes JavaScript', async () => {
    await folder.write({ 'package.json': v4 });
    expect(await add('http', 'greet')).toMatchObject({ name: 'greet', written: ['src/functions/greet.js'], notes: [] });
    const text = await folder.read('src/functions/greet.js');
    expect(text).toMatch(/^const \{ app \} = require\('@azure\/functions'\);\n\napp\.http\('greet', /);
  });

  it('writes JavaScript modules', async () => {
    await folder.write({ 'package.json': { ...v4, type: 'module' } });
    await add('timer');
    expect(await folder.read('src/functions/tick.js')).toMatch(/^import \{ app \} from '@azure\/functions';\n/);
  });

  it('writes TypeScript', async () => {
    await folder.write({ 'package.json': { ...v4, main: 'dist/src/functions/*.js' }, 'tsconfig.json': {} });
    expect((await add('http')).written).toEqual(['src/functions/hello.ts']);
    expect(await folder.read('src/functions/hello.ts')).toMatch(/^import \{ app \} from '@azure\/functions';\n/);
  });

  it('writes function.json and a script in the v3 model', async () => {
    await folder.write({ 'package.json': {} });
    expect((await add('queue', 'work')).written).toEqual(['work/function.json', 'work/index.js']);
    expect(JSON.parse(await folder.read('work/function.json')).bindings).toMatchObject([{ type: 'queueTrigger' }]);
    await folder.write({ 'package.json': { type: 'module' } });
    expect((await add('http')).written).toEqual(['hello/function.json', 'hello/index.cjs']);
  });

  it('has no templates for the v3 model in TypeScript, and says so', async () => {
    await folder.write({ 'package.json': {}, 'tsconfig.json': {} });
    await expect(add('http')).rejects.toThrow('Write hello/function.json by hand');
  });

  it('says which connection the user has to fill in', async () => {
    await folder.write({ 'package.json': v4, 'local.settings.json': { Values: { AzureWebJobsStorage: 'x' } } });
    expect((await add('servicebus')).notes).toEqual([expect.stringContaining('Set ServiceBus in local.settings.json')]);
    expect((await add('eventhub')).notes).toEqual([expect.stringContaining('Set EventHubs in local.settings.json')]);
  });

  it('overwrites nothing', async () => {
    await folder.write({ 'package.json': v4, 'src/functions/hello.js': 'mine' });
    await expect(add('http')).rejects.toThrow('choose another name with --name');
    expect(await folder.read('src/functions/hello.js')).toBe('mine');
  });

  it.each(['1st', 'a b', "a'b", '../a', '', 'host', 'a'.repeat(128)])('refuses the name %j', async (name) => {
    await folder.write({ 'package.json': v4 });
    await expect(add('http', name)).rejects.toThrow('is no name for a function');
  });

  it('fills the empty storage setting in, and nothing else', async () => {
    const before = '{\n  // mine\n  "Values": { "AzureWebJobsStorage": "", "KEY": "" }\n}\n';
    await folder.write({ 'package.json': v4, 'local.settings.json': before });
    expect((await add('queue')).notes).toEqual([expect.stringContaining('is UseDevelopmentStorage=true now')]);
    expect(await folder.read('local.settings.json')).toBe(
      before.replace('"AzureWebJobsStorage": ""', '"AzureWebJobsStorage": "UseDevelopmentStorage=true"'),
    );
    expect((await add('blob')).notes).toEqual([]);
  });

  it('says what to set when there is no setting to fill in', async () => {
    await folder.write({ 'package.json': v4 });
    expect((await add('queue')).notes).toEqual([expect.stringContaining('Set AzureWebJobsStorage')]);
  });

  it('names another setting that the function needs, unless it is there', async () => {
    await folder.write({ 'package.json': v4 });
    const note = 'Set RabbitMQConnection in local.settings.json, for example to amqp://guest:guest@127.0.0.1:5672.';
    expect((await add('rabbitmq')).notes).toEqual([note]);
    await folder.write({ 'local.settings.json': '{ "Values": { "RabbitMQConnection": "amqp://mine" } }' });
    expect((await add('rabbitmq', 'other')).notes).toEqual([]);
  });

  it.each([
    ['src/{index.js,functions/*.js}', 0],
    ['src/**/*.js', 0],
    ['functions/*.js', 0],
    ['src/index.js', 1],
    ['src/myfunctions/*.js', 1],
  ])('knows that main %j may leave the function out: %i', async (main, notes) => {
    await folder.write({ 'package.json': { ...v4, main } });
    expect((await add('http')).notes).toHaveLength(notes);
  });
});
