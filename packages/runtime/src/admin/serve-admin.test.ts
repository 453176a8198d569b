import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import {
  createFakeWorker,
  createMemoryLog,
  createSeededRandom,
  invocationSuccess,
  VirtualClock,
} from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import type { FunctionKeys, KeyStore } from '../contract.ts';
import { call, type FakeRequest } from '../testing/fake-http.ts';
import { createHarness, listen } from '../testing/runtime-harness.ts';
import { createApplication } from '../testing/sample-application.ts';
import { isHostPath } from './serve-admin.ts';

async function createRun(
  application: Parameters<typeof createApplication>[0] = {},
  onInvocation: Parameters<typeof createFakeWorker>[1]['onInvocation'] = () => invocationSuccess(),
) {
  const clock = new VirtualClock();
  const harness = createHarness({ clock, random: createSeededRandom(1), log: createMemoryLog() });
  const added = harness.runtime.addApplication(createApplication(application));
  const worker = createFakeWorker(harness.dial('w1'), {
    workerId: 'w1',
    functions: [
      { name: 'web' },
      { name: 'work', bindings: [{ type: 'eventTrigger', direction: 'in', name: 'event' }] },
    ],
    onInvocation,
  });
  await added;
  const ask = (url: string, request: FakeRequest = {}) => call(harness.runtime, url, request).reply;
  return { clock, worker, ask, ...harness };
}

const keys: FunctionKeys = {
  levelOf: (key) => (key === 'master' ? 'admin' : key === 'plain' ? 'function' : undefined),
};

