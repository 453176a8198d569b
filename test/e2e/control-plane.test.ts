/** The control plane inside an installation: what is applied holds, also against what somebody does by hand. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { httpFunction } from './app-folder.ts';
import { type AppFolder, openAppFolder } from './command-line.ts';
import { UpProcess } from './up-process.ts';

const patience = { timeout: 40_000, interval: 250 };

const appFiles = (answer: string) => ({
  'shop/host.json': { version: '2.0', extensions: { http: { routePrefix: '' } } },
  'shop/package.json': { name: 'shop', type: 'module', main: 'app.js', dependencies: { '@azure/functions': '*' } },
  'shop/app.js': httpFunction('hello', answer),
});

describe('the control plane of switchyard up', () => {
  let apps: AppFolder;
  let up: UpProcess;
  beforeEach(async () => {
    apps = await openAppFolder();
    up = await UpProcess.start();
  });
  afterEach(async () => {
    await up.close();
    await apps.remove();
  });

  const answer = async (): Promise<string> => (await up.call('shop', '/hello')).text;
  const deploy = async (text: string, ...flags: readonly string[]): Promise<string> => {
    await apps.write(appFiles(text));
    const told = await up.do('deploy', `${apps.path}/shop`, '--stack', 'node', '--json', ...flags);
    return /"codeVersion":"([0-9a-f]{16})"/.exec(told)?.[1] ?? '';
  };
  const apply = async (version: string, more: object = {}): Promise<void> => {
    const manifest = {
      apiVersion: 'switchyard.dev/v1',
      tenant: 'default',
      environment: { remediation: 'auto' },
      services: [{ id: 'shop', version, ...more }],
      configurations: [{ id: 'words', values: { WORD: 'configured' } }],
    };
    const file = join(apps.path, 'desired.yaml');
    await writeFile(file, JSON.stringify(manifest));
    await up.do('apply', '-f', file);
  };

  it('undoes what somebody does by hand, and tells of it', async () => {
    const good = await deploy('"good"');
    const other = await deploy('"other"', '--no-promote');
    await apply(good);
    await expect.poll(() => up.do('deployments'), patience).not.toMatch(/requested|provisioning|rolling-out|gating/);
    // It may be undone before the command has told of it: that it was in effect stands in the findings.
    await up.do('traffic', 'shop', `${other}=100`);
    await expect.poll(() => up.do('drift', '--all'), patience).toMatch(new RegExp(`resolved .*${other}`));
    await expect.poll(answer, patience).toBe('good');
    const events = await up.do('events', '--json');
    expect(events).toContain('"eventType":"RuntimeDeploymentCompleted"');
  });

  it('a change that a command has told of is in effect, and the audit trail says who wanted it', async () => {
    const one = await deploy('"one " + process.env.WORD');
    const two = await deploy('"two " + process.env.WORD', '--no-promote');
    for (const [version, text] of [
      [two, 'two undefined'],
      [one, 'one undefined'],
    ] as const) {
      await up.do('traffic', 'shop', `${version}=100`);
      expect(await answer()).toBe(text);
    }
    await up.do('settings', 'shop', 'set', 'WORD=first');
    expect(await answer()).toBe('one first');
    await up.do('rollback', 'shop');
    expect(await answer()).toBe('two first');
    await up.do('rollout', 'shop', 'start', one, '--blue-green', '--hold', '300');
    expect(await answer()).toBe('one first');
    await up.do('rollout', 'shop', 'abort');
    expect(await answer()).toBe('two first');
    await up.do('settings', 'shop', 'unset', 'WORD');
    expect(await answer()).toBe('two undefined');
    const { endpoint, token } = await up.control();
    const headers = { authorization: `Bearer ${token}` };
    const asked = await fetch(`${endpoint}/v1/runtime/audit`, { headers });
    const trail = (await asked.json()) as {
      readonly items: readonly { readonly actor: string; readonly action: string }[];
    };
    const done = trail.items.map(({ actor, action }) => `${actor} ${action}`);
    expect(done.filter((line) => !line.includes('Specify')).reverse()).toEqual([
      ...['operator Deploy', 'operator ShareTraffic', 'operator ShareTraffic', 'operator ChangeSettings'],
      ...['operator RollBack', 'operator StartRollout', 'operator ShareTraffic'],
      ...['operator AbortRollout', 'operator RollBack', 'operator ChangeSettings'],
    ]);
  });

  it('brings settings to an app that reads them at each use without a restart', async () => {
    const code = `import { app } from '@azure/functions';
app.setup({ capabilities: { ReadsSettingsAtUse: true } });
let calls = 0;
const waiting = [];
app.http('hello', { route: 'hello', authLevel: 'anonymous', handler: async () => {
  calls += 1;
  return { body: [process.pid, calls, process.env.WORD, process.env.OTHER].join(' ') };
} });
app.http('wait', { route: 'wait', authLevel: 'anonymous', handler: () => new Promise((done) => waiting.push(done)) });
app.http('release', { route: 'release', authLevel: 'anonymous', handler: async () => {
  for (const done of waiting) done({ body: 'waited ' + process.env.WORD });
  return { body: String(waiting.length) };
} });
`;
    await apps.write({ ...appFiles('""'), 'shop/app.js': code });
    await up.do('deploy', `${apps.path}/shop`, '--stack', 'node');
    const [pid = '', calls] = (await answer()).split(' ');
    expect([Number(pid) > 0, calls]).toEqual([true, '1']);
    const held = up.call('shop', '/wait');
    const inFlight = async () => JSON.parse(await up.do('ps', 'shop', '--json')).application.inFlight;
    await expect.poll(inFlight, patience).toBe(1);
    await up.do('settings', 'shop', 'set', 'WORD=first');
    expect(await answer()).toBe(`${pid} 2 first `);
    await up.do('settings', 'shop', 'set', 'WORD=second', 'OTHER=more');
    expect(await answer()).toBe(`${pid} 3 second more`);
    expect((await up.call('shop', '/release')).text).toBe('1');
    expect((await held).text).toBe('waited second');
    const modes = JSON.parse(await up.do('get', 'settings-requests', '--json'));
    expect(modes.items.map(({ mode }: { readonly mode: string }) => mode)).toEqual(['reloaded', 'reloaded']);
    // What is gone, and what bindings or the host read, takes a start.
    await up.do('settings', 'shop', 'unset', 'OTHER');
    const [after = '', first, word] = (await answer()).split(' ');
    expect([after === pid, first, word]).toEqual([false, '1', 'second']);
  });

  it('rolls a version out that a manifest names, with its configuration, and remembers that over a restart', async () => {
    const first = await deploy('"first " + process.env.WORD');
    const second = await deploy('"second " + process.env.WORD', '--no-promote');
    expect(await answer()).toBe('first undefined');
    await apply(second, { configuration: 'words', strategy: { kind: 'blue-green' }, gateMs: 500 });
    await expect.poll(answer, patience).toBe('second configured');
    await up.stop();
    await up.restart();
    expect(await answer()).toBe('second configured');
    const services = await up.do('get', 'services');
    expect([services.includes(second), services.includes(first)]).toEqual([true, false]);
    expect(up.output).not.toMatch(/drift/i);
  });
});
