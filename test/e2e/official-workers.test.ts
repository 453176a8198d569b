/**
 * The official language workers, unmodified, where a machine has them. They come in no package registry, so a variable
 * names the folder that holds a worker's `worker.config.json`:
 *
 *     SWITCHYARD_OFFICIAL_NODE_WORKER=/opt/workers/node SWITCHYARD_OFFICIAL_PYTHON_WORKER=/opt/workers/python npm test
 *
 * `languageWorkers__...` variables, such as the path of another Python, reach the apps.
 */
import { fileURLToPath } from 'node:url';
import { isProcessAlive, requireOptionalPart } from '@switchyard/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { type DevProcess, exampleApp, startDevProcess } from './dev-process.ts';

let dev: DevProcess;
afterEach(() => dev.close());

/** The folder of a worker that the machine has, and whether to skip what needs it. */
function officialWorker(language: string): { readonly folder: string; readonly skip: boolean } {
  const variable = `SWITCHYARD_OFFICIAL_${language.toUpperCase()}_WORKER`;
  const folder = process.env[variable] ?? '';
  const howTo = `Name the folder with its worker.config.json in ${variable}.`;
  const name = `the official ${language} worker`;
  return { folder, skip: requireOptionalPart(name, folder !== '', howTo).skip };
}

async function start(app: string, language: string, folder: string): Promise<void> {
  const own = Object.entries(process.env).filter(([name]) => /^(languageWorkers__|PYTHON)/.test(name));
  const environment = { ...(Object.fromEntries(own) as Record<string, string>) };
  environment[`languageWorkers__${language}__workerDirectory`] = folder;
  dev = await startDevProcess({ apps: [app], flags: ['--no-azurite'], environment });
}

const node = officialWorker('node');
describe.skipIf(node.skip)('the official Node.js worker', () => {
  it('runs the JavaScript example', async () => {
    await start(exampleApp('hello-javascript'), 'node', node.folder);
    expect(await dev.request('/api/hello/Ada')).toMatchObject({ status: 200, text: 'Hello, Ada!' });
    const sum = await dev.request('/api/sum/10', { body: '{"add": [1, 2.5]}' });
    expect(JSON.parse(sum.text)).toEqual({ sum: 13.5 });
    const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => (index * 7) % 256);
    const reversed = await dev.request('/api/reverse', { body: bytes });
    expect(reversed.body.equals(Buffer.from(bytes).reverse())).toBe(true);
    expect(await dev.stop()).toEqual({ code: 0, signal: null });
  });

  it('runs functions that function.json describes', async () => {
    await start(exampleApp('hello-v3'), 'node', node.folder);
    expect(await dev.request('/api/hello/Ada')).toMatchObject({ status: 200, text: 'Hello, Ada!' });
    const answer = await dev.request('/api/shout', {
      headers: { 'content-type': 'application/json' },
      body: '{"text": "hi"}',
    });
    expect(JSON.parse(answer.text)).toEqual({ text: 'HI' });
  });
});

const python = officialWorker('python');
describe.skipIf(python.skip)('the official Python worker', () => {
  it('runs an app, fails what fails, and ends with its host', async () => {
    const app = fileURLToPath(new URL('./foreign/apps/python-v2', import.meta.url));
    await start(app, 'python', python.folder);
    const answer = await dev.request('/api/hello/Ada', { body: 'some text' });
    expect(answer).toMatchObject({ status: 200, headers: { 'x-app': 'python' } });
    const { pid, ...rest } = JSON.parse(answer.text);
    expect(rest).toEqual({ greeting: 'Hello, Ada!', body: 'some text' });
    expect((await dev.request('/api/boom')).status).toBe(500);
    await dev.line(/the python function failed/);
    expect(await dev.stop()).toEqual({ code: 0, signal: null });
    expect(isProcessAlive(pid)).toBe(false);
  });
});
