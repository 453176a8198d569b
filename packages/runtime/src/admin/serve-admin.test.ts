import {
  createFakeWorker,
  createMemoryLog,
  createSeededRandom,
  invocationSuccess,
  VirtualClock,
} from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import type { FunctionKeys } from '../contract.ts';
import { call, type FakeRequest } from '../testing/fake-http.ts';
import { createHarness } from '../testing/runtime-harness.ts';
import { createApplication } from '../testing/sample-application.ts';
import { isHostPath } from './serve-admin.ts';

async function createRun(application: Parameters<typeof createApplication>[0] = {}) {
  const clock = new VirtualClock();
  const harness = createHarness({ clock, random: createSeededRandom(1), log: createMemoryLog() });
  const added = harness.runtime.addApplication(createApplication(application));
  const worker = createFakeWorker(harness.dial('w1'), {
    workerId: 'w1',
    functions: [
      { name: 'web' },
      { name: 'work', bindings: [{ type: 'eventTrigger', direction: 'in', name: 'event' }] },
    ],
    onInvocation: () => invocationSuccess(),
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
    expect((await ask('/admin/functions/work', { method: 'DELETE' })).status).toBe(405);
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

  test('an HTTP function is called at its route', async () => {
    const { ask } = await createRun();
    const reply = await ask('/admin/functions/web', { method: 'POST', body: '{}' });
    expect([reply.status, reply.body]).toEqual([400, expect.stringContaining("'web' is an HTTP function")]);
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
