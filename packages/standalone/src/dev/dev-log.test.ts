import { systemClock } from '@switchyard/kernel';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createCurrentApplications } from '../application/current-applications.ts';
import { loadApplication } from '../application/load-application.ts';
import { openTestFolder, type TestFolder } from '../testing/app-folders.ts';
import { type DevLogOptions, devCategory, openDevLog } from './dev-log.ts';

let folder: TestFolder;
beforeEach(async () => {
  folder = await openTestFolder();
});
afterEach(() => folder.remove());

async function open(overrides: Partial<DevLogOptions> = {}) {
  const app = async (name: string, logLevel: Record<string, string>) =>
    loadApplication(
      await folder.write(name, { 'host.json': { version: '2.0', logging: { logLevel } }, 'package.json': {} }),
      {},
    );
  const written: string[] = [];
  const log = await openDevLog(systemClock, {
    output: 'text',
    verbose: false,
    applications: createCurrentApplications([await app('quiet', { Function: 'Error' }), await app('plain', {})]),
    console: { write: (text) => written.push(text) },
    environment: {},
    ...overrides,
  });
  return { log, written };
}

it("lets each app's lines pass the levels of its own host.json", async () => {
  const { log, written } = await open();
  for (const applicationId of ['quiet', 'plain'])
    log.write('information', `from ${applicationId}`, { applicationId, category: 'Function.Hello.User' });
  expect(written).toEqual([expect.stringContaining('plain: from plain')]);
});

it('follows the levels that host.json has now', async () => {
  const app = async (logLevel: Record<string, string>) =>
    loadApplication(
      await folder.write('shop', { 'host.json': { version: '2.0', logging: { logLevel } }, 'package.json': {} }),
      {},
    );
  const applications = createCurrentApplications([await app({ Function: 'Error' })]);
  const { log, written } = await open({ applications });
  const write = (): void => log.write('information', 'hello', { applicationId: 'shop', category: 'Function.Hello' });
  write();
  applications.replace(await app({ Function: 'Information' }));
  write();
  expect(written).toHaveLength(1);
});

it('shows what the host does when asked, and its warnings always', async () => {
  const silent = await open();
  silent.log.write('information', 'detail', { category: 'Host.Startup' });
  silent.log.write('warning', 'trouble', { category: 'Host.Startup' });
  silent.log.write('information', 'own words', { category: devCategory });
  expect(silent.written).toEqual([expect.stringContaining('trouble'), expect.stringContaining('own words')]);
  const verbose = await open({ verbose: true });
  verbose.log.write('debug', 'detail', { category: 'Host.Startup' });
  expect(verbose.written).toHaveLength(1);
});

it('writes JSON when asked', async () => {
  const { log, written } = await open({ output: 'json' });
  log.write('error', 'broken', { applicationId: 'plain' });
  expect(JSON.parse(written.join(''))).toMatchObject({ level: 'error', message: 'broken', applicationId: 'plain' });
});
