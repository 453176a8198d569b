/** How `switchyard dev` ends. */
import { afterEach, describe, expect, it } from 'vitest';
import { type DevProcess, exampleApp, isAlive, patienceMs, startDevProcess, testApp } from './dev-process.ts';

describe('stopping', () => {
  let dev: DevProcess;
  afterEach(() => dev.close());

  const start = async (node?: string): Promise<DevProcess> => {
    const environment = { AzureWebJobsStorage: 'UseDevelopmentStorage=true' };
    const apps = [testApp('steady')];
    const flags = ['--no-azurite'];
    dev = await startDevProcess({ apps, flags, environment, ...(node === undefined ? {} : { node }) });
    return dev;
  };
  const workerPid = async (): Promise<number> => JSON.parse((await dev.request('/environment')).text).pid;

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s ends it with exit code 0, and its workers with it',
    async (signal) => {
      await start();
      const pid = await workerPid();
      dev.signal(signal);
      expect(await dev.exited()).toEqual({ code: 0, signal: null });
      expect(isAlive(pid)).toBe(false);
    },
  );

  it('lets a request in flight end first', async () => {
    await start();
    const answer = dev.request('/wait/1000');
    await dev.line(/the wait begins/);
    dev.signal('SIGINT');
    expect(await answer).toMatchObject({ status: 200, text: 'waited' });
    expect(await dev.exited()).toEqual({ code: 0, signal: null });
  });

  it('takes no new requests while it ends', async () => {
    await start();
    const slow = dev.request('/wait/1500');
    await dev.line(/the wait begins/);
    dev.signal('SIGINT');
    await dev.line(/^Stopping/);
    await expect(dev.request('/wait/1')).rejects.toThrow('ECONNREFUSED');
    expect((await slow).status).toBe(200);
  });

  it('ends at once at the second Ctrl-C, workers included', async () => {
    await start();
    const pid = await workerPid();
    const slow = dev.request('/wait/60000').catch((error: NodeJS.ErrnoException) => error.code);
    await dev.line(/the wait begins/);
    dev.signal('SIGINT');
    await dev.line(/^Stopping/);
    await new Promise((resolve) => setTimeout(resolve, 400));
    dev.signal('SIGINT');
    expect(await dev.exited()).toEqual({ code: 130, signal: null });
    expect(await slow).toBe('ECONNRESET');
    await expect.poll(() => isAlive(pid), { timeout: patienceMs }).toBe(false);
  });

  it('passes signals and the exit code through the launcher of another Node', async () => {
    await start('node');
    const pid = await workerPid();
    expect(await dev.stop()).toEqual({ code: 0, signal: null });
    expect(isAlive(pid)).toBe(false);
  });

  it('ends when its launcher is killed', async () => {
    await start('node');
    const pid = await workerPid();
    dev.signal('SIGKILL');
    await dev.exited();
    await expect.poll(() => isAlive(pid), { timeout: patienceMs }).toBe(false);
  });

  it('answers 500 at once when the worker is killed during a call, replaces it, and serves again', async () => {
    await start();
    const pid = await workerPid();
    const broken = dev.request('/wait/60000');
    await dev.line(/the wait begins/);
    process.kill(pid, 'SIGKILL');
    expect((await broken).status).toBe(500);
    await expect.poll(async () => (await dev.request('/environment')).status, { timeout: patienceMs }).toBe(200);
    expect(await workerPid()).not.toBe(pid);
  });
});

it('can be stopped while the apps still start', async () => {
  const dev = await startDevProcess({ apps: [exampleApp('hello-v3')], waitsUntilReady: false });
  try {
    await dev.port();
    expect(await dev.stop()).toEqual({ code: 0, signal: null });
    expect(dev.output).not.toMatch(/Stopping.*Ready after/s);
  } finally {
    await dev.close();
  }
});
