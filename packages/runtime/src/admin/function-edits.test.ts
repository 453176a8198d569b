import { createServer } from 'node:http';
import { parseFunctionJson } from '@switchyard/model';
import { createFakeWorker, createMemoryLog, createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import type { FunctionContent, FunctionFolders, FunctionKeys, KeyStore } from '../contract.ts';
import { createHarness, listen } from '../testing/runtime-harness.ts';
import { createApplication, sampleProfile } from '../testing/sample-application.ts';

const queueFunction = { bindings: [{ type: 'eventTrigger', direction: 'in', name: 'event' }] };
const webFunction = { bindings: [{ type: 'httpTrigger', direction: 'in', name: 'req', route: 'shop/{id}' }] };

/** Folders that remember what they are asked for. */
function createFolders() {
  const written: { readonly name: string; readonly content: FunctionContent }[] = [];
  const folders: FunctionFolders = {
    async write(name, content) {
      written.push({ name, content });
      const text = content.files?.get('function.json') ?? content.config ?? '';
      const parsed = parseFunctionJson({
        name,
        directory: `/apps/${name}`,
        text,
        files: ['function.json', 'index.js'],
      });
      if (parsed.kind === 'rejected') throw new Error(parsed.reason);
      return parsed.function;
    },
    remove: async (name) => name === 'work',
  };
  return { written, folders };
}

/** A host over real HTTP, whose app has its functions in function.json or in code. */
async function createRun(application: Parameters<typeof createApplication>[0], isInCode = false) {
  const harness = createHarness({
    clock: new VirtualClock(),
    random: createSeededRandom(1),
    log: createMemoryLog(),
  });
  // Files are read for a worker that does not list functions.
  const worker = { ...sampleProfile, workerIndexing: isInCode };
  const functionFiles = {
    list: async () => [
      { name: 'work', directory: '/apps/work', text: JSON.stringify(queueFunction), files: ['index.js'] },
    ],
  };
  const added = harness.runtime.addApplication(createApplication({ functionFiles, worker, ...application }));
  createFakeWorker(harness.dial('w1'), {
    workerId: 'w1',
    functions: [{ name: isInCode ? 'web' : 'work', ...queueFunction }],
  });
  await added;
  const server = createServer((request, response) => harness.runtime.handleRequest(request, response));
  const url = await listen(server);
  const ask = (path: string, method: string, init: { body?: unknown; headers?: Record<string, string> } = {}) =>
    fetch(`${url}${path}`, {
      method,
      ...(init.body === undefined
        ? {}
        : { body: typeof init.body === 'string' ? init.body : JSON.stringify(init.body) }),
      headers: { connection: 'close', ...init.headers },
    });
  return { ask, [Symbol.dispose]: () => void server.close() };
}

const keys: FunctionKeys = { levelOf: (key) => (key === 'master' ? 'admin' : undefined) };
const master = { headers: { 'x-functions-key': 'master' } };

describe('PUT admin/functions/{name}', () => {
  test('hands config and files over, and describes what is there then', async () => {
    const { written, folders } = createFolders();
    using run = await createRun({ functionFolders: folders });
    const reply = await run.ask('/admin/functions/shop', 'PUT', {
      body: { Config: webFunction, files: { 'index.js': 'module.exports = async () => {};' } },
    });
    expect([reply.status, reply.headers.get('location')]).toEqual([201, expect.stringMatching(/\/functions\/shop$/)]);
    expect(await reply.json()).toMatchObject({
      name: 'shop',
      config: webFunction,
      invoke_url_template: expect.stringMatching(/\/api\/shop\/\{id\}$/),
    });
    const [{ content } = { content: undefined }] = written;
    expect(JSON.parse(content?.config ?? '')).toEqual(webFunction);
    expect(content?.files).toEqual(new Map([['index.js', 'module.exports = async () => {};']]));
  });

  test.each<[why: string, body: unknown]>([
    ['no JSON', '{'],
    ['a list', []],
    ['files that are no object', { files: ['x'] }],
    ['a file that is no text', { files: { 'index.js': 1 } }],
    ['a config that is no object', { config: 'x' }],
  ])('refuses %s, and changes nothing', async (_why, body) => {
    const { written, folders } = createFolders();
    using run = await createRun({ functionFolders: folders });
    const reply = await run.ask('/admin/functions/shop', 'PUT', { body });
    expect(reply.status).toBe(400);
    expect(await reply.json()).toMatchObject({ message: expect.stringMatching(/body/i) });
    expect(written).toEqual([]);
  });

  test.each(['..%2Fother', '%2e%2e', '.git', 'a%5Cb', 'host', '1st'])('refuses the name %s', async (name) => {
    const { written, folders } = createFolders();
    using run = await createRun({ functionFolders: folders });
    for (const method of ['PUT', 'DELETE']) {
      expect((await run.ask(`/admin/functions/${name}`, method, { body: { config: webFunction } })).status).not.toBe(
        201,
      );
    }
    expect(written).toEqual([]);
  });
});

describe('DELETE admin/functions/{name}', () => {
  test('is 204 and takes the keys of the function along, and 404 for an unknown one', async () => {
    const kept = new Map([['default', 'secret']]);
    const keyStore: KeyStore = {
      list: async () => [...kept].map(([name, value]) => ({ name, value })),
      set: async (_scope, name, value = '') => ({ key: { name, value }, isNew: true }),
      ensure: async (_scope, name) => ({ name, value: '' }),
      remove: async (_scope, name) => kept.delete(name),
    };
    using run = await createRun({ functionFolders: createFolders().folders, keyStore });
    expect((await run.ask('/admin/functions/nobody', 'DELETE')).status).toBe(404);
    expect(kept.size).toBe(1);
    expect((await run.ask('/admin/functions/work', 'DELETE')).status).toBe(204);
    expect(kept.size).toBe(0);
  });
});

describe('GET admin/functions', () => {
  test('shows what the files say, whatever runs, where they may be changed', async () => {
    const folders = { functionFolders: createFolders().folders };
    const files = [
      { name: 'work', directory: '/apps/work', text: JSON.stringify(queueFunction), files: ['index.js'] },
      { name: 'Shop', directory: '/apps/Shop', text: JSON.stringify(webFunction), files: ['index.js'] },
    ];
    const functionFiles = { list: async () => files };
    using run = await createRun({ ...folders, functionFiles, settings: { 'AzureWebJobs.Shop.Disabled': 'true' } });
    const all = (await (await run.ask('/admin/functions', 'GET')).json()) as { name: string }[];
    expect(all).toMatchObject([
      { name: 'Shop', isDisabled: true, invoke_url_template: expect.stringMatching(/\/api\/shop\/\{id\}$/) },
      { name: 'work', isDisabled: false, invoke_url_template: null },
    ]);
    files.shift();
    expect((await run.ask('/admin/functions/work', 'GET')).status).toBe(404);
    expect((await run.ask('/admin/functions/shop', 'GET')).status).toBe(200);
  });

  test('shows what runs everywhere else', async () => {
    using inCode = await createRun({ functionFolders: createFolders().folders }, true);
    expect(await (await inCode.ask('/admin/functions', 'GET')).json()).toMatchObject([{ name: 'web' }]);
    using packed = await createRun({});
    expect(await (await packed.ask('/admin/functions', 'GET')).json()).toMatchObject([{ name: 'work' }]);
  });
});

describe('functions are changed', () => {
  test('by who has the master key, where there are keys', async () => {
    using run = await createRun({ functionFolders: createFolders().folders, keys });
    const body = { config: webFunction };
    expect((await run.ask('/admin/functions/shop', 'PUT', { body })).status).toBe(401);
    expect((await run.ask('/admin/functions/work', 'DELETE')).status).toBe(401);
    expect((await run.ask('/admin/functions/shop', 'PUT', { body, ...master })).status).toBe(201);
  });

  test.each([
    ['a page of another site', { origin: 'https://evil.example' }],
    ['a page without an origin of its own', { origin: 'null' }],
  ])('by no %s, where nobody is asked for keys', async (_who, headers) => {
    const { written, folders } = createFolders();
    using run = await createRun({ functionFolders: folders });
    const reply = await run.ask('/admin/functions/shop', 'PUT', { body: { config: webFunction }, headers });
    expect([reply.status, await reply.json()]).toMatchObject([
      403,
      { message: expect.stringContaining('--enable-auth') },
    ]);
    expect(written).toEqual([]);
  });

  test('never where the app runs from a stored package', async () => {
    using run = await createRun({ keys });
    for (const method of ['PUT', 'DELETE']) {
      const reply = await run.ask('/admin/functions/work', method, { body: { config: queueFunction }, ...master });
      expect([reply.status, await reply.json()]).toMatchObject([400, { message: expect.stringContaining('deploy') }]);
    }
  });

  test('never where they are registered in code', async () => {
    const { written, folders } = createFolders();
    using run = await createRun({ functionFolders: folders }, true);
    expect((await run.ask('/admin/functions/shop', 'PUT', { body: { config: webFunction } })).status).toBe(409);
    expect((await run.ask('/admin/functions/web', 'DELETE')).status).toBe(409);
    expect((await run.ask('/admin/functions/nobody', 'DELETE')).status).toBe(404);
    expect(written).toEqual([]);
  });
});
