import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LoadedApplication, loadApplication } from '../application/load-application.ts';
import { openTestFolder, type TestFolder } from '../testing/app-folders.ts';
import { openDevWorkers } from './dev-workers.ts';

let folder: TestFolder;
beforeEach(async () => {
  folder = await openTestFolder();
});
afterEach(() => folder.remove());

async function app(name: string, values: Readonly<Record<string, string>> = {}): Promise<LoadedApplication> {
  const settings = { Values: { FUNCTIONS_WORKER_RUNTIME: 'node', ...values } };
  return loadApplication(await folder.write(name, { 'local.settings.json': settings }), { SHELL_VALUE: 'shell' });
}

const definitionOf = (applicationId: string) => ({ applicationId, metadataVersion: 'dev', codeVersion: 'dev' });

describe('openDevWorkers', () => {
  it('starts our worker with our Node, in the environment that the official tools give', async () => {
    const workers = await openDevWorkers({ hostName: 'localhost:7071', inspectPort: undefined });
    const loaded = await app('shop', { GREETING: 'Hello' });
    const { launch, traits, notes } = await workers.resolve(loaded);
    expect(launch).toMatchObject({ executable: process.execPath, arguments: [], directory: loaded.directory });
    expect(launch.workerPath).toMatch(/worker-node[/\\]dist[/\\]worker\.cjs$/);
    expect(launch.environment).toMatchObject({
      GREETING: 'Hello',
      SHELL_VALUE: 'shell',
      AZURE_FUNCTIONS_ENVIRONMENT: 'Development',
      AzureWebJobsScriptRoot: loaded.directory,
      FUNCTIONS_WORKER_RUNTIME: 'node',
      FUNCTIONS_APPLICATION_DIRECTORY: loaded.directory,
      FUNCTIONS_WORKER_DIRECTORY: dirname(dirname(launch.workerPath)),
      WEBSITE_HOSTNAME: 'localhost:7071',
    });
    expect(traits.workerIndexing).toBe(true);
    expect(notes).toEqual([]);
    expect(await workers.launchOf(definitionOf('shop'))).toEqual(launch);
  });

  it('lets an app choose its own Node and arguments', async () => {
    const own = join(await folder.write('tools', { node: '' }), 'node');
    const workers = await openDevWorkers({ hostName: 'localhost:7071', inspectPort: undefined });
    const { launch } = await workers.resolve(
      await app('shop', {
        languageWorkers__node__defaultExecutablePath: own,
        languageWorkers__node__arguments: '--trace-warnings --max-old-space-size=256',
      }),
    );
    expect(launch).toMatchObject({ executable: own, arguments: ['--trace-warnings', '--max-old-space-size=256'] });
  });

  it('gives each app a debugger port of its own', async () => {
    const workers = await openDevWorkers({ hostName: 'localhost:7071', inspectPort: 9229 });
    const launches = [await workers.resolve(await app('one')), await workers.resolve(await app('two'))];
    expect(launches.map(({ launch }) => launch.arguments[0])).toEqual([
      '--inspect=127.0.0.1:9229',
      '--inspect=127.0.0.1:9230',
    ]);
  });

  it('names a language without a worker', async () => {
    const workers = await openDevWorkers({ hostName: 'localhost:7071', inspectPort: undefined });
    const loaded = await app('shop', { FUNCTIONS_WORKER_RUNTIME: 'cobol' });
    await expect(workers.resolve(loaded)).rejects.toThrow("There is no worker for 'cobol'");
  });

  it('knows nothing of apps that were not started here', async () => {
    const workers = await openDevWorkers({ hostName: 'localhost:7071', inspectPort: undefined });
    await expect(workers.launchOf(definitionOf('stranger'))).rejects.toThrow("no app 'stranger' was started here");
  });
});
