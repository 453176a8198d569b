import { createDeferred } from '@switchyard/kernel';
import { type ControlScope, controlOperations, problemSchema } from '@switchyard/protocol/control-api';
import { createMemoryLog, createSeededRandom, type MemoryLog, VirtualClock } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { controlErrors } from '../errors.ts';
import { type ControlRun, openControlRun } from '../testing/control-run.ts';
import type { ControlServerOptions, PlatformOperations } from './contract.ts';
import { invokeTimeoutMs, maxEventStreams } from './limits.ts';

let run: ControlRun;
let clock: VirtualClock;
let log: MemoryLog;
beforeEach(() => {
  clock = new VirtualClock();
  log = createMemoryLog();
});
afterEach(() => run.close());

async function open(
  platform: Partial<PlatformOperations> = {},
  options: Partial<ControlServerOptions> = {},
): Promise<void> {
  run = await openControlRun({ clock, random: createSeededRandom(1), log }, platform, options);
}

function addCaller(name: string, tenants: readonly string[] | '*', scopes: readonly ControlScope[]): void {
  run.callers.set(name, { kind: 'accepted', subject: name, tenants, scopes });
}

const stack = { runtime: 'node', version: '22' };
const addApp = (name = 'shop', tenantId = 'contoso') =>
  run.ask({ method: 'PUT', path: `/v1/apps/${name}`, body: { tenantId, stack } });

describe('who may ask', () => {
  it('I2: without a token there are health, public keys and the document of the API, and nothing else', async () => {
    await open();
    for (const [id, { method, path }] of Object.entries(controlOperations)) {
      const filled = path
        .replace('{sha256}', 'a'.repeat(64))
        .replace('{id}', '7b1c1f0e-4a39-4a36-9a40-6ed0d0b9a0a1')
        .replace('{collection}', 'findings')
        .replace(/\{\w+\}/g, 'shop');
      const { status, headers, json } = await run.ask({ method, path: filled, token: undefined });
      const isOpen = ['getHealth', 'getPublicKeys', 'getOpenApi'].includes(id);
      expect([id, status]).toEqual([id, isOpen ? 200 : 401]);
      if (!isOpen)
        expect([headers['www-authenticate'], json]).toMatchObject(['Bearer', { code: 'CONTROL_TOKEN_REFUSED' }]);
    }
    expect((await run.ask({ path: '/health', token: undefined })).json).toEqual({ status: 'healthy' });
    expect((await run.ask({ path: '/.well-known/jwks.json', token: undefined })).json).toMatchObject({
      keys: [{ kid: 'k1' }],
    });
  });

  it('I2: without a token nothing is said of what is wrong with a request', async () => {
    await open();
    for (const path of [
      '/v1/apps/Not_A_Label',
      '/v1/apps/shop/deployments/1',
      '/v1/packages/abc',
      '/v1/apps?limit=0',
    ]) {
      expect([path, (await run.ask({ path, token: undefined })).status]).toEqual([path, 401]);
    }
  });

  it('names the methods of a path in the header that clients read', async () => {
    await open();
    const { status, headers } = await run.ask({ path: '/v1/apps/shop', method: 'PATCH' });
    expect([status, headers.allow]).toEqual([405, 'PUT, GET, HEAD, DELETE']);
  });

  it('I2: without its scope an operation does nothing', async () => {
    await open();
    await addApp();
    for (const [id, { method, path, scope }] of Object.entries<{ method: string; path: string; scope: string }>(
      controlOperations,
    )) {
      if (scope === 'none') continue;
      const others = (['read', 'write', 'deploy', 'invoke', 'secrets', 'debug'] as const).filter(
        (one) => one !== scope,
      );
      addCaller('bob', '*', others);
      const filled = path
        .replace('{sha256}', 'a'.repeat(64))
        .replace('{id}', '7b1c1f0e-4a39-4a36-9a40-6ed0d0b9a0a1')
        .replace('{collection}', 'findings');
      const answer = await run.ask({
        method,
        path: filled.replace(/\{\w+\}/g, 'shop'),
        token: 'bob',
        ...(method === 'GET' || method === 'DELETE' ? {} : { body: {} }),
      });
      expect([id, answer.status, answer.json]).toMatchObject([id, 403, { code: 'CONTROL_SCOPE_MISSING' }]);
    }
    expect(run.catalog.applications.get('shop')).toBeDefined();
  });

  it('answers with the status of the guard', async () => {
    await open();
    run.callers.set('eve', { kind: 'refused', status: 403, reason: 'it is for something else' });
    const { status, json } = await run.ask({ path: '/v1/apps', token: 'eve' });
    expect([status, json]).toMatchObject([403, { message: 'The token is not accepted: it is for something else.' }]);
  });

  it.each([
    [{ host: 'evil.test' }, 421],
    [{ host: 'evil.test:7072' }, 421],
    [{ host: '127.0.0.1.evil.test' }, 421],
    [{ host: 'localhost.' }, 421],
    [{ host: 'localhost:1' }, 200],
    [{ host: '[::1]:7072' }, 200],
    [{ host: 'Console.Test' }, 200],
    [{ origin: 'http://evil.test' }, 403],
    [{ origin: 'null' }, 403],
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'same-site' }, 403],
    [{ 'sec-fetch-site': 'none' }, 200],
    [{ origin: 'http://console.test:7072', 'sec-fetch-site': 'same-origin' }, 200],
  ])('I4: %o is answered with %d', async (headers, status) => {
    await open({}, { hostNames: ['console.test'], origins: ['http://console.test:7072'] });
    const answer = await run.ask({ path: '/health', headers: headers as Record<string, string> });
    expect(answer.status).toBe(status);
    const allowed = answer.headers['access-control-allow-origin'];
    expect(allowed).toBe(status === 200 && 'origin' in headers ? headers.origin : undefined);
  });

  it('I4: lets the pages of its own console ask first, and no others', async () => {
    await open({}, { origins: ['http://console.test'] });
    const ask = (origin: string) =>
      run.ask({ method: 'OPTIONS', path: '/v1/apps', token: undefined, headers: { origin } });
    expect(await ask('http://console.test')).toMatchObject({
      status: 204,
      headers: { 'access-control-allow-headers': 'authorization, content-type' },
    });
    expect(await ask('http://evil.test')).toMatchObject({ status: 403 });
  });
});

