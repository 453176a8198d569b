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
    await up.do('traffic', 'shop', `${other}=100`);
    await expect.poll(answer, patience).toBe('other');
    await expect.poll(answer, patience).toBe('good');
    expect(await up.do('drift', '--all')).toContain(other);
    const events = await up.do('events', '--json');
    expect(events).toContain('"eventType":"RuntimeDeploymentCompleted"');
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
