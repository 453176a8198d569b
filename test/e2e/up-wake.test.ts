/** Apps of an installation that sleep without a worker, and what wakes them. */
import { BlobServiceClient } from '@azure/storage-blob';
import { type Azurite, startAzurite } from '@switchyard/triggers/testing';
import { afterAll, beforeAll, describe, it, type TestContext } from 'vitest';
import { type AppFolder, openAppFolder } from './command-line.ts';
import { isAlive } from './dev-process.ts';
import { azuriteEntry, azuritePart, openQueue } from './queues.ts';
import { UpProcess } from './up-process.ts';

/** An app with one function that answers its trigger with a message that names its process. */
const appFiles = (name: string, trigger: string) => ({
  [`${name}/host.json`]: { version: '2.0', extensions: { queues: { maxPollingInterval: '00:00:00.200' } } },
  [`${name}/package.json`]: { name, type: 'module', main: 'app.js', dependencies: { '@azure/functions': '*' } },
  [`${name}/app.js`]: `import { app, output } from '@azure/functions';
const answers = output.storageQueue({ queueName: 'answers-of-${name}', connection: 'AzureWebJobsStorage' });
const handler = (input, context) => context.extraOutputs.set(answers, { pid: process.pid });
${trigger}
`,
});

const triggers = {
  queue: `app.storageQueue('work', { queueName: 'work', connection: 'AzureWebJobsStorage', extraOutputs: [answers], handler });`,
  blob: `app.storageBlob('work', { path: 'inbox/{name}', connection: 'AzureWebJobsStorage', extraOutputs: [answers], handler });`,
  timer: `app.timer('work', { schedule: '*/3 * * * * *', extraOutputs: [answers], handler });`,
} as const;

// Tests that run beside each other have an `expect` each: nobody knows whose the common one would be.
describe.skipIf(azuritePart.skip).concurrent('an app that sleeps', () => {
  let azurite: Azurite;
  let apps: AppFolder;
  let up: UpProcess;
  beforeAll(async () => {
    azurite = await startAzurite(azuriteEntry ?? '');
    apps = await openAppFolder();
    up = await UpProcess.start({ flags: ['--idle-seconds', '1'] });
  });
  afterAll(async () => {
    await up.close();
    await apps.remove();
    await azurite.stop();
  });

  const deploy = async (name: keyof typeof triggers): Promise<void> => {
    const values = { FUNCTIONS_WORKER_RUNTIME: 'node', AzureWebJobsStorage: azurite.connectionString };
    await apps.write({ ...appFiles(name, triggers[name]), [`${name}/local.settings.json`]: { Values: values } });
    await up.do('deploy', `${apps.path}/${name}`, '--settings-from', 'local.settings.json');
  };
  const asleep = (name: string, { expect }: TestContext) =>
    expect.poll(() => up.do('ps', name), { timeout: 20_000, interval: 200 }).toMatch(/state\s+dormant/);
  const answer = async (name: string): Promise<number> => {
    const answers = await openQueue(azurite.connectionString, `answers-of-${name}`);
    const [message] = await answers.take(1);
    return (message as { pid: number }).pid;
  };

  it('is woken by a message, answers it, and sleeps again', async (test) => {
    const { expect } = test;
    await deploy('queue');
    await asleep('queue', test);
    const work = await openQueue(azurite.connectionString, 'work');
    await work.send('one');
    const first = await answer('queue');
    await asleep('queue', test);
    await expect.poll(() => isAlive(first)).toBe(false);
    await work.send('two');
    expect(await answer('queue')).not.toBe(first);
    expect(await work.size()).toBe(0);
  });

  it('is woken by a blob', async (test) => {
    const { expect } = test;
    await deploy('blob');
    await asleep('blob', test);
    const inbox = BlobServiceClient.fromConnectionString(azurite.connectionString).getContainerClient('inbox');
    await inbox.createIfNotExists();
    await inbox.getBlockBlobClient('letter.txt').upload('hello', 5);
    expect(await answer('blob')).toBeGreaterThan(0);
  });

  it('is woken by its timer, again and again', async ({ expect }) => {
    await deploy('timer');
    const first = await answer('timer');
    // A worker that came late to one time may be awake still at the next.
    await expect.poll(() => answer('timer')).not.toBe(first);
  });
});
