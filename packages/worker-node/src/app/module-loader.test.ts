import { join } from 'node:path';
import { type AppFolder, createAppFolder } from '@switchyard/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { createModuleLoader } from './module-loader.ts';

const folders: AppFolder[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) folder.remove();
});

function open(files: Record<string, string>) {
  const folder = createAppFolder(files);
  folders.push(folder);
  const imported: string[] = [];
  let enabled = 0;
  const loader = createModuleLoader({
    importModule: (url) => {
      imported.push(url);
      return import(url);
    },
    enableCoreModuleImports: () => {
      enabled += 1;
    },
  });
  const load = (file: string) => loader.load(join(folder.path, file)) as Promise<Record<string, unknown>>;
  return { folder, loader, load, imported, enabledTimes: () => enabled };
}

describe('createModuleLoader', () => {
  it('requires CommonJS and imports ES modules, by extension and by the nearest package.json', async () => {
    const { load, imported } = open({
      'a.js': 'exports.kind = "cjs";',
      'b.cjs': 'exports.kind = "cjs";',
      'c.mjs': 'export const kind = "esm";',
      'esm/package.json': '{ "type": "module" }',
      'esm/d.js': 'export const kind = "esm";',
    });
    const kinds = [];
    for (const file of ['a.js', 'b.cjs', 'c.mjs', 'esm/d.js']) kinds.push((await load(file)).kind);
    expect(kinds).toEqual(['cjs', 'cjs', 'esm', 'esm']);
    expect(imported.map((url) => url.slice(url.lastIndexOf('/') + 1))).toEqual(['c.mjs', 'd.js']);
  });

  it('imports what turns out to be a module that require cannot load', async () => {
    const { load } = open({ 'a.js': 'export const value = await Promise.resolve(7);' });
    expect((await load('a.js')).value).toBe(7);
  });

  it('I1: evaluates CommonJS files anew after forget, and others not', async () => {
    const { folder, loader, load } = open({
      'app/a.js': 'exports.b = require("../b.js");',
      'b.js': 'module.exports = {};',
    });
    const first = await load('app/a.js');
    expect(await load('app/a.js')).toBe(first);
    loader.forget(join(folder.path, 'app'));
    const second = await load('app/a.js');
    expect(second).not.toBe(first);
    expect(second.b).toBe(first.b);
  });

  it('I2: refuses an ES module from before the last forget, naming it', async () => {
    const { folder, loader, load } = open({ 'a.mjs': 'export const value = 1;', 'b.mjs': 'export const value = 2;' });
    await load('a.mjs');
    expect((await load('a.mjs')).value).toBe(1);
    loader.forget(folder.path);
    await expect(load('a.mjs')).rejects.toThrow('a.mjs before');
    expect((await load('b.mjs')).value).toBe(2);
  });

  it('makes the core module importable when a module asks for it, once', async () => {
    const { load, imported, enabledTimes } = open({
      'a.mjs': 'import "@azure/functions-core";',
      'b.mjs': 'import "@azure/functions-core";',
    });
    // The hooks of this test do nothing, so the second try fails as the first one did.
    await expect(load('a.mjs')).rejects.toThrow('@azure/functions-core');
    await expect(load('b.mjs')).rejects.toThrow('@azure/functions-core');
    expect(enabledTimes()).toBe(1);
    expect(imported.map((url) => url.slice(url.lastIndexOf('/') + 1))).toEqual([
      'a.mjs',
      'a.mjs?with-functions-core',
      'b.mjs',
    ]);
  });

  it('passes on what a file throws, and that it is missing', async () => {
    const { load } = open({ 'a.js': 'throw new RangeError("boom");', 'c.mjs': 'import "./missing.mjs";' });
    await expect(load('a.js')).rejects.toThrow(RangeError);
    await expect(load('b.js')).rejects.toThrow('Cannot find module');
    await expect(load('c.mjs')).rejects.toThrow('missing.mjs');
  });
});
