/** One app: what a function sees of a request, what a caller sees of a function, and what the console tells of both. */
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DevProcess, startDevProcess, testApp } from './dev-process.ts';

describe('an app over HTTP', () => {
  let dev: DevProcess;
  beforeAll(async () => {
    dev = await startDevProcess({
      apps: [testApp('steady')],
      flags: ['--no-azurite'],
      environment: { FROM_SHELL: 'yes', AzureWebJobsStorage: 'UseDevelopmentStorage=true' },
    });
  });
  afterAll(() => dev.close());

  it('hands the request over as the caller sent it', async () => {
    const answer = await dev.request('/mirror/a%20b/c?x=1&y=%C3%A9', {
      method: 'PUT',
      headers: { 'x-sent': 'yes', 'content-type': 'application/octet-stream' },
      body: Uint8Array.of(0, 255, 128),
    });
    expect(answer.status).toBe(201);
    expect(answer.headers['x-method']).toBe('PUT');
    expect(JSON.parse(answer.text)).toEqual({
      url: `http://localhost:${await dev.port()}/mirror/a%20b/c?x=1&y=%C3%A9`,
      params: { rest: 'a b/c' },
      query: { x: '1', y: 'é' },
      header: 'yes',
      bytes: [0, 255, 128],
    });
  });

  it('answers any host name when it is the only app', async () => {
    expect((await dev.request('/mirror/', { app: 'whatever.example' })).status).toBe(201);
  });

  it('answers 500 without a word when the function throws, and tells the console why', async () => {
    const answer = await dev.request('/fail');
    expect(answer).toMatchObject({ status: 500, text: '' });
    const executed = await dev.line(/Executed 'Functions.fail' \(Failed, Id=/);
    const id = /Id=([^,]+)/.exec(executed)?.[1];
    await dev.line(/Exception: it did not end well/);
    await dev.line(new RegExp(`this will not end well \\[fail ${id}\\]`));
    await dev.line(/printed by the app/);
  });

  it('writes lines of a call in their order, between its begin and its end', async () => {
    await dev.request('/wait/1');
    await dev.line(/Executed 'Functions.wait' \(Succeeded/);
    const lines = dev.lines.filter((line) => /\bwait\b/.test(line));
    expect(lines.map((line) => line.replace(/^\[[^\]]+Z\] /, ''))).toEqual([
      expect.stringMatching(/^\twait: \[GET\] http/),
      expect.stringMatching(/^Executing 'Functions.wait' \(Reason='This function was programmatically called via/),
      expect.stringMatching(/^the wait begins \[wait [0-9a-f-]{36}\]$/),
      expect.stringMatching(/^Executed 'Functions.wait' \(Succeeded, Id=[0-9a-f-]{36}, Duration=\d+ms\)$/),
    ]);
    expect(lines.at(-1)).toMatch(/^\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\] /);
  });

  it('gives the worker the environment of the official tools', async () => {
    const seen = JSON.parse((await dev.request('/environment')).text);
    expect(seen).toMatchObject({
      FROM_SHELL: 'yes',
      TICK_SCHEDULE: '0 0 0 1 1 *',
      FUNCTIONS_WORKER_RUNTIME: 'node',
      AZURE_FUNCTIONS_ENVIRONMENT: 'Development',
      WEBSITE_HOSTNAME: `localhost:${await dev.port()}`,
      AzureWebJobsScriptRoot: testApp('steady'),
      FUNCTIONS_APPLICATION_DIRECTORY: testApp('steady'),
      cwd: testApp('steady'),
    });
    expect(dirname(seen.FUNCTIONS_WORKER_DIRECTORY)).not.toBe('');
  });
});

describe('CORS', () => {
  it('lets the pages call that local.settings.json names', async () => {
    const page = 'http://localhost:3000';
    const dev = await startDevProcess({ apps: [testApp('steady')], flags: ['--no-azurite'] });
    try {
      const called = await dev.request('/wait/1', { headers: { origin: page } });
      expect(called).toMatchObject({ status: 200, headers: { 'access-control-allow-origin': page } });
      const headers = { origin: page, 'access-control-request-method': 'PUT' };
      const asked = await dev.request('/mirror/x', { method: 'OPTIONS', headers });
      expect(asked).toMatchObject({ status: 204, headers: { 'access-control-allow-methods': 'PUT' } });
      const stranger = await dev.request('/wait/1', { headers: { origin: 'http://localhost:3001' } });
      expect(stranger.headers['access-control-allow-origin']).toBeUndefined();
    } finally {
      await dev.close();
    }
  });
});

describe('--json', () => {
  it('writes nothing but JSON lines, for functions and for itself', async () => {
    const dev = await startDevProcess({
      apps: [testApp('steady')],
      flags: ['--no-azurite', '--json'],
      waitsUntilReady: false,
    });
    try {
      await dev.line(/"message":"Ready"/);
      const records = dev.lines.map((line) => JSON.parse(line));
      const listed = records.find(({ message }) => message === 'Functions');
      expect(listed).toMatchObject({ level: 'information', applicationId: 'steady' });
      expect(listed.functions.map(({ name }: { name: string }) => name)).toContain('wait');
      for (const { time } of records) expect(Number.isNaN(Date.parse(time))).toBe(false);
    } finally {
      await dev.close();
    }
  });
});
