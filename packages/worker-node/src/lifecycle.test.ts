import { FunctionLoadRequest, isDigestOf, RpcFunctionMetadata } from '@switchyard/protocol';
import { type AppFolder, createAppFolder } from '@switchyard/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { createModuleLoader } from './app/module-loader.ts';
import { ProgrammingModels } from './app/programming-models.ts';
import { createCoreModule } from './core/core-module.ts';
import { installCoreModule } from './core/core-module-hook.ts';
import type { ProgrammingModel } from './core/core-types.ts';
import { Lifecycle } from './lifecycle.ts';

const folders: AppFolder[] = [];
const undo: (() => void)[] = [];
afterEach(() => {
  for (const one of undo.splice(0)) one();
  for (const folder of folders.splice(0)) folder.remove();
});

const model = (name: string): ProgrammingModel => ({
  name,
  version: '1',
  getInvocationModel: () => {
    throw new Error('not called');
  },
});

function folder(files: Record<string, string>): AppFolder {
  const made = createAppFolder(files);
  folders.push(made);
  return made;
}

/** An app that registers one function with the core module itself, and logs what its environment says. */
const registering = (name: string, more = ''): Record<string, string> => ({
  'package.json': '{ "main": "index.js" }',
  'index.js': `
    const core = require('@azure/functions-core');
    core.registerFunction({ name: '${name}', bindings: { req: { type: 'httpTrigger', direction: 'in' } } }, () => {});
    core.setProgrammingModel({ name: 'model of ${name}', version: '9', getInvocationModel() {} });
    ${more}`,
});

function open() {
  const lines: string[] = [];
  const environment = { variables: {} as Record<string, string>, directory: '/' };
  const models = new ProgrammingModels(model('default'));
  const log = { system: (level: string, message: string) => lines.push(`${level}: ${message}`), write: () => {} };
  const lifecycle: Lifecycle = new Lifecycle({
    loader: createModuleLoader({ importModule: (url) => import(url), enableCoreModuleImports: () => {} }),
    log,
    complain: () => {},
    models,
    random: { uuid: () => 'n1' },
    environment: {
      runtimeVersion: '24.0.0',
      bitness: 'x64',
      replace: (variables) => {
        environment.variables = Object.fromEntries(variables);
      },
      update: (before, variables) => {
        for (const name of before.keys()) delete environment.variables[name];
        Object.assign(environment.variables, Object.fromEntries(variables));
      },
      read: (names) => {
        const entries = [...names].map((name) => [name, environment.variables[name]] as const);
        return new Map(entries.filter((entry): entry is readonly [string, string] => entry[1] !== undefined));
      },
      changeDirectory: (path) => {
        if (path.includes('missing')) throw new Error('ENOENT');
        environment.directory = path;
      },
    },
  });
  const hostVersion = () => lifecycle.hostVersion;
  const core = createCoreModule({ workerVersion: '1', hostVersion, app: () => lifecycle.app, models, log });
  undo.push(installCoreModule(core));
  const init = (functionAppDirectory: string) =>
    lifecycle.init({
      hostVersion: '4.1',
      capabilities: new Map(),
      logCategories: new Map(),
      workerDirectory: '',
      functionAppDirectory,
    });
  const reload = (functionAppDirectory: string, variables: Record<string, string> = {}) =>
    lifecycle.reload({ environmentVariables: new Map(Object.entries(variables)), functionAppDirectory });
  const load = (functionId: string, metadata?: Partial<RpcFunctionMetadata>) =>
    lifecycle.load({
      ...FunctionLoadRequest.decode(new Uint8Array()),
      functionId,
      metadata: metadata && { ...RpcFunctionMetadata.decode(new Uint8Array()), ...metadata },
    });
  return { lifecycle, lines, environment, models, init, reload, load };
}

const failed = (part: string) => ({ result: { status: 0, exception: { message: expect.stringContaining(part) } } });

