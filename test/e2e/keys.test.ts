/** Function keys with --enable-auth. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DevProcess, exampleApp, startDevProcess } from './dev-process.ts';

describe('--enable-auth', () => {
  const flags = ['--no-azurite', '--enable-auth'];
  let dev: DevProcess;
  let keys: { master: string; host: { default: string }; functions: Record<string, { default: string }> };
  beforeAll(async () => {
    dev = await startDevProcess({ apps: [exampleApp('hello-javascript')], flags });
    const file = /Function keys are in (.+)/.exec(await dev.line(/^Function keys are in/))?.[1] ?? '';
    expect(file).toBe(join(dev.dataFolder ?? '', 'keys.json'));
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    keys = JSON.parse(await readFile(file, 'utf8')).apps['hello-javascript'];
  });
  afterAll(() => dev.close());

  it('turns callers without the right key away, with an empty body', async () => {
    expect(await dev.request('/api/status')).toMatchObject({ status: 401, text: '' });
    expect((await dev.request('/api/status?code=wrong')).status).toBe(401);
    expect((await dev.request(`/api/status?code=${keys.functions.hello?.default}`)).status).toBe(401);
  });

  it('lets the keys of function, host and master in, as header or in the query', async () => {
    const own = keys.functions.status?.default ?? '';
    for (const key of [own, keys.host.default, keys.master]) {
      expect((await dev.request(`/api/status?code=${key}`)).status).toBe(200);
      expect((await dev.request('/api/status', { headers: { 'x-functions-key': key } })).status).toBe(200);
    }
  });

  it('asks nobody for the key of an anonymous function', async () => {
    expect((await dev.request('/api/hello')).status).toBe(200);
  });

  it('never prints a key', () => {
    for (const key of [keys.master, keys.host.default, keys.functions.status?.default ?? 'none'])
      expect(dev.output).not.toContain(key);
  });
});

it('lets everybody in without the flag, as the official tools do', async () => {
  const dev = await startDevProcess({ apps: [exampleApp('hello-javascript')], flags: ['--no-azurite'] });
  try {
    expect((await dev.request('/api/status')).status).toBe(200);
  } finally {
    await dev.close();
  }
});