describe('the admin API', () => {
  test.each(['GET', 'POST'])('%s host/ping answers everybody', async (method) => {
    const { ask } = await createRun({ keys });
    expect(await ask('/admin/host/ping', { method })).toMatchObject({ status: 200, body: '' });
    expect((await ask('/ADMIN/host/PING/', { method })).status).toBe(200);
  });

  test('everything else needs the admin level where there are keys', async () => {
    const { ask, worker } = await createRun({ keys });
    const headers = (key: string) => ({ headers: { 'x-functions-key': key } });
    for (const url of ['/admin/host/status', '/admin/functions', '/admin/functions/work', '/admin/nothing']) {
      expect((await ask(url)).status).toBe(401);
      expect((await ask(url, headers('plain'))).status).toBe(401);
    }
    expect((await ask('/admin/functions/work', { method: 'POST', body: '{}' })).status).toBe(401);
    expect((await ask('/admin/host/status', headers('master'))).status).toBe(200);
    expect(worker.bodies('invocationRequest')).toEqual([]);
  });

  test('host/status tells how the app is', async () => {
    const { ask } = await createRun();
    const reply = await ask('/admin/host/status');
    expect(reply.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(JSON.parse(reply.body)).toMatchObject({
      id: 'sample-host',
      state: 'Running',
      version: '4.1052.0',
      errors: [],
      workers: [{ workerId: 'w1', state: 'ready' }],
    });
  });

  test('functions lists them, and one by its name', async () => {
    const { ask } = await createRun({ settings: { 'AzureWebJobs.work.Disabled': 'true' } });
    const all = JSON.parse((await ask('/admin/functions')).body) as { name: string; isDisabled: boolean }[];
    expect(all.map(({ name, isDisabled }) => [name, isDisabled])).toEqual([
      ['web', false],
      ['work', true],
    ]);
    expect(JSON.parse((await ask('/admin/functions/WORK')).body)).toMatchObject({
      name: 'work',
      config: { bindings: [{ type: 'eventTrigger', name: 'event' }] },
    });
    expect((await ask('/admin/functions/nobody')).status).toBe(404);
    expect((await ask('/admin/functions/__proto__')).status).toBe(404);
    expect((await ask('/admin/functions/work', { method: 'PATCH' })).status).toBe(405);
  });

  test('runs a function by hand, and does not wait for it', async () => {
    const { ask, worker } = await createRun();
    const reply = await ask('/admin/functions/work', { method: 'POST', body: '{"input":"by hand"}' });
    expect(reply).toMatchObject({ status: 202, body: '' });
    const { inputData } = await worker.first('invocationRequest');
    expect(inputData).toMatchObject([
      { name: 'event', rpcData: { value: { data: { $case: 'string', value: 'by hand' } } } },
    ]);
  });

  test.each(['', 'x', '[]', 'null', '"x"'])('the body %j starts nothing', async (body) => {
    const { ask, worker } = await createRun();
    expect((await ask('/admin/functions/work', { method: 'POST', body })).status).toBe(400);
    expect(worker.bodies('invocationRequest')).toEqual([]);
  });

  test('functions/download hands out the files of the app, to administrators alone', async () => {
    const download = async () => ({ stream: Readable.from([Buffer.from('the '), Buffer.from('app')]), sizeBytes: 7 });
    const { runtime } = await createRun({ keys, download });
    const server = createServer((request, response) => runtime.handleRequest(request, response));
    try {
      const url = `${await listen(server)}/admin/functions/download`;
      expect((await fetch(url)).status).toBe(401);
      const reply = await fetch(url, { headers: { 'x-functions-key': 'master' } });
      expect([reply.status, await reply.text()]).toEqual([200, 'the app']);
      expect(Object.fromEntries(reply.headers)).toMatchObject({
        'content-type': 'application/zip',
        'content-length': '7',
        'content-disposition': expect.stringMatching(/^attachment; filename=.+\.zip$/),
      });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  test('functions/download breaks off when the files cannot be read, and is 404 where they are not there', async () => {
    const stream = new Readable({
      read() {
        this.push('half');
        this.destroy(new Error('gone'));
      },
    });
    const { runtime, ask } = await createRun({ download: async () => ({ stream, sizeBytes: 100 }) });
    const server = createServer((request, response) => runtime.handleRequest(request, response));
    try {
      const reply = fetch(`${await listen(server)}/admin/functions/download`).then((answer) => answer.text());
      await expect(reply).rejects.toThrow();
    } finally {
      server.closeAllConnections();
      server.close();
    }
    expect((await ask('/admin/functions/download', { method: 'POST', body: '{}' })).status).toBe(404);
    expect((await (await createRun()).ask('/admin/functions/download')).status).toBe(404);
  });

  test('an HTTP function is called at its route', async () => {
    const { ask } = await createRun();
    const reply = await ask('/admin/functions/web', { method: 'POST', body: '{}' });
    expect([reply.status, reply.body]).toEqual([400, expect.stringContaining("'web' is an HTTP function")]);
  });
});

describe('the host', () => {
  const post = { method: 'POST' } as const;

  test('drains its listeners, says so, and listens again', async () => {
    const { ask, worker, clock } = await createRun();
    const state = async () => JSON.parse((await ask('/admin/host/drain/status')).body);
    expect(await state()).toEqual({ state: 'Disabled', outstandingInvocations: 0, outstandingRetries: 0 });
    expect((await ask('/admin/host/drain', post)).status).toBe(202);
    await clock.settle();
    expect((await state()).state).toBe('Completed');
    const resumed = await ask('/admin/host/resume', post);
    expect([resumed.status, JSON.parse(resumed.body), (await state()).state]).toEqual([
      200,
      { state: 'Running' },
      'Disabled',
    ]);
    expect(worker.bodies('invocationRequest')).toEqual([]);
  });

  test('counts what runs while it drains', async () => {
    const { ask, clock } = await createRun({}, () => new Promise(() => {}));
    await ask('/admin/functions/work', { ...post, body: '{"input":""}' });
    await clock.settle();
    await ask('/admin/host/drain', post);
    expect(JSON.parse((await ask('/admin/host/drain/status')).body)).toEqual({
      state: 'InProgress',
      outstandingInvocations: 1,
      outstandingRetries: 0,
    });
  });

  test('goes offline and comes back', async () => {
    const { ask } = await createRun();
    const put = (body: string) => ask('/admin/host/state', { method: 'PUT', body });
    expect((await put('"nonsense"')).status).toBe(400);
    expect([(await put('"offline"')).status, (await put('"offline"')).status]).toEqual([202, 200]);
    expect((await ask('/api/web')).status).toBe(503);
    expect(JSON.parse((await ask('/admin/host/status')).body).state).toBe('Offline');
    expect((await ask('/runtime/health/ready')).status).toBe(500);
    expect((await ask('/admin/host/ping?checkHealth=1')).status).toBe(429);
    expect((await put('"running"')).status).toBe(202);
    expect((await ask('/runtime/health/ready')).status).toBe(200);
  });

  test.each([
    ['GET', '/admin/host/config', 200],
    ['GET', '/admin/host/extensions', 200],
    ['GET', '/admin/host/processes', 200],
    ['POST', '/admin/host/synctriggers', 200],
    ['POST', '/admin/host/scale/status', 200],
    ['POST', '/admin/host/log', 202],
    ['POST', '/admin/host/restart', 202],
    ['GET', '/admin/warmup', 200],
    ['GET', '/runtime/health', 200],
    ['GET', '/runtime/health/live', 200],
    ['DELETE', '/admin/host/status', 405],
    ['GET', '/runtime/nothing', 404],
    ['POST', '/runtime/webhooks/nothing', 404],
  ])('%s %s is %i', async (method, url, status) => {
    const { ask } = await createRun();
    expect((await ask(url, { method })).status).toBe(status);
  });

  test('tells strangers the word of its health alone', async () => {
    const { ask } = await createRun({ keys });
    expect(JSON.parse((await ask('/runtime/health')).body)).toEqual({ status: 'healthy' });
    const told = await ask('/runtime/health', { headers: { 'x-functions-key': 'master' } });
    expect(JSON.parse(told.body)).toMatchObject({ status: 'healthy', details: { functions: 2 } });
  });
});

describe('keys', () => {
  const stored = new Map<string, string>();
  const keyStore: KeyStore = {
    list: async () => [...stored].map(([name, value]) => ({ name, value })),
    async set(_scope, name, value = 'made') {
      const isNew = !stored.has(name);
      stored.set(name, value);
      return { key: { name, value }, isNew };
    },
    async ensure(scope, name) {
      const value = stored.get(name);
      return value === undefined ? (await keyStore.set(scope, name)).key : { name, value };
    },
    remove: async (_scope, name) => stored.delete(name),
  };

  test('are made, changed, shown and removed', async () => {
    const { ask } = await createRun({ keyStore });
    const url = '/admin/functions/work/keys/mine?code=x';
    const made = await ask(url, { method: 'POST' });
    expect([made.status, JSON.parse(made.body)]).toEqual([
      201,
      {
        name: 'mine',
        value: 'made',
        links: [{ rel: 'self', href: 'http://sample.localhost/admin/functions/work/keys/mine' }],
      },
    ]);
    expect((await ask(url, { method: 'PUT', body: '{"value":"own"}' })).status).toBe(200);
    expect(JSON.parse((await ask(url)).body).value).toBe('own');
    expect(JSON.parse((await ask('/admin/host/keys')).body).keys).toEqual([{ name: 'mine', value: 'own' }]);
    expect((await ask(url, { method: 'DELETE' })).status).toBe(204);
    expect((await ask(url)).status).toBe(404);
    expect((await ask('/admin/functions/nobody/keys')).status).toBe(404);
    expect((await ask('/admin/host/keys/_master', { method: 'DELETE' })).status).toBe(400);
  });

  test.each(['{"value":""}', '{"value":1}', '[]', '{', `{"value":"${'x'.repeat(2_000)}"}`])(
    'PUT %s is 400',
    async (body) => {
      const { ask } = await createRun({ keyStore });
      expect((await ask('/admin/host/keys/mine', { method: 'PUT', body })).status).toBe(400);
    },
  );

  test('are nobody’s business where there are none', async () => {
    const { ask } = await createRun();
    expect((await ask('/admin/host/keys')).status).toBe(501);
  });
});

describe('isHostPath', () => {
  test.each([
    ['/admin', true],
    ['/admin/x', true],
    ['/Runtime/webhooks', true],
    ['/administrator', false],
    ['/api/admin', false],
    ['/', false],
  ])('%s: %s', (path, expected) => {
    expect(isHostPath(path)).toBe(expected);
  });
});
