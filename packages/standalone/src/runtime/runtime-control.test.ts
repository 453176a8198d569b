import type { AnnouncedApplication, RestartOutcome, RestartWish } from '@switchyard/runtime';
import { describe, expect, it } from 'vitest';
import { runtimeProcessErrors } from './errors.ts';
import { answerControlRequest, type ControlGuard, type ControlRequest } from './runtime-control.ts';
import { judgeHealth } from './runtime-health.ts';

const guard: ControlGuard = async (authorization) =>
  authorization === undefined
    ? { kind: 'refused', status: 401, code: 'TOKEN_MISSING', reason: 'there is none' }
    : {
        kind: 'accepted',
        scopes: authorization.split(' '),
        tenants: authorization.includes('one') ? ['contoso'] : '*',
      };

function open(outcome: RestartOutcome = { kind: 'accepted' }, isListening = true) {
  const wishes: [string, RestartWish][] = [];
  const hosted: AnnouncedApplication[] = [];
  const gone: string[] = [];
  const runtime = {
    health: () => judgeHealth({ isListening, jobHosts: [], placeholders: [], memoryUtilization: 0 }),
    status: () => [],
    placeholders: () => [],
    async host(app: AnnouncedApplication) {
      if (app.tenantId === 'broken')
        throw runtimeProcessErrors.create('RUNTIME_APPLICATIONS_LIMIT', { applicationId: 'a', limit: 1 });
      hosted.push(app);
    },
    unhost: async (applicationId: string) => void gone.push(applicationId),
    async restartWorker(workerId: string, wish: RestartWish) {
      wishes.push([workerId, wish]);
      return outcome;
    },
  };
  const ask = (request: Partial<ControlRequest>, body?: string) =>
    answerControlRequest(runtime, guard, {
      method: 'GET',
      path: '/',
      authorization: 'read write',
      readBody: async () => body,
      ...request,
    });
  return { ask, wishes, hosted, gone };
}

const restart = { method: 'POST', path: '/v1/runtime/workers/w%201/restart' } as const;

describe('answerControlRequest', () => {
  it('tells everybody how it is', async () => {
    expect(await open().ask({ path: '/health', authorization: undefined })).toMatchObject({ status: 200 });
    expect(await open({ kind: 'accepted' }, false).ask({ path: '/ready' })).toMatchObject({ status: 503 });
    expect(await open().ask({ method: 'POST', path: '/health' })).toMatchObject({ status: 405 });
  });

  it('shows what it hosts to who may read', async () => {
    const { ask } = open();
    const path = '/v1/runtime/status';
    expect(await ask({ path })).toEqual({ status: 200, body: { jobHosts: [], placeholders: [] } });
    expect(await ask({ path, authorization: undefined })).toMatchObject({
      status: 401,
      body: { code: 'TOKEN_MISSING' },
    });
    expect(await ask({ path, authorization: 'write' })).toMatchObject({ status: 403 });
    expect(await ask({ path, method: 'POST' })).toMatchObject({ status: 405 });
    expect(await ask({ path: '/v1/nothing' })).toMatchObject({ status: 404 });
  });

  it('passes a wish to start a worker anew on', async () => {
    const { ask, wishes } = open();
    const wish = { reason: 'test', arguments: ['--a'], environment: { A: '1' } };
    expect(await ask(restart, JSON.stringify(wish))).toEqual({ status: 202, body: { kind: 'accepted' } });
    expect(wishes).toEqual([['w 1', { reason: 'test', arguments: ['--a'], environment: new Map([['A', '1']]) }]]);
  });

  it.each([
    [{ kind: 'in-progress' }, 409],
    [{ kind: 'rejected', reason: 'no such worker' }, 422],
  ] as const)('answers %j with %i', async (outcome, status) => {
    expect(await open(outcome).ask(restart, '{"reason":"test"}')).toEqual({ status, body: outcome });
  });

  it.each([
    ['no JSON', '{'],
    ['nothing', undefined],
    ['no reason', '{}'],
    ['a word too many', '{"reason":"test","pid":1}'],
    ['an empty program', '{"reason":"test","executable":""}'],
    ['no list', '{"reason":"test","arguments":"--a"}'],
    ['a list', '[]'],
  ])('refuses %s, and asks nobody', async (_what, body) => {
    const { ask, wishes } = open();
    expect(await ask(restart, body)).toMatchObject({ status: 400 });
    expect(wishes).toEqual([]);
  });

  it('refuses who may only read, and an id that cannot be read', async () => {
    const { ask, wishes } = open();
    const body = '{"reason":"test"}';
    expect(await ask({ ...restart, authorization: 'read' }, body)).toMatchObject({ status: 403 });
    expect(await ask({ ...restart, path: '/v1/runtime/workers/%E0%A4%A/restart' }, body)).toMatchObject({
      status: 400,
    });
    expect(wishes).toEqual([]);
  });

  const app = {
    tenantId: 'contoso',
    metadataVersion: 'm1',
    codeVersion: 'c1',
    language: 'node',
    scriptRoot: '/site',
    settings: { GREETING: 'hello' },
    hostJson: { version: '2.0' },
  };
  const put = { method: 'PUT', path: '/v1/runtime/apps/shop', authorization: 'deploy' } as const;

  it('hosts an app, and ends it', async () => {
    const { ask, hosted, gone } = open();
    const definition = { applicationId: 'shop', metadataVersion: 'm1', codeVersion: 'c1' };
    expect(await ask(put, JSON.stringify(app))).toEqual({ status: 202, body: definition });
    expect(hosted).toEqual([
      {
        definition,
        tenantId: 'contoso',
        language: 'node',
        languageVersion: '',
        scriptRoot: '/site',
        settings: new Map([['GREETING', 'hello']]),
        hostJson: '{"version":"2.0"}',
      },
    ]);
    expect(await ask({ ...put, method: 'DELETE' })).toMatchObject({ status: 200 });
    expect(gone).toEqual(['shop']);
  });

  it('hosts nothing for who may not, and says why an app cannot be hosted', async () => {
    const { ask, hosted, gone } = open();
    const foreign = JSON.stringify({ ...app, tenantId: 'fabrikam' });
    expect(await ask({ ...put, authorization: 'deploy one' }, foreign)).toMatchObject({ status: 403 });
    expect(await ask({ ...put, authorization: 'read write' }, JSON.stringify(app))).toMatchObject({ status: 403 });
    expect(await ask({ ...put, method: 'DELETE', authorization: 'deploy one' })).toMatchObject({ status: 403 });
    const broken = await ask(put, JSON.stringify({ ...app, tenantId: 'broken' }));
    expect(broken).toMatchObject({ status: 503, body: { code: 'RUNTIME_APPLICATIONS_LIMIT' } });
    const unfit = await ask(put, JSON.stringify({ ...app, settings: { SECRET: 7 } }));
    expect(unfit).toMatchObject({ status: 400, body: { message: expect.stringContaining('settings.SECRET') } });
    expect([hosted, gone]).toEqual([[], []]);
  });
});
