/** A backlog in a real queue scales an app of an installation out, and back in when it is done. */
import type { ScaleView } from '@switchyard/protocol/control-api';
import { type Azurite, startAzurite } from '@switchyard/triggers/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AppFolder, openAppFolder } from './command-line.ts';
import { azuriteEntry, azuritePart, openQueue } from './queues.ts';
import { UpProcess } from './up-process.ts';

/** Real processes on a busy machine: long enough that only a defect exceeds it. */
const patience = { timeout: 120_000, interval: 250 } as const;

/** Each worker takes three messages at once, far below its target: its load alone asks for no second one. */
const files = {
  'shop/host.json': { version: '2.0', extensions: { queues: { batchSize: 2, newBatchThreshold: 1 } } },
  'shop/package.json': { name: 'shop', type: 'module', main: 'app.js', dependencies: { '@azure/functions': '*' } },
  'shop/app.js': `import { app, output } from '@azure/functions';
const answers = output.storageQueue({ queueName: 'answers', connection: 'AzureWebJobsStorage' });
app.storageQueue('work', { queueName: 'work', connection: 'AzureWebJobsStorage', extraOutputs: [answers],
  handler: async (input, context) => {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    context.extraOutputs.set(answers, { pid: process.pid, number: input.number });
  } });
`,
};

describe.skipIf(azuritePart.skip)('a backlog', () => {
  let azurite: Azurite;
  let apps: AppFolder;
  let up: UpProcess;
  beforeAll(async () => {
    azurite = await startAzurite(azuriteEntry ?? '');
    apps = await openAppFolder();
    up = await UpProcess.start({ flags: ['--idle-seconds', '4'] });
  });
  afterAll(async () => {
    await up.close();
    await apps.remove();
    await azurite.stop();
  });

  const explain = async (): Promise<ScaleView> => JSON.parse(await up.do('scale', 'explain', 'shop', '--json'));
  const seen = async () => (await explain()).versions[0];

  it('in a queue scales an app out that sleeps, and back in to nothing', { timeout: 300_000 }, async () => {
    const Values = { FUNCTIONS_WORKER_RUNTIME: 'node', AzureWebJobsStorage: azurite.connectionString };
    await apps.write({ ...files, 'shop/local.settings.json': { Values } });
    await up.do('deploy', `${apps.path}/shop`, '--settings-from', 'local.settings.json');
    await up.do('scale', 'set', 'shop', 'maximum=3', 'targetConcurrency=20', 'stabilizationSeconds=2');
    await expect.poll(async () => (await seen())?.workers.ready, patience).toBe(0);
    const work = await openQueue(azurite.connectionString, 'work');
    const answers = await openQueue(azurite.connectionString, 'answers');
    const numbers = Array.from({ length: 200 }, (_, number) => number);
    await Promise.all(numbers.map((number) => work.send({ number })));
    await expect.poll(async () => (await seen())?.signals.messages ?? 0, patience).toBeGreaterThan(100);
    expect((await seen())?.signals.oldestMessageMs).toBeGreaterThanOrEqual(0);
    await expect.poll(async () => (await seen())?.workers.ready ?? 0, patience).toBeGreaterThan(1);
    expect((await explain()).changes.map(({ rule }) => rule)).toContain('queue-length');
    await expect.poll(() => answers.size(), patience).toBe(numbers.length);
    const done = (await answers.take(numbers.length)) as readonly { readonly pid: number; readonly number: number }[];
    expect(done.map(({ number }) => number).sort((one, other) => one - other)).toEqual(numbers);
    expect(new Set(done.map(({ pid }) => pid)).size).toBeGreaterThan(1);
    const nothing = { wanted: 0, ready: 0, draining: 0 };
    await expect.poll(async () => (await seen())?.workers, patience).toMatchObject(nothing);
    await expect.poll(() => up.do('scale', 'explain', 'shop'), patience).toMatch(/0 messages|rule +none/);
    expect(await work.size()).toBe(0);
  });
});
