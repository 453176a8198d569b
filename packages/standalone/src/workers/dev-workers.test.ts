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

const definitionOf = (applicationId: string, version = 'dev-1') => ({
  applicationId,
  metadataVersion: version,
  codeVersion: version,
});

/** The workers, and the debuggers' ports that they wanted. */
async function open(inspectPort?: number) {
  const debuggers: string[] = [];
  const workers = await openDevWorkers({
    hostName: 'localhost:7071',
    inspectPort,
    openDebugger: (applicationId, { host, port }) => debuggers.push(`${applicationId} ${host}:${port}`),
    compileCacheOf: async (applicationId) => (applicationId === 'shop' ? '/data/shop' : undefined),
  });
  const resolve = (application: LoadedApplication, version?: string) =>
    workers.resolve(application, definitionOf(application.applicationId, version));
  return { workers, debuggers, resolve };
}

describe('openDevWorkers', () => {
  it('starts our worker with our Node, in the environment that the official tools give', async () => {
    const { workers, resolve } = await open();
    const loaded = await app('shop', { GREETING: 'Hello' });
    const { launch, traits, notes } = await resolve(loaded);
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
    const { resolve } = await open();
    const { launch } = await resolve(
      await app('shop', {
        languageWorkers__node__defaultExecutablePath: own,
        languageWorkers__node__arguments: '--trace-warnings --max-old-space-size=256',
      }),
    );
    expect(launch).toMatchObject({ executable: own, arguments: ['--trace-warnings', '--max-old-space-size=256'] });
  });

  it('has the traces of a TypeScript app name its sources, unless the app says otherwise', async () => {
    const { resolve } = await open();
    const argumentsOf = async (values: Record<string, string>): Promise<readonly string[]> => {
      const loaded = await app('shop', values);
      await folder.write('shop', { 'tsconfig.json': {} });
      return (await resolve(loaded)).launch.arguments;
    };
    expect(await argumentsOf({})).toEqual(['--enable-source-maps']);
    expect(await argumentsOf({ NODE_OPTIONS: '--no-enable-source-maps' })).toEqual([]);
    const own = { languageWorkers__node__arguments: '--no-enable-source-maps' };
    expect(await argumentsOf(own)).toEqual(['--no-enable-source-maps']);
  });

  it('lets Node.js keep what it has compiled of an app in a folder of the app, or where the app says', async () => {
    const { resolve } = await open();
    const own = await app('shop', { NODE_COMPILE_CACHE: '/own' });
    const launches = [await resolve(await app('shop')), await resolve(own), await resolve(await app('other'))];
    const folders = launches.map(({ launch }) => launch.environment.NODE_COMPILE_CACHE);
    expect(folders).toEqual(['/data/shop', '/own', undefined]);
  });

  it('gives each app a debugger port of its own, over all of its versions', async () => {
    const { debuggers, resolve } = await open(9229);
    const [one, two] = [await app('one'), await app('two')];
    const launches = [await resolve(one), await resolve(two), await resolve(one, 'dev-2')];
    expect(launches.map(({ launch }) => launch.arguments[0])).toEqual(Array(3).fill('--inspect=127.0.0.1:0'));
    expect(debuggers).toEqual(['one 127.0.0.1:9229', 'two 127.0.0.1:9230', 'one 127.0.0.1:9229']);
  });

  it('takes the debugger that the settings of an app ask for', async () => {
    const { debuggers, resolve } = await open();
    const loaded = await app('shop', { languageWorkers__node__arguments: '--inspect-brk=9300 --trace-warnings' });
    const { launch } = await resolve(loaded);
    expect(launch.arguments).toEqual(['--inspect-brk=127.0.0.1:0', '--trace-warnings']);
    expect(debuggers).toEqual(['shop 127.0.0.1:9300']);
  });

  it('starts each version with what its folder said then, and forgets it', async () => {
    const { workers, resolve } = await open();
    await resolve(await app('shop', { GREETING: 'old' }), 'dev-1');
    await resolve(await app('shop', { GREETING: 'new' }), 'dev-2');
    const greeting = async (version: string) =>
      (await workers.launchOf(definitionOf('shop', version))).environment.GREETING;
    expect([await greeting('dev-1'), await greeting('dev-2')]).toEqual(['old', 'new']);
    workers.forget(definitionOf('shop', 'dev-1'));
    await expect(greeting('dev-1')).rejects.toThrow("no app 'shop' was started here");
    expect(await greeting('dev-2')).toBe('new');
  });

  it('names a language without a worker', async () => {
    const { resolve } = await open();
    const loaded = await app('shop', { FUNCTIONS_WORKER_RUNTIME: 'cobol' });
    await expect(resolve(loaded)).rejects.toThrow("There is no worker for 'cobol'");
  });

  it('knows nothing of apps that were not started here', async () => {
    const { workers } = await open();
    await expect(workers.launchOf(definitionOf('stranger'))).rejects.toThrow("no app 'stranger' was started here");
  });
});