describe('tenants', () => {
  beforeEach(async () => {
    await open();
    addCaller('anna', ['one'], ['read', 'write', 'deploy', 'secrets']);
    addCaller('ben', ['two'], ['read', 'write', 'deploy', 'secrets']);
    const body = { tenantId: 'one', stack };
    expect((await run.ask({ method: 'PUT', path: '/v1/apps/shop', token: 'anna', body })).status).toBe(200);
  });

  it('I3: see nothing of one another', async () => {
    const sha256 = await run.upload('package', 'anna');
    const made = await run.ask({ method: 'POST', path: '/v1/apps/shop/deployments', token: 'anna', body: { sha256 } });
    const { deploymentId } = made.json as { deploymentId: string };
    expect(made.status).toBe(202);
    const paths = ['', '/settings', '/settings?reveal', '/keys', '/traffic', '/status', '/logs', '/deployments'];
    for (const path of [...paths, `/deployments/${deploymentId}`]) {
      const [theirs, none] = await Promise.all([
        run.ask({ path: `/v1/apps/shop${path}`, token: 'ben' }),
        run.ask({ path: `/v1/apps/none${path}`, token: 'ben' }),
      ]);
      expect([theirs.status, none.text.replaceAll('none', 'shop')]).toEqual([404, theirs.text]);
      expect((await run.ask({ path: `/v1/apps/shop${path}`, token: 'anna' })).status).toBe(200);
    }
    expect((await run.ask({ path: `/v1/packages/${sha256}`, token: 'ben' })).status).toBe(404);
    expect((await run.ask({ path: `/v1/packages/${sha256}`, token: 'anna' })).text).toBe('package');
    expect((await run.ask({ method: 'DELETE', path: '/v1/apps/shop', token: 'ben' })).status).toBe(404);
    expect((await run.ask({ path: '/v1/apps', token: 'ben' })).json).toEqual({ applications: [] });
    expect((await run.ask({ path: '/v1/apps?tenant=one', token: 'ben' })).json).toEqual({ applications: [] });
  });

  it("I3: cannot take one another's names, tenants or packages", async () => {
    const put = (path: string, body: unknown) => run.ask({ method: 'PUT', path, token: 'ben', body });
    expect(await put('/v1/apps/shop', { tenantId: 'two', stack })).toMatchObject({
      status: 409,
      json: { code: 'APPLICATION_NAME_TAKEN' },
    });
    expect(await put('/v1/apps/mine', { tenantId: 'one', stack })).toMatchObject({
      status: 403,
      json: { code: 'CONTROL_TENANT_REFUSED' },
    });
    expect((await put('/v1/apps/mine', { tenantId: 'two', stack })).status).toBe(200);
    const sha256 = await run.upload('package', 'anna');
    const deploy = () => run.ask({ method: 'POST', path: '/v1/apps/mine/deployments', token: 'ben', body: { sha256 } });
    expect(await deploy()).toMatchObject({ status: 404, json: { code: 'PACKAGE_UNKNOWN' } });
    await run.upload('package', 'ben');
    expect((await deploy()).status).toBe(202);
  });
});

