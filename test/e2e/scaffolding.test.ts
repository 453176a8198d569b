/** Apps from `switchyard init` and `switchyard new`, and from their `func` spellings: they compile and run. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlobServiceClient } from '@azure/storage-blob';
import { type Azurite, startAzurite } from '@switchyard/triggers/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AppFolder, openAppFolder, type Program, runCommand, startCommand } from './command-line.ts';
import { type DevProcess, startDevProcess } from './dev-process.ts';
import { azuriteEntry, azuritePart, openQueue } from './queues.ts';

let folder: AppFolder;
let dev: DevProcess | undefined;
beforeEach(async () => {
  folder = await openAppFolder();
});
afterEach(async () => {
  await dev?.close();
  dev = undefined;
  await folder.remove();
});

/** Runs a command that must succeed, in a folder below the tests' own. */
async function run(program: Program, at: string, ...words: string[]): Promise<string> {
  const { code, output } = await runCommand(program, join(folder.path, at), words);
  expect(`${code} ${output}`).toMatch(/^0 /);
  return output;
}

async function serve(app: string, environment: Record<string, string> = {}): Promise<DevProcess> {
  const apps = [join(folder.path, app)];
  dev = await startDevProcess({ apps, flags: ['--no-azurite'], environment });
  return dev;
}

describe('a scaffolded app', () => {
  it('answers in JavaScript', async () => {
    await run('switchyard', '.', 'init', 'shop', '--language', 'javascript');
    await run('switchyard', 'shop', 'new', 'http', '--name', 'greet');
    const running = await serve('shop');
    expect((await running.request('/api/greet?name=Ada')).text).toBe('Hello, Ada!');
    expect((await running.request('/api/greet', { body: 'Grace' })).text).toBe('Hello, Grace!');
    await running.line(/Saying hello to Grace \[greet /);
  });

  it('answers in JavaScript modules', async () => {
    await run('switchyard', '.', 'init', 'shop', '--language', 'javascript');
    const manifest = JSON.parse(await folder.read('shop/package.json'));
    await folder.write({ 'shop/package.json': { ...manifest, type: 'module' } });
    await run('switchyard', 'shop', 'new', 'http');
    expect((await (await serve('shop')).request('/api/hello')).text).toBe('Hello, world!');
  });

  it('answers in TypeScript when it is built, with every trigger', async () => {
    await run('switchyard', '.', 'init', 'shop');
    for (const trigger of ['http', 'timer', 'queue', 'blob', 'eventhub', 'servicebus'])
      await run('switchyard', 'shop', 'new', trigger);
    folder.build('shop');
    const running = await serve('shop', { AzureWebJobsStorage: '' });
    expect((await running.request('/api/hello')).text).toBe('Hello, world!');
    expect(running.output).toContain('\ttick: timerTrigger');
    expect(running.output).not.toContain('npm run build');
  });

  it('says how it is built where nothing can build it', async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'switchyard-unbuilt-'));
    try {
      expect(await runCommand('switchyard', elsewhere, ['init'])).toMatchObject({ code: 0 });
      expect(await runCommand('switchyard', elsewhere, ['new', 'http'])).toMatchObject({ code: 0 });
      dev = startCommand('switchyard', elsewhere, ['dev', '--port', '0', '--no-azurite']);
      await dev.line(
        /is not built: no file matches "main": "dist\/src\/functions\/\*\.js".* Run 'npm run build' there\.$/,
      );
    } finally {
      await dev?.close();
      await rm(elsewhere, { recursive: true, force: true });
    }
  });

  it('answers in the v3 model', async () => {
    await run('switchyard', '.', 'init', 'shop', '--model', 'v3');
    await run('switchyard', 'shop', 'new', 'http');
    await run('switchyard', 'shop', 'new', 'timer');
    const running = await serve('shop');
    expect((await running.request('/api/hello?name=Ada')).text).toBe('Hello, Ada!');
    expect(running.output).toContain('\ttick: timerTrigger');
  });

  it('comes from func as well, and runs with it', async () => {
    await run('func', '.', 'init', 'shop', '--worker-runtime', 'node', '--language', 'typescript');
    await run('func', 'shop', 'new', '--template', 'HTTP trigger', '--name', 'greet');
    folder.build('shop');
    dev = startCommand('func', join(folder.path, 'shop'), ['start', '--port', '0']);
    await dev.line(/Job host started/);
    expect((await dev.request('/api/greet')).text).toBe('Hello, world!');
  });

  it('is not written over an app that is there', async () => {
    await run('switchyard', '.', 'init', 'shop');
    const again = await runCommand('switchyard', folder.path, ['init', 'shop']);
    const file = join(folder.path, 'shop', 'package.json');
    expect(again).toMatchObject({ code: 2, output: expect.stringContaining(`'${file}' exists already`) });
  });
});

describe.skipIf(azuritePart.skip)('a scaffolded app with storage', () => {
  let azurite: Azurite;
  beforeAll(async () => {
    azurite = await startAzurite(azuriteEntry ?? '');
  });
  afterAll(() => azurite.stop());

  it.each(['v4', 'v3'])('takes messages of a queue in the %s model', async (model) => {
    await run('switchyard', '.', 'init', 'shop', '--language', 'javascript', '--model', model);
    await run('switchyard', 'shop', 'new', 'queue');
    await (await openQueue(azurite.connectionString, 'items')).send({ tea: 2 });
    const running = await serve('shop', { AzureWebJobsStorage: azurite.connectionString });
    expect(running.lines).toContain('\tprocessItem: queueTrigger');
    await running.line(/Queue item: \{ tea: 2 \}/);
  });

  it.each(['v4', 'v3'])('takes files of a container in the %s model', async (model) => {
    await run('switchyard', '.', 'init', 'shop', '--language', 'javascript', '--model', model);
    await run('switchyard', 'shop', 'new', 'blob');
    const container = BlobServiceClient.fromConnectionString(azurite.connectionString).getContainerClient('uploads');
    await container.createIfNotExists();
    await container.getBlockBlobClient(`${model}.txt`).upload('hello', 5);
    const running = await serve('shop', { AzureWebJobsStorage: azurite.connectionString });
    expect(running.lines).toContain('\tprocessUpload: blobTrigger');
    await running.line(new RegExp(`Blob ${model}\\.txt has 5 bytes`));
  });
});
