/** The admin API of a deployed app: its keys are those of the catalog, wherever they are changed. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { httpFunction } from './app-folder.ts';
import { type AppFolder, openAppFolder } from './command-line.ts';
import { UpProcess } from './up-process.ts';

describe('the keys of a deployed app', () => {
  let apps: AppFolder;
  let up: UpProcess;
  beforeEach(async () => {
    apps = await openAppFolder();
    await apps.write({
      'shop/host.json': { version: '2.0' },
      'shop/local.settings.json': { Values: { FUNCTIONS_WORKER_RUNTIME: 'node' } },
      'shop/package.json': {
        name: 'shop',
        type: 'module',
        main: 'src/*.js',
        dependencies: { '@azure/functions': '*' },
      },
      'shop/src/hello.js': httpFunction('hello', "'hello'").replace("authLevel: 'anonymous'", "authLevel: 'function'"),
    });
    up = await UpProcess.start({ flags: ['--trusted-tenants'] });
    await up.do('deploy', `${apps.path}/shop`);
  });
  afterEach(async () => {
    await up.close();
    await apps.remove();
  });

  it('are looked after by its administrators, and hold at once', async () => {
    const { endpoint, token } = await up.control();
    const listed = await fetch(`${endpoint}/v1/apps/shop/keys?reveal=true`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const { keys } = (await listed.json()) as { keys: { kind: string; value: string }[] };
    const master = keys.find(({ kind }) => kind === 'master')?.value ?? '';
    const admin = { 'x-functions-key': master };
    expect((await up.call('shop', '/admin/host/keys')).status).toBe(401);
    const made = await up.call('shop', '/admin/host/keys/mine', { method: 'POST', headers: admin });
    expect(made.status).toBe(201);
    const own = { 'x-functions-key': JSON.parse(made.text).value };
    expect((await up.call('shop', '/api/hello', { headers: own })).text).toContain('hello');
    expect((await up.call('shop', '/admin/host/keys', { headers: own })).status).toBe(401);
    expect((await up.call('shop', '/admin/host/keys/mine', { method: 'DELETE', headers: admin })).status).toBe(204);
    expect((await up.call('shop', '/api/hello', { headers: own })).status).toBe(401);
    const bad = await up.call('shop', '/admin/host/keys/bad%20name', { method: 'POST', headers: admin });
    expect([bad.status, JSON.parse(bad.text).message]).toEqual([400, expect.stringContaining('its name must be')]);
  });
});
