import { createRequire } from 'node:module';
import { type AppFolder, createAppFolder } from '@switchyard/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import type { CoreModule } from './core-module.ts';
import { coreModuleId, installCoreModule } from './core-module-hook.ts';

const core = { version: '1.2.3', hostVersion: '4', log: () => {} } as unknown as CoreModule;
const folders: AppFolder[] = [];
const undo: (() => void)[] = [];
afterEach(() => {
  for (const one of undo.splice(0)) one();
  for (const folder of folders.splice(0)) folder.remove();
});

function requireFrom(text: string): unknown {
  const folder = createAppFolder({ 'node_modules/p/index.js': 'module.exports = "p";', 'index.js': text });
  folders.push(folder);
  return createRequire(`${folder.path}/`)('./index.js');
}

describe('installCoreModule', () => {
  it('answers every file that requires it, and changes no other id', () => {
    undo.push(installCoreModule(core));
    expect(requireFrom(`module.exports = require('${coreModuleId}');`)).toBe(core);
    expect(requireFrom(`module.exports = require('p');`)).toBe('p');
    expect(requireFrom(`module.exports = require('node:path').sep;`)).toBe('/');
    expect(() => requireFrom(`require('${coreModuleId}/sub');`)).toThrow('Cannot find module');
  });

  it('can be taken out again', () => {
    installCoreModule(core)();
    expect(() => requireFrom(`require('${coreModuleId}');`)).toThrow('Cannot find module');
    expect(Reflect.get(globalThis, Symbol.for('switchyard.functions-core'))).toBeUndefined();
  });
});
