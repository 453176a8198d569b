import { RpcFunctionMetadata } from '@switchyard/protocol';
import { describe, expect, it } from 'vitest';
import { toCoreFunctionMetadata } from '../data/function-metadata.ts';
import { loadScriptFunction } from './script-function.ts';

const load = (exported: unknown, members: Partial<RpcFunctionMetadata> = {}, files: string[] = []) => {
  const metadata = { name: 'f', directory: '/app/f', scriptFile: 'index.js', ...members };
  const core = toCoreFunctionMetadata('id', { ...RpcFunctionMetadata.decode(new Uint8Array()), ...metadata });
  const loader = {
    load: async (file: string) => {
      files.push(file);
      return exported;
    },
    forget: () => {},
  };
  return loadScriptFunction(loader, core);
};

const named = (name: string) => () => name;

describe('loadScriptFunction', () => {
  it.each<[string, unknown, string, unknown]>([
    ['the module itself', named('module'), '', 'module'],
    ['the module itself, whatever entryPoint says', named('module'), 'other', 'module'],
    ['the named export', { a: named('a'), b: named('b') }, 'b', 'b'],
    ['the only export', { anything: named('only') }, '', 'only'],
    ['the default export of TypeScript', { default: named('default') }, '', 'default'],
    ['run before index', { index: named('index'), run: named('run') }, '', 'run'],
    ['index', { index: named('index'), other: 1 }, '', 'index'],
  ])('calls %s', async (_name, exported, entryPoint, expected) => {
    const { callback } = await load(exported, { entryPoint });
    expect(callback()).toBe(expected);
  });

  it('calls it with the exports as this', async () => {
    const exported = {
      own: 'mine',
      run(this: { own: string }) {
        return this.own;
      },
    };
    expect((await load(exported)).callback()).toBe('mine');
  });

  it('takes a relative script file from the folder of the function', async () => {
    const files: string[] = [];
    await load(named('a'), { scriptFile: '../shared.js' }, files);
    await load(named('a'), { scriptFile: '/elsewhere/b.js' }, files);
    expect(files).toEqual(['/app/shared.js', '/elsewhere/b.js']);
  });

  it.each<[unknown, Partial<RpcFunctionMetadata>, string]>([
    [{}, {}, 'has no single function to call; it exports nothing'],
    [undefined, {}, 'it exports nothing'],
    [{ a: 1, b: 2 }, {}, 'it exports a, b'],
    [{ a: 1 }, {}, 'has no function "a" to call'],
    [{ a: named('a') }, { entryPoint: 'b' }, 'has no function "b" to call; it exports a'],
    [named('a'), { scriptFile: '' }, 'names no script file'],
  ])('refuses %o with %o', async (exported, members, message) => {
    await expect(load(exported, members)).rejects.toThrow(message);
  });

  it('says which function could not be loaded, and why, with the frames of the cause', async () => {
    const core = toCoreFunctionMetadata('id', {
      ...RpcFunctionMetadata.decode(new Uint8Array()),
      name: 'bad',
      scriptFile: '/app/bad.js',
    });
    const cause = new Error('boom');
    const loader = { load: () => Promise.reject(cause), forget: () => {} };
    const failed = loadScriptFunction(loader, core);
    await expect(failed).rejects.toThrow('Function "bad" could not be loaded from /app/bad.js: boom');
    await expect(failed).rejects.toMatchObject({ stack: expect.stringContaining('script-function.test') });
  });
});
