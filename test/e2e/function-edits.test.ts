/** Functions made, changed and removed over the admin API, with real processes. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { type AppFolder, openAppFolder } from './app-folder.ts';
import { type Answer, type DevProcess, startDevProcess } from './dev-process.ts';

let app: AppFolder;
let dev: DevProcess;
afterEach(async () => {
  await dev?.close();
  await app?.close();
});

const http = (route: string) => ({
  bindings: [
    { type: 'httpTrigger', direction: 'in', name: 'req', authLevel: 'anonymous', route },
    { type: 'http', direction: 'out', name: 'res' },
  ],
});
const answering = (text: string): string =>
  `module.exports = async (context) => { context.res = { body: '${text}' }; };`;

async function start(flags: readonly string[]): Promise<void> {
  app = await openAppFolder({
    'package.json': { name: 'shop' },
    'Hello/function.json': http('hello'),
    'Hello/index.js': answering('hello'),
  });
  dev = await startDevProcess({ apps: [app.path], flags: ['--no-azurite', ...flags] });
}

function put(name: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const json = { 'content-type': 'application/json', ...headers };
  return dev.request(`/admin/functions/${name}`, { method: 'PUT', body: JSON.stringify(body), headers: json });
}

const textOf = async (path: string): Promise<string> => (await dev.request(path)).text;
const statusOf = async (path: string): Promise<number> => (await dev.request(path)).status;

it.each([['--watch'], ['--no-watch']])('are served, changed and gone, with %s', async (flag) => {
  await start(flag === '--watch' ? [] : [flag]);
  const made = await put('Bye', { config: http('bye'), files: { 'index.js': answering('bye') } });
  expect([made.status, JSON.parse(made.text)]).toMatchObject([201, { name: 'Bye', language: 'node' }]);
  // Administrators see it before the version that serves it is there.
  expect(JSON.parse(await textOf('/admin/functions/bye'))).toMatchObject({ name: 'Bye', config: http('bye') });
  await expect.poll(() => textOf('/bye'), { timeout: 10_000 }).toBe('bye');

  expect(
    (await put('Bye', { files: { 'index.js': answering('so long'), 'function.json': JSON.stringify(http('bye')) } }))
      .status,
  ).toBe(201);
  await expect.poll(() => textOf('/bye'), { timeout: 10_000 }).toBe('so long');

  expect((await dev.request('/admin/functions/Bye', { method: 'DELETE' })).status).toBe(204);
  expect(await statusOf('/admin/functions/Bye')).toBe(404);
  await expect.poll(() => statusOf('/bye'), { timeout: 10_000 }).toBe(404);
  expect((await dev.request('/admin/functions/Bye', { method: 'DELETE' })).status).toBe(404);
  expect(await textOf('/hello')).toBe('hello');

  expect((await dev.request('/admin/functions/hello', { method: 'DELETE' })).status).toBe(204);
  await expect.poll(() => statusOf('/hello'), { timeout: 10_000 }).toBe(404);
  expect((await put('Again', { config: http('again'), files: { 'index.js': answering('again') } })).status).toBe(201);
  await expect.poll(() => textOf('/again'), { timeout: 10_000 }).toBe('again');
});

it('stay as they are for callers without the master key, pages of other sites and names that lead elsewhere', async () => {
  await start(['--enable-auth']);
  const body = { config: http('hello'), files: { 'index.js': answering('taken') } };
  expect((await put('Hello', body)).status).toBe(401);
  const { apps } = JSON.parse(await readFile(join(dev.dataFolder ?? '', 'keys.json'), 'utf8'));
  const key = { 'x-functions-key': String(apps.shop.master) };
  expect((await put('..%2Fhost', body, key)).status).toBe(400);
  expect((await put('Hello', { files: { '../../x.js': 'x', 'index.js': 'x' } }, key)).status).toBe(400);
  expect(await textOf('/hello')).toBe('hello');
  expect((await put('Hello', body, key)).status).toBe(201);
  await expect.poll(() => textOf('/hello'), { timeout: 10_000 }).toBe('taken');
});
