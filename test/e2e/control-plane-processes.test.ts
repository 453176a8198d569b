/**
 * Workers of the control plane in processes of their own beside an installation, over a real PostgreSQL and a real NATS: the
 * installation runs none of them itself.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RuntimeDeployment } from '@switchyard/protocol/control-api';
import { openPostgresql, postgresqlPart, type TestPostgresql } from '@switchyard/testkit/postgresql';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { natsPart, openNats, type TestNats } from '../../packages/control-plane/src/bus/testing/open-nats.ts';
import { httpFunction } from './app-folder.ts';
import { type AppFolder, openAppFolder } from './command-line.ts';
import { DevProcess } from './dev-process.ts';
import { UpProcess } from './up-process.ts';

/** A lease of a process that was killed holds for half a minute. */
const patience = { timeout: 120_000, interval: 250 };

describe.skipIf(postgresqlPart.skip || natsPart.skip)('workers of the control plane in processes of their own', () => {
  let server: TestPostgresql;
  let nats: TestNats;
  let apps: AppFolder;
  let up: UpProcess;
  const workers: DevProcess[] = [];
  const shared = (): Record<string, string> => ({ SWITCHYARD_STORE_URL: server.address() });
  beforeAll(async () => {
    server = await openPostgresql();
    nats = await openNats();
    apps = await openAppFolder();
    const flags = ['--workers', 'none', '--nats-server', nats.address];
    up = await UpProcess.start({ flags, environment: shared() });
    await writeFile(join(apps.path, 'token'), (await up.control()).token, { mode: 0o600 });
  }, 60_000);
  afterEach(async () => {
    for (const one of workers.splice(0)) await one.close();
  });
  afterAll(async () => {
    await up.close();
    await apps.remove();
    await nats.close();
    await server.close();
  });

  /** All seven workers in a process with a folder of their own, as on another host; they run when this resolves. */
  const startWorkers = async (): Promise<DevProcess> => {
    const key = join(up.dataFolder, 'vault.key');
    const own = join(apps.path, `workers-${workers.length}`);
    const { endpoint } = await up.control();
    const tokenFile = join(apps.path, 'token');
    const words = ['control-plane', '--data-dir', own, '--vault-key', key, '--nats-server', nats.address];
    const started = new DevProcess([...words, '--endpoint', endpoint, '--token-file', tokenFile], shared());
    workers.push(started);
    await started.line(/Workers of the control plane run/);
    return started;
  };
  const answer = async (): Promise<string> => (await up.call('shop', '/hello')).text;
  const deploy = async (text: string, ...flags: readonly string[]): Promise<string> => {
    await apps.write({
      'shop/host.json': { version: '2.0', extensions: { http: { routePrefix: '' } } },
      'shop/package.json': { name: 'shop', type: 'module', main: 'app.js', dependencies: { '@azure/functions': '*' } },
      'shop/app.js': httpFunction('hello', `${text} + ' ' + process.env.WORD`),
    });
    const told = await up.do('deploy', `${apps.path}/shop`, '--stack', 'node', '--json', ...flags);
    return /"codeVersion":"([0-9a-f]{16})"/.exec(told)?.[1] ?? '';
  };
  const newest = async (version: string): Promise<RuntimeDeployment | undefined> => {
    const { items } = JSON.parse(await up.do('get', 'deployments', '--service', 'shop', '--json'));
    return items.find((one: RuntimeDeployment) => one.version === version && one.mode === 'roll-out');
  };

  it('does not start without the key of the installation', async () => {
    const { endpoint } = await up.control();
    const words = ['control-plane', '--data-dir', join(apps.path, 'empty'), '--nats-server', nats.address];
    const started = new DevProcess(
      [...words, '--endpoint', endpoint, '--token-file', join(apps.path, 'token')],
      shared(),
    );
    workers.push(started);
    expect(await started.exited()).toMatchObject({ code: 3 });
    expect(started.output).toContain('There is no key of the vault at');
  });

  it('carries out what people ask, and finishes what one was killed in the middle of, no step of it twice', {
    timeout: 300_000,
  }, async () => {
    const first = await startWorkers();
    await deploy('"first"');
    expect(await answer()).toBe('first undefined');
    await up.do('settings', 'shop', 'set', 'WORD=outside');
    expect(await answer()).toBe('first outside');
    const version = await deploy('"second"', '--no-promote');
    const manifest = {
      ...{ apiVersion: 'switchyard.dev/v1', tenant: 'default' },
      services: [{ id: 'shop', version, strategy: { kind: 'canary', steps: [20, 50] }, gateMs: 5_000 }],
    };
    const file = join(apps.path, 'desired.yaml');
    await writeFile(file, JSON.stringify(manifest));
    await up.do('apply', '-f', file);
    await expect.poll(async () => (await newest(version))?.state, patience).toBe('health-gating');
    // The others start after its end: on a busy machine that takes longer than what the first one has still to do.
    first.signal('SIGKILL');
    await first.exited();
    expect((await newest(version))?.state).not.toBe('completed');
    await startWorkers();
    await expect.poll(async () => (await newest(version))?.state, patience).toBe('completed');
    const steps = (await newest(version))?.steps ?? [];
    expect(steps.map(({ name, attempt }) => `${name} ${attempt}`)).toEqual([
      ...['begin 1', 'provision 1', 'configure 1', 'shift-0 1', 'gate-0 1', 'shift-1 1', 'gate-1 1'],
      ...['shift-2 1', 'gate-2 1', 'promote 1'],
    ]);
    expect(await answer()).toBe('second outside');
    // Load is measured where the app runs, and asked from outside.
    const { endpoint, token } = await up.control();
    const headers = { authorization: `Bearer ${token}` };
    const asked = await fetch(`${endpoint}/v1/target/services/shop/measurements/active`, { headers });
    expect(await asked.json()).toEqual({ value: 0 });
  });
});
