/** What host.json and files of the app's folder say of HTTP: limits of requests, headers for all responses, app_offline.htm. */
import { cp, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type DevProcess, patienceMs, startDevProcess, testApp } from './dev-process.ts';

const flags = ['--no-azurite'];

describe('a host that is short of something', () => {
  // Any memory at all is more than an app with this threshold wants to be used.
  const soon = { healthCheckInterval: '00:00:01', healthCheckWindow: '00:01:00', healthCheckThreshold: '1' };
  const health = Object.entries({ ...soon, counterThreshold: '0' }).map(([name, value]) => [
    `healthMonitor__${name}`,
    value,
  ]);
  const settings = [...health, ['extensions__http__dynamicThrottlesEnabled', 'true']];
  let dev: DevProcess;
  beforeAll(async () => {
    const environment = Object.fromEntries(
      settings.map(([name, value]) => [`AzureFunctionsJobHost__${name}`, value ?? '']),
    );
    dev = await startDevProcess({ apps: [testApp('http-limits')], flags, environment });
  });
  afterAll(() => dev.close());

  it('tells probes once its window is over the threshold, and turns requests away from an app that wants that', async () => {
    const statusOf = async (path: string): Promise<number> => (await dev.request(path)).status;
    await expect.poll(() => statusOf('/runtime/health/ready'), { timeout: patienceMs }).toBe(500);
    expect([await statusOf('/admin/host/ping'), await statusOf('/admin/host/ping?checkHealth=1')]).toEqual([200, 429]);
    expect(JSON.parse((await dev.request('/admin/host/status')).text).errors).toEqual([
      expect.stringContaining('The host is unhealthy: memory '),
    ]);
    const { status, headers } = await dev.request('/api/hold');
    expect([status, headers['x-function-scaleout'], headers['retry-after']]).toEqual([429, '1', '1']);
    await dev.line(/The host is unhealthy/);
  });
});

describe('http in host.json', () => {
  let dev: DevProcess;
  let folder: string;
  const gate = (): string => join(folder, 'gate');
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'switchyard-e2e-'));
    await cp(testApp('http-limits'), join(folder, 'limited'), { recursive: true });
    await symlink(join(testApp('.'), '../../../node_modules'), join(folder, 'node_modules'));
    dev = await startDevProcess({ apps: [join(folder, 'limited')], flags, environment: { GATE: gate() } });
  });
  afterAll(async () => {
    await dev.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('lets so many run, so many wait, and turns the rest away', async () => {
    const early: Answer[] = [];
    const call = async (): Promise<Answer> => {
      const answer = await dev.request('/api/hold');
      early.push(answer);
      return answer;
    };
    const calls = Array.from({ length: 7 }, call);
    // None of those that run may end before all of them have come.
    await expect.poll(() => early.length).toBe(3);
    await writeFile(gate(), '');
    const answers = await Promise.all(calls);
    const by = (status: number): Answer[] => answers.filter((answer) => answer.status === status);
    expect([by(200).length, by(429).length]).toEqual([4, 3]);
    for (const { text } of by(200)) expect(JSON.parse(text).most).toBeLessThanOrEqual(2);
    for (const { headers, text } of by(429)) {
      expect([headers['x-function-scaleout'], headers['retry-after'], text]).toEqual(['1', '1', '']);
    }
    expect((await dev.request('/api/hold')).status).toBe(200);
  });

  it('adds its headers to every response that has none of that name', async () => {
    expect((await dev.request('/api/hold')).headers).toMatchObject({
      'x-frame-options': 'DENY',
      'x-own': 'from the function',
    });
    for (const path of ['/api/nothing', '/']) {
      expect((await dev.request(path)).headers).toMatchObject({ 'x-frame-options': 'DENY', 'x-own': 'from host.json' });
    }
  });

  it('says nothing of TLS over plain HTTP, whatever hsts wants', async () => {
    expect((await dev.request('/', { app: 'example' })).headers).not.toHaveProperty('strict-transport-security');
  });

  it('hands the files of the app out as a zip archive, without its local settings', async () => {
    const { status, headers, body } = await dev.request('/admin/functions/download');
    expect([status, headers['content-type'], headers['content-length']]).toEqual([
      200,
      'application/zip',
      `${body.length}`,
    ]);
    const names = body.toString('latin1');
    expect([names.startsWith('PK'), names.includes('host.json'), names.includes('package.json')]).toEqual([
      true,
      true,
      true,
    ]);
    expect(names).not.toContain('local.settings.json');
  });

  it('app_offline.htm takes the app offline for as long as it is there', async () => {
    const file = join(folder, 'limited', 'app_offline.htm');
    // It is there as a whole, or not at all.
    await writeFile(join(folder, 'offline'), '<h1>Back soon</h1>');
    await rename(join(folder, 'offline'), file);
    const statusOf = async (): Promise<number> => (await dev.request('/api/nothing')).status;
    await expect.poll(statusOf).toBe(503);
    expect(await dev.request('/api/anything')).toMatchObject({
      status: 503,
      text: '<h1>Back soon</h1>',
      headers: { 'content-type': 'text/html; charset=utf-8' },
    });
    expect((await dev.request('/admin/host/ping')).status).toBe(200);
    await rm(file);
    await expect.poll(statusOf).toBe(404);
    expect((await dev.request('/')).status).toBe(200);
  });
});