describe('what is asked', () => {
  it('I1: unknown paths, methods and wrong input are named', async () => {
    await open();
    await addApp();
    const problems: readonly [Parameters<ControlRun['ask']>[0], number, string, string][] = [
      [{ path: '/v1/nothing' }, 404, 'CONTROL_ROUTE_UNKNOWN', '/v1/nothing'],
      [{ path: '/__proto__' }, 404, 'CONTROL_ROUTE_UNKNOWN', '__proto__'],
      [{ path: '/v1/apps/shop', method: 'PATCH' }, 405, 'CONTROL_METHOD_UNKNOWN', 'PATCH'],
      [{ path: '/v1/apps/Not_A_Label' }, 400, 'CONTROL_INPUT_INVALID', 'DNS label'],
      [{ path: '/v1/apps/%zz' }, 400, 'CONTROL_INPUT_INVALID', "at 'app'"],
      [{ path: '/v1/apps/shop/deployments/1' }, 400, 'CONTROL_INPUT_INVALID', "at 'id'"],
      [{ path: '/v1/packages/abc' }, 400, 'CONTROL_INPUT_INVALID', '64 hexadecimal'],
      [{ path: '/v1/apps?limit=0' }, 400, 'CONTROL_INPUT_INVALID', "at 'limit'"],
      [{ path: '/v1/apps?colour=red' }, 400, 'CONTROL_INPUT_INVALID', 'colour'],
      [{ path: '/v1/apps?__proto__=1' }, 400, 'CONTROL_INPUT_INVALID', '__proto__'],
      [
        { path: '/v1/apps/shop', method: 'PUT', body: { hostNames: ['A'] } },
        400,
        'CONTROL_INPUT_INVALID',
        "at 'hostNames.0'",
      ],
      [{ path: '/v1/apps/shop', method: 'PUT', body: { surprise: 1 } }, 400, 'CONTROL_INPUT_INVALID', 'surprise'],
      [
        { path: '/v1/apps/shop', method: 'PUT', body: Buffer.from('{"a') },
        415,
        'CONTROL_BODY_TYPE',
        'application/json',
      ],
      [{ path: '/v1/apps/new', method: 'PUT', body: { tenantId: 't' } }, 400, 'APPLICATION_INCOMPLETE', 'stack'],
    ];
    for (const [ask, status, code, words] of problems) {
      const { status: found, headers, json } = await run.ask(ask);
      expect([ask, found, json]).toMatchObject([ask, status, { code }]);
      const { message, fix } = problemSchema.parse(json);
      expect(`${message} ${fix}`).toContain(words);
      expect(headers['content-type']).toBe('application/problem+json');
      expect(problemSchema.parse(json)).toEqual(json);
    }
    expect(log.records).toEqual([]);
  });

  it('I1: a body that is no JSON is named, and none is empty', async () => {
    await open();
    await addApp();
    const headers = { 'content-type': 'application/json; charset=utf-8' };
    const put = (body: Uint8Array) => run.ask({ method: 'PUT', path: '/v1/apps/shop', headers, body });
    expect(await put(Buffer.from('{"a'))).toMatchObject({ status: 400, json: { code: 'CONTROL_INPUT_INVALID' } });
    expect(await put(Buffer.from([0x22, 0xff, 0x22]))).toMatchObject({ status: 400 });
    expect(await put(Buffer.alloc(0))).toMatchObject({ status: 200, json: { revision: 1 } });
  });

  it('I1: what is too large is refused while it comes', async () => {
    await open();
    await addApp();
    const body = Buffer.alloc(9 * 1024 * 1024, ' ');
    const answer = await run.ask({ method: 'PUT', path: '/v1/apps/shop', body });
    expect(answer).toMatchObject({
      status: 413,
      json: { code: 'CONTROL_BODY_TOO_LARGE' },
    });
    const large = Buffer.alloc(100_001);
    const put = await run.ask({ method: 'PUT', path: `/v1/packages/${'a'.repeat(64)}`, body: large });
    expect(put).toMatchObject({ status: 413, json: { code: 'PACKAGE_TOO_LARGE' } });
  });

  it('I1: what nobody foresaw is logged once and shown by its number', async () => {
    await open({
      invoke: () => Promise.reject(new Error('secret detail')),
      debug: () => Promise.reject(controlErrors.create('CONTROL_DRAINING')),
    });
    await addApp();
    const invoke = await run.ask({ method: 'POST', path: '/v1/apps/shop/functions/hello/invoke', body: {} });
    expect(invoke).toMatchObject({
      status: 500,
      json: { code: 'CONTROL_UNEXPECTED', fix: expect.stringContaining('control-1') },
    });
    expect(invoke.text).not.toContain('secret detail');
    const known = await run.ask({ method: 'POST', path: '/v1/apps/shop/debug', body: {} });
    expect(known).toMatchObject({ status: 503, headers: { 'retry-after': '2' }, json: { code: 'CONTROL_DRAINING' } });
    expect(log.records.map(({ fields }) => [fields.requestId, fields.error])).toEqual([['control-1', 'secret detail']]);
  });

  it('answers HEAD with the headers alone', async () => {
    await open();
    await addApp();
    const sha256 = await run.upload('package');
    const { status, headers, text } = await run.ask({ method: 'HEAD', path: `/v1/packages/${sha256}` });
    expect([status, headers['content-length'], text]).toEqual([200, '7', '']);
    expect((await run.ask({ method: 'HEAD', path: `/v1/packages/${'0'.repeat(64)}` })).status).toBe(404);
    expect((await run.ask({ method: 'HEAD', path: '/v1/apps/shop/logs?follow' })).status).toBe(200);
  });
});