describe('Lifecycle', () => {
  it('starts an app and describes itself', async () => {
    const { lifecycle, init } = open();
    const answer = await init(folder(registering('hello')).path);
    expect(answer).toMatchObject({ workerVersion: '', result: { status: 1 } });
    expect(answer.capabilities).toEqual(expect.any(Map));
    expect(answer.workerMetadata).toMatchObject({
      runtimeName: 'node',
      runtimeVersion: '24.0.0',
      workerBitness: 'x64',
      customProperties: new Map([
        ['modelName', 'model of hello'],
        ['modelVersion', '9'],
      ]),
    });
    expect(lifecycle.hostVersion).toBe('4.1');
    expect(lifecycle.index()).toMatchObject({
      functionMetadataResults: [{ name: 'hello', scriptFile: 'index.js' }],
      useDefaultMetadataIndexing: false,
    });
  });

  it('is a placeholder without a folder, and asks for function.json without registrations', async () => {
    const { lifecycle, lines, init } = open();
    expect(await init('')).toMatchObject({ result: { status: 1 } });
    expect(lines).toEqual([]);
    expect(lifecycle.index()).toMatchObject({ functionMetadataResults: [], useDefaultMetadataIndexing: true });
  });

  it('I1: a reload leaves nothing of the app before', async () => {
    const { lifecycle, environment, models, init, reload, load } = open();
    await init(folder(registering('first', `core.registerHook('preInvocation', () => {});`)).path);
    lifecycle.index();
    const second = folder(registering('second'));
    const answer = await reload(second.path, { A: 'b' });
    expect(answer).toMatchObject({ result: { status: 1 }, capabilitiesUpdateStrategy: 1 });
    expect(environment).toEqual({ variables: { A: 'b' }, directory: second.path });
    expect(lifecycle.index().functionMetadataResults).toMatchObject([{ name: 'second' }]);
    expect(lifecycle.app.hooks.has('preInvocation')).toBe(false);
    expect(await load('first')).toMatchObject(failed('has not registered the function "first". It registered: second'));
    await reload(folder({ 'package.json': '{}' }).path);
    expect(models.current.name).toBe('default');
    expect(lifecycle.index().useDefaultMetadataIndexing).toBe(true);
  });

  it('evaluates the files of an app anew when the same app is reloaded', async () => {
    const { lifecycle, init, reload } = open();
    const app = folder(registering('hello'));
    await init(app.path);
    await reload(app.path);
    expect(lifecycle.index().functionMetadataResults).toMatchObject([{ name: 'hello' }]);
  });

  it('only replaces the environment when a reload names no folder', async () => {
    const { lifecycle, environment, init, reload } = open();
    await init(folder(registering('hello')).path);
    expect(await reload('', { A: 'b' })).toMatchObject({ result: { status: 1 } });
    expect(environment).toEqual({ variables: { A: 'b' }, directory: '/' });
    expect(lifecycle.index().functionMetadataResults).toHaveLength(1);
  });

  it('I4: lays a change of settings over the environment of an app, which stays as it is', async () => {
    const { lifecycle, environment, reload } = open();
    await reload(folder(registering('hello')).path, { A: 'a', B: 'b' });
    const { app } = lifecycle;
    environment.variables.OWN = 'of the app';
    const variables = { A: 'a2', C: 'c' };
    const answer = await reload('', variables);
    expect(environment.variables).toEqual({ ...variables, OWN: 'of the app' });
    expect([lifecycle.app === app, lifecycle.index().functionMetadataResults.length]).toEqual([true, 1]);
    const digest = answer.workerMetadata?.customProperties.get('environmentDigest') ?? '';
    expect(isDigestOf(digest, new Map(Object.entries(variables)))).toBe(true);
    expect(isDigestOf(digest, new Map([['A', 'a']]))).toBe(false);
    expect(digest).not.toContain('a2');
  });

  it('I2: answers Failure for whatever an app gets wrong', async () => {
    const { lifecycle, init, reload, load } = open();
    expect(await reload('/missing')).toMatchObject(failed('/missing: ENOENT'));
    const hook = `core.registerHook('appStart', () => { throw new Error('hook boom'); });`;
    expect(await init(folder(registering('a', hook)).path)).toMatchObject(failed('hook boom'));
    const capabilities = `core.setProgrammingModel({ name: 'x', version: '1', getInvocationModel() {},
      getCapabilities() { throw new Error('capabilities boom'); } });`;
    expect(await reload(folder(registering('a', capabilities)).path)).toMatchObject(failed('capabilities boom'));
    const broken = folder(registering('a', `throw new Error('entry boom');`));
    expect(await reload(broken.path)).toMatchObject({ result: { status: 1 } });
    expect(lifecycle.index()).toMatchObject({ ...failed('entry boom'), functionMetadataResults: [] });
    expect(await load('a')).toMatchObject({ functionId: 'a', ...failed('entry boom') });
  });

  it('I3: takes registrations until the host asks for the functions, or loads one', async () => {
    const keep = 'globalThis.registerLate = () => core.registerFunction({ name: "late", bindings: {} }, () => {});';
    const late = () => Reflect.get(globalThis, 'registerLate')() as unknown;
    const { lifecycle, init, reload, load } = open();
    await init(folder(registering('a', keep)).path);
    late();
    lifecycle.index();
    expect(late).toThrow('"late" was registered after the app had started');
    await reload(folder(registering('b', keep)).path);
    expect(await load('b')).toMatchObject({ result: { status: 1 } });
    expect(late).toThrow('"late" was registered after');
    Reflect.deleteProperty(globalThis, 'registerLate');
  });

  it('loads functions of function.json, each by itself', async () => {
    const { lifecycle, lines, init, load } = open();
    const app = folder({
      'package.json': '{}',
      'good/index.js': 'module.exports = () => {};',
      'bad/index.js': 'throw 1;',
    });
    await init(app.path);
    const metadata = (name: string) => ({
      name,
      directory: `${app.path}/${name}`,
      scriptFile: `${app.path}/${name}/index.js`,
    });
    expect(await load('id-bad', metadata('bad'))).toMatchObject(failed('Function "bad" could not be loaded'));
    expect(await load('id-good', metadata('good'))).toMatchObject({ functionId: 'id-good', result: { status: 1 } });
    expect(await load('id-none')).toMatchObject(failed('names no script file'));
    expect(await load('id-proxy', { name: 'p', isProxy: true })).toMatchObject({ result: { status: 1 } });
    expect(lifecycle.app.functions.find('id-good')?.metadata).toMatchObject({ name: 'good', functionId: 'id-good' });
    expect(lifecycle.app.functions.find('id-proxy')).toBeUndefined();
    expect(lines.filter((line) => line.startsWith('error'))).toHaveLength(2);
  });
});
