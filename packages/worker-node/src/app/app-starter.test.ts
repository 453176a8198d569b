import { join } from 'node:path';
import { type AppFolder, createAppFolder } from '@switchyard/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { App } from './app.ts';
import { registrationPlace, startApp } from './app-starter.ts';
import { createModuleLoader } from './module-loader.ts';

const folders: AppFolder[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) folder.remove();
});

async function start(files: Record<string, string>, prepare: (app: App) => void = () => {}) {
  const folder = createAppFolder(files);
  folders.push(folder);
  const lines: string[] = [];
  const complaints: string[] = [];
  const places: unknown[] = [];
  const app = new App(folder.path);
  prepare(app);
  const loader = createModuleLoader({ importModule: (url) => import(url), enableCoreModuleImports: () => {} });
  const watching = {
    forget: loader.forget,
    load: async (file: string) => {
      places.push(registrationPlace(app));
      return await loader.load(file);
    },
  };
  const log = { system: (level: string, message: string) => lines.push(`${level}: ${message}`), write: () => {} };
  const started = startApp({ loader: watching, log, complain: (text) => complaints.push(text) }, app);
  await started.catch(() => {});
  return { folder, app, lines, complaints, places, started };
}

describe('startApp', () => {
  it('loads the files that main names, in order, and knows which one is loading', async () => {
    const { folder, app, lines, places } = await start({
      'package.json': '{ "main": "src/*.js" }',
      'src/b.js': '',
      'src/a.js': '',
    });
    expect(places).toEqual([
      { directory: join(folder.path, 'src'), scriptFile: 'a.js' },
      { directory: join(folder.path, 'src'), scriptFile: 'b.js' },
    ]);
    expect([app.startError, registrationPlace(app)]).toEqual([undefined, undefined]);
    expect(lines).toEqual([
      'debug: Loading entry point file "src/a.js"',
      'debug: Loaded entry point file "src/a.js"',
      'debug: Loading entry point file "src/b.js"',
      'debug: Loaded entry point file "src/b.js"',
    ]);
  });

  it('notes what an entry file throws, for the host and for the reader of stderr, with the frames', async () => {
    const { app, lines, complaints } = await start({
      'package.json': '{ "main": "*.js" }',
      'a.js': 'throw new Error("entry boom");',
      'b.js': '',
    });
    const message = 'The entry point "a.js" could not be loaded: entry boom';
    expect(app.startError?.message).toBe(message);
    expect(lines.slice(1)).toEqual([`error: ${message}`]);
    expect(complaints).toEqual([expect.stringMatching(/entry boom\n\s+at .*a\.js:1:7/)]);
  });

  it('shows a syntax error with its file', async () => {
    const { app, complaints } = await start({ 'package.json': '{ "main": "a.js" }', 'a.js': 'const = 1;' });
    expect(app.startError?.message).toContain('a.js');
    expect(complaints[0]).toContain('a.js');
  });

  it('fails an app whose main matches nothing, unless it has function.json files', async () => {
    const { app } = await start({ 'package.json': '{ "main": "dist/*.js" }' });
    expect(app.startError?.message).toContain('No file matches "main": "dist/*.js"');
    const scripts = await start({ 'package.json': '{ "main": "index.js" }', 'Hello/function.json': '{}' });
    expect(scripts.app.startError).toBeUndefined();
    expect(scripts.lines).toEqual([expect.stringMatching(/^warning: No file matches "main": "index\.js"/)]);
  });

  it('loads nothing without a package.json or a main, and warns of the first', async () => {
    expect((await start({})).lines).toEqual([expect.stringMatching(/^warning: There is no package\.json/)]);
    expect((await start({ 'package.json': '{}' })).lines).toEqual([]);
  });

  it('notes a package.json that cannot be read', async () => {
    const { app } = await start({ 'package.json': '{ main: 1 }' });
    expect(app.startError).toMatchObject({ code: 'PACKAGE_JSON_INVALID' });
  });

  it('runs the appStart hooks, and rejects when one throws', async () => {
    const seen: unknown[] = [];
    const { folder } = await start({ 'package.json': '{}' }, (app) => {
      app.hooks.register('appStart', (context: { functionAppDirectory: string }) =>
        seen.push(context.functionAppDirectory),
      );
    });
    expect(seen).toEqual([folder.path]);
    const { started } = await start({ 'package.json': '{}' }, (app) => {
      app.hooks.register('appStart', () => {
        throw new Error('hook boom');
      });
    });
    await expect(started).rejects.toThrow('hook boom');
  });
});