describe('time and ends', () => {
  it('I5: the operation is told when its time is over', async () => {
    const called = createDeferred<AbortSignal>();
    await open({
      invoke: (_app, _name, _request, signal) => {
        called.resolve(signal);
        return new Promise(() => {});
      },
    });
    await addApp();
    const answer = run.ask({ method: 'POST', path: '/v1/apps/shop/functions/hello/invoke', body: { input: 'x' } });
    const signal = await called.promise;
    await clock.advance(invokeTimeoutMs - 1);
    expect(signal.aborted).toBe(false);
    await clock.advance(1);
    expect(signal.aborted).toBe(true);
    expect(await answer).toMatchObject({ status: 504, json: { code: 'CONTROL_TIMED_OUT' } });
  });

  it('I5: the operation is told when its caller is gone', async () => {
    const [called, ended] = [createDeferred<void>(), createDeferred<void>()];
    await open({
      async *logs(_app, _options, signal) {
        signal.addEventListener('abort', () => ended.resolve());
        called.resolve();
        await ended.promise;
        yield* [];
      },
    });
    await addApp();
    const stream = await run.watch('/v1/apps/shop/logs?follow');
    await called.promise;
    stream.leave();
    expect(await ended.promise).toBeUndefined();
  });

  it('I6: draining ends streams, refuses what is new and waits for what runs', async () => {
    const [called, finish] = [createDeferred<void>(), createDeferred<void>()];
    await open({
      async invoke() {
        called.resolve();
        await finish.promise;
        return { status: 200, headers: {}, body: 'done', encoding: 'utf8', durationMs: 1 };
      },
      async *logs() {
        await new Promise(() => {});
      },
    });
    await addApp();
    const stream = await run.watch('/v1/apps/shop/logs?follow');
    const answer = run.ask({ method: 'POST', path: '/v1/apps/shop/functions/hello/invoke', body: {} });
    await called.promise;
    let isDrained = false;
    const drained = run.server.drain(1_000).then(() => {
      isDrained = true;
    });
    expect(await stream.events.next()).toMatchObject({ done: true });
    expect(await run.ask({ path: '/v1/apps' })).toMatchObject({ status: 503, json: { code: 'CONTROL_DRAINING' } });
    expect(isDrained).toBe(false);
    finish.resolve();
    expect(await answer).toMatchObject({ status: 200, json: { body: 'done' } });
    await drained;
    expect(isDrained).toBe(true);
  });

  it('I6: draining has a deadline', async () => {
    const called = createDeferred<void>();
    await open({
      invoke: () => {
        called.resolve();
        return new Promise(() => {});
      },
    });
    await addApp();
    const answer = run
      .ask({ method: 'POST', path: '/v1/apps/shop/functions/hello/invoke', body: {} })
      .catch(() => 'cut');
    await called.promise;
    const drained = run.server.drain(1_000);
    await clock.advance(1_000);
    expect(await drained).toBeUndefined();
    await run.close();
    expect(await answer).toBe('cut');
    await open();
  });

  it('has room for so many streams', async () => {
    await open({
      async *logs() {
        await new Promise(() => {});
      },
    });
    await addApp();
    const streams = await Promise.all(
      Array.from({ length: maxEventStreams }, () => run.watch('/v1/apps/shop/logs?follow')),
    );
    expect(new Set(streams.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await run.ask({ path: '/v1/apps/shop/logs' })).toMatchObject({
      status: 503,
      json: { code: 'CONTROL_TOO_MANY_STREAMS' },
    });
  });
});
