/** Every operation over a real socket, and every answer held against its schema. */
import { createDeferred } from '@switchyard/kernel';
import {
  type ControlEvent,
  type ControlOperation,
  type ControlOperationId,
  controlOperations,
  type LogLine,
  toControlPath,
} from '@switchyard/protocol/control-api';
import { createMemoryLog, createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import type { DeploymentRecord } from '../catalog/contract.ts';
import { controlErrors } from '../errors.ts';
import { addVersion } from '../testing/catalog-run.ts';
import { type ControlAnswer, type ControlRun, openControlRun } from '../testing/control-run.ts';
import type { PlatformOperations } from './contract.ts';

let run: ControlRun;
afterEach(() => run.close());

const clock = new VirtualClock();

async function open(platform: Partial<PlatformOperations> = {}): Promise<void> {
  run = await openControlRun({ clock, random: createSeededRandom(1), log: createMemoryLog() }, platform);
}

/** Asks, and checks status and body against the table. */
async function call(
  id: ControlOperationId,
  parameters: Record<string, string>,
  body?: unknown,
  query = '',
): Promise<unknown> {
  const { method, answer }: ControlOperation = controlOperations[id];
  const path = toControlPath(id, parameters as never) + query;
  const found: ControlAnswer = await run.ask({ method, path, ...(body === undefined ? {} : { body }) });
  expect([id, found.status, found.text]).toEqual([id, answer.status, found.text]);
  if (answer.body !== undefined && answer.body !== 'package') expect(answer.body.parse(found.json)).toEqual(found.json);
  return found.json;
}

const app = { app: 'shop' };
const addApp = () => call('putApplication', app, { tenantId: 'contoso', stack: { runtime: 'node' } });

async function toList(events: AsyncIterable<ControlEvent>): Promise<ControlEvent[]> {
  const list: ControlEvent[] = [];
  for await (const event of events) list.push(event);
  return list;
}

describe('apps', () => {
  it('are created, changed, shown and deleted', async () => {
    await open({
      status: (applicationId) => ({
        state: 'active',
        urls: [`http://${applicationId}.localhost`],
        workers: [
          {
            workerId: 'w1',
            codeVersion: 'a'.repeat(16),
            state: 'ready',
            inFlight: 2,
            runtimeName: 'node',
            runtimeVersion: '22',
          },
          {
            workerId: 'w2',
            codeVersion: 'a'.repeat(16),
            state: 'ready',
            inFlight: 1,
            runtimeName: 'node',
            runtimeVersion: '22',
          },
        ],
        functions: [{ name: 'hello', trigger: 'httpTrigger', disabled: false }],
        error: 'no storage',
      }),
    });
    expect(await addApp()).toMatchObject({
      applicationId: 'shop',
      stack: { runtime: 'node', version: '', architecture: 'x64' },
      revision: 1,
      state: 'active',
      workers: 2,
      inFlight: 3,
      urls: ['http://shop.localhost'],
    });
    expect(await call('putApplication', app, { hostNames: ['a.test'] })).toMatchObject({
      revision: 2,
      hostNames: ['a.test'],
    });
    const codeVersion = addVersion(run.catalog, 'a');
    await call('setTraffic', app, { weights: [{ codeVersion, weight: 100 }] });
    expect(await call('getApplication', app)).toMatchObject({ codeVersion });
    expect(await call('getStatus', app)).toMatchObject({
      trafficRevision: 1,
      versions: [{ codeVersion, metadataVersion: 'm1', state: 'indexed', weight: 100 }],
      workers: [{ workerId: 'w1' }, { workerId: 'w2' }],
      functions: [{ name: 'hello' }],
      error: 'no storage',
    });
    await call('putApplication', { app: 'mail' }, { tenantId: 'contoso', stack: { runtime: 'python' } });
    expect(await call('listApplications', {}, undefined, '?limit=1')).toMatchObject({
      applications: [{ applicationId: 'mail' }],
      next: 'mail',
    });
    const rest = await call('listApplications', {}, undefined, '?limit=2&after=mail');
    expect(rest).toMatchObject({ applications: [{ applicationId: 'shop' }] });
    expect(rest).not.toHaveProperty('next');
    await call('deleteApplication', app);
    expect((await run.ask({ path: '/v1/apps/shop' })).status).toBe(404);
  });

  it('are refused when the platform cannot take them', async () => {
    const error = controlErrors.create('CONTROL_TENANT_REFUSED', { subject: 'platform', tenantId: 'contoso' });
    await open({ admit: () => ({ kind: 'refused', error }) });
    const body = { tenantId: 'contoso', stack: { runtime: 'node' } };
    expect(await run.ask({ method: 'PUT', path: '/v1/apps/shop', body })).toMatchObject({ status: 403 });
    expect(run.catalog.applications.list()).toEqual([]);
  });

  it('conflicts name the present revision', async () => {
    await open();
    await addApp();
    const conflict = { status: 409, json: { code: 'REVISION_CONFLICT', currentRevision: 1 } };
    const body = { hostNames: ['a.test'], revision: 7 };
    expect(await run.ask({ method: 'PUT', path: '/v1/apps/shop', body })).toMatchObject(conflict);
    await call('patchSettings', app, { set: { A: '1' } });
    const patch = { set: { A: '2' }, revision: 0 };
    expect(await run.ask({ method: 'PATCH', path: '/v1/apps/shop/settings', body: patch })).toMatchObject(conflict);
  });
});

describe('packages', () => {
  it('come back as they were', async () => {
    await open();
    const sha256 = await run.upload('content');
    const body = Buffer.from('content');
    expect(await call('putPackage', { sha256 }, body)).toEqual({
      sha256,
      codeVersion: sha256.slice(0, 16),
      sizeBytes: 7,
      isNew: false,
    });
    const found = await run.ask({ path: `/v1/packages/${sha256}` });
    expect([found.headers['content-type'], found.text]).toEqual(['application/zip', 'content']);
    const other = await run.ask({ method: 'PUT', path: `/v1/packages/${'b'.repeat(64)}`, body });
    expect(other).toMatchObject({ status: 400, json: { code: 'PACKAGE_MISMATCH' } });
    const form = await run.ask({
      method: 'PUT',
      path: `/v1/packages/${sha256}`,
      body,
      headers: { 'content-type': 'text/plain' },
    });
    expect(form).toMatchObject({ status: 415, json: { code: 'CONTROL_BODY_TYPE' } });
  });
});

describe('deployments', () => {
  it('go to the platform, and their steps to who watches', async () => {
    const deployed: DeploymentRecord[] = [];
    await open({ deploy: (record) => deployed.push(record) });
    await addApp();
    const sha256 = await run.upload('content');
    const stack = { runtime: 'node', version: '20', architecture: 'arm64' };
    const started = (await call('createDeployment', app, { sha256, message: 'first', stack })) as {
      deploymentId: string;
    };
    const { deploymentId } = started;
    expect(deployed).toMatchObject([{ deploymentId, sha256, message: 'first', promote: true, createdBy: 'ann' }]);
    expect(run.catalog.versions.list('shop')).toMatchObject([{ stack, status: { kind: 'pending' } }]);
    const early = await run.watch(`/v1/apps/shop/deployments/${deploymentId}?watch`);
    expect((await early.events.next()).value).toMatchObject({ name: 'step', data: { name: 'stored' } });
    run.catalog.deployments.advance(deploymentId, { name: 'indexed', message: '1 function' });
    run.catalog.deployments.advance(deploymentId, { name: 'starting' });
    run.catalog.deployments.advance(deploymentId, { name: 'ready' });
    run.catalog.deployments.advance(deploymentId, { name: 'promoted' });
    const names = (events: readonly ControlEvent[]): unknown[] =>
      events.map(({ data }) => (data as { name: string }).name);
    expect(names(await toList(early.events))).toEqual(['indexed', 'starting', 'ready', 'promoted']);
    const late = await run.watch(`/v1/apps/shop/deployments/${deploymentId}?watch=true`);
    const all = await toList(late.events);
    expect(names(all)).toEqual(['stored', 'indexed', 'starting', 'ready', 'promoted']);
    const { step } = controlOperations.getDeployment.answer.events;
    for (const { data } of all) expect(step.parse(data)).toEqual(data);
    expect(await call('getDeployment', { ...app, id: deploymentId })).toMatchObject({ state: 'succeeded' });
    expect(await call('listDeployments', app)).toMatchObject({ deployments: [{ deploymentId }] });
  });

  it('need a package, and belong to their app', async () => {
    await open();
    await addApp();
    await call('putApplication', { app: 'mail' }, { tenantId: 'contoso', stack: { runtime: 'node' } });
    const body = { sha256: 'a'.repeat(64) };
    const none = await run.ask({ method: 'POST', path: '/v1/apps/shop/deployments', body });
    expect(none).toMatchObject({ status: 404, json: { code: 'PACKAGE_UNKNOWN' } });
    const sha256 = await run.upload('content');
    const { deploymentId } = (await call('createDeployment', app, { sha256 })) as { deploymentId: string };
    const foreign = await run.ask({ path: `/v1/apps/mail/deployments/${deploymentId}` });
    expect(foreign).toMatchObject({ status: 404, json: { code: 'DEPLOYMENT_UNKNOWN' } });
  });

  it('end for who watches when the app is deleted', async () => {
    await open();
    await addApp();
    const sha256 = await run.upload('content');
    const { deploymentId } = (await call('createDeployment', app, { sha256 })) as { deploymentId: string };
    const stream = await run.watch(`/v1/apps/shop/deployments/${deploymentId}?watch`);
    await stream.events.next();
    await call('deleteApplication', app);
    expect(await stream.events.next()).toMatchObject({ done: true });
  });
});

describe('settings and keys', () => {
  it('are masked unless they are asked for', async () => {
    await open();
    await addApp();
    const secret = 'DefaultEndpointsProtocol=secret';
    expect(await call('patchSettings', app, { set: { Conn: secret, A: '1' }, remove: ['B'] })).toEqual({
      revision: 1,
      settings: [
        { name: 'A', value: '***' },
        { name: 'Conn', value: '***' },
      ],
    });
    expect(JSON.stringify(await call('getSettings', app))).not.toContain(secret);
    expect(JSON.stringify(await call('getSettings', app, undefined, '?reveal=false'))).not.toContain(secret);
    expect(JSON.stringify(await call('getSettings', app, undefined, '?reveal'))).toContain(secret);
    const keys = run.catalog.keys.list('shop').map(({ value }) => value.reveal());
    const masked = JSON.stringify(await call('listKeys', app));
    expect(keys.some((key) => masked.includes(key))).toBe(false);
    expect(await call('listKeys', app, undefined, '?reveal')).toMatchObject({ keys: keys.map((value) => ({ value })) });
    run.callers.set('bob', { kind: 'accepted', subject: 'bob', tenants: '*', scopes: ['read'] });
    for (const path of ['settings', 'keys']) {
      const answer = await run.ask({ path: `/v1/apps/shop/${path}?reveal`, token: 'bob' });
      expect(answer).toMatchObject({ status: 403, json: { code: 'CONTROL_SCOPE_MISSING' } });
      expect((await run.ask({ path: `/v1/apps/shop/${path}`, token: 'bob' })).status).toBe(200);
    }
  });

  it('hostile names and values do no harm, and values are not quoted', async () => {
    await open();
    await addApp();
    const bodies = [
      '{"set":{"__proto__":"hidden"}}',
      '{"set":{"1":"hidden"}}',
      '{"set":{"A":["hidden"]}}',
      '{"__proto__":{}}',
    ];
    for (const text of bodies) {
      const headers = { 'content-type': 'application/json' };
      const answer = await run.ask({
        method: 'PATCH',
        path: '/v1/apps/shop/settings',
        body: Buffer.from(text),
        headers,
      });
      expect([text, answer.status]).toEqual([text, 400]);
      expect(answer.text).not.toContain('hidden');
    }
    await call('patchSettings', app, { set: { constructor: 'x', toString: 'y' } });
    expect(await call('getSettings', app, undefined, '?reveal')).toMatchObject({
      settings: [
        { name: 'constructor', value: 'x' },
        { name: 'toString', value: 'y' },
      ],
    });
  });
});

describe('traffic', () => {
  it('is shared, shown and given back', async () => {
    await open();
    await addApp();
    const [a, b] = [addVersion(run.catalog, 'a'), addVersion(run.catalog, 'b')];
    await call('setTraffic', app, { weights: [{ codeVersion: a, weight: 100 }] });
    const both = {
      weights: [
        { codeVersion: a, weight: 90 },
        { codeVersion: b, weight: 10 },
      ],
    };
    expect(await call('setTraffic', app, { ...both, revision: 1 })).toMatchObject({
      ...both,
      revision: 2,
      reason: 'traffic',
    });
    expect(await call('rollBack', app)).toMatchObject({
      weights: [{ codeVersion: a, weight: 100 }],
      reason: 'rollback',
    });
    expect(await call('rollBack', app, { to: b })).toMatchObject({ weights: [{ codeVersion: b, weight: 100 }] });
    expect(await call('getTraffic', app)).toMatchObject({ revision: 4 });
    const wrong = { weights: [{ codeVersion: a, weight: 99 }] };
    const answer = await run.ask({ method: 'POST', path: '/v1/apps/shop/traffic', body: wrong });
    expect(answer).toMatchObject({
      status: 400,
      json: { path: 'weights', message: expect.stringContaining('add up to 100') },
    });
  });
});

describe('apps at work', () => {
  const line: LogLine = { at: '2024-01-01T00:00:00.000Z', level: 'information', message: 'hello' };

  it('show their lines, and why there are no more', async () => {
    const asked: unknown[] = [];
    await open({
      async *logs(applicationId, options) {
        asked.push([applicationId, options]);
        yield line;
        if (options.follow) throw controlErrors.create('CONTROL_DRAINING');
      },
    });
    await addApp();
    const once = await run.watch('/v1/apps/shop/logs?tail=5&level=warning');
    expect(await toList(once.events)).toEqual([{ name: 'line', data: line }]);
    const followed = await run.watch('/v1/apps/shop/logs?follow');
    expect(await toList(followed.events)).toMatchObject([
      { name: 'line' },
      { name: 'failed', data: { code: 'CONTROL_DRAINING' } },
    ]);
    expect(asked).toEqual([
      ['shop', { follow: false, tail: 5, level: 'warning' }],
      ['shop', { follow: true, tail: undefined, level: undefined }],
    ]);
  });

  it('answer calls of their functions', async () => {
    const asked: unknown[] = [];
    await open({
      invoke: async (applicationId, name, request) => {
        asked.push([applicationId, name, request]);
        return { status: 418, headers: { 'x-a': 'b' }, body: 'tea', encoding: 'utf8', durationMs: 3.5 };
      },
    });
    await addApp();
    const request = { input: '{}', method: 'POST', path: '/api/hello?a=1', headers: { 'x-key': 'v' } };
    const answer = await call('invokeFunction', { ...app, name: 'hello' }, request);
    expect(answer).toMatchObject({ status: 418, body: 'tea' });
    expect(asked).toEqual([['shop', 'hello', request]]);
  });

  it('show their frames without bodies, and open inspectors', async () => {
    const frame = {
      at: line.at,
      workerId: 'w1',
      direction: 'toWorker',
      type: 'invocationRequest',
      id: 'i',
      sizeBytes: 9,
    } as const;
    const asked: unknown[] = [];
    await open({
      async *trace(_app, options) {
        asked.push(options);
        yield frame;
        yield { dropped: 3 };
      },
      debug: async (_app, options) => {
        asked.push(options);
        return { workerId: 'w1', inspectorUrl: 'ws://127.0.0.1:9229/x' };
      },
    });
    await addApp();
    const stream = await run.watch('/v1/apps/shop/trace?worker=w1');
    expect(await toList(stream.events)).toEqual([
      { name: 'frame', data: frame },
      { name: 'dropped', data: { count: 3 } },
    ]);
    expect(await call('debugApplication', app, { workerId: 'w1' })).toEqual({
      workerId: 'w1',
      inspectorUrl: 'ws://127.0.0.1:9229/x',
    });
    expect(asked).toEqual([{ workerId: 'w1' }, { workerId: 'w1' }]);
  });

  it('a stream that nobody reads waits', async () => {
    let taken = 0;
    const ended = createDeferred<void>();
    await open({
      async *logs(_app, _options, signal) {
        try {
          while (!signal.aborted) {
            taken += 1;
            yield { ...line, message: 'x'.repeat(100_000) };
          }
        } finally {
          ended.resolve();
        }
      },
    });
    await addApp();
    const stream = await run.watch('/v1/apps/shop/logs?follow');
    await stream.events.next();
    let before = -1;
    await expect
      .poll(
        () => {
          const isStill = before === taken;
          before = taken;
          return isStill;
        },
        { interval: 100 },
      )
      .toBe(true);
    expect(taken).toBeLessThan(1_000);
    stream.leave();
    expect(await ended.promise).toBeUndefined();
  });
});
