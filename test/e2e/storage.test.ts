/** Timers and queues, with a real storage emulator and real worker processes. */

import { connect } from 'node:net';
import { BlobServiceClient } from '@azure/storage-blob';
import { type Azurite, planAzurite, startAzurite } from '@switchyard/triggers/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openAppFolder } from './app-folder.ts';
import { type DevProcess, exampleApp, isAlive, patienceMs, startDevProcess, testApp } from './dev-process.ts';
import { azuriteEntry, azuritePart, openQueue } from './queues.ts';

describe.skipIf(azuritePart.skip)('timers and queues', () => {
  let azurite: Azurite;
  let storage: string;
  let dev: DevProcess | undefined;
  beforeAll(async () => {
    azurite = await startAzurite(azuriteEntry ?? '');
    storage = azurite.connectionString;
  });
  afterAll(() => azurite.stop());
  afterEach(async () => {
    await dev?.close();
    dev = undefined;
  });

  const start = async (app: string, environment: Readonly<Record<string, string>> = {}): Promise<DevProcess> => {
    dev = await startDevProcess({ apps: [app], environment: { AzureWebJobsStorage: storage, ...environment } });
    return dev;
  };

  /** What the host keeps in the app's storage. */
  const hostBlobs = async (): Promise<string[]> => {
    const container = BlobServiceClient.fromConnectionString(storage).getContainerClient('azure-webjobs-hosts');
    const names: string[] = [];
    for await (const { name } of container.listBlobsFlat()) names.push(name);
    return names;
  };

  /** Whether a process is the primary host of its app. */
  const isPrimary = async (process: DevProcess): Promise<boolean> =>
    JSON.parse((await process.request('/admin/host/status')).text).isPrimary;

  it('fires a timer at its times, from a schedule in the settings', async () => {
    const running = await start(testApp('steady'), { TICK_SCHEDULE: '* * * * * *' });
    await running.matching(/ticked, past due: false \[tick /, 2);
    await running.line(/Executing 'Functions.tick' \(Reason='Timer fired at \d{4}-/);
  });

  it('runs the timers of an app in one of two processes, and in the other when that one is gone', async () => {
    const tick = { TICK_SCHEDULE: '* * * * * *' };
    const ticked = /ticked, past due: .* \[tick /;
    const first = await start(testApp('steady'), tick);
    await first.matching(ticked, 1);
    const environment = { AzureWebJobsStorage: storage, ...tick };
    const second = await startDevProcess({ apps: [testApp('steady')], environment });
    try {
      const soFar = first.lines.filter((line) => ticked.test(line)).length;
      await first.matching(ticked, soFar + 3);
      expect(second.lines.filter((line) => ticked.test(line))).toEqual([]);
      expect([await isPrimary(first), await isPrimary(second)]).toEqual([true, false]);
      await first.close();
      await second.matching(ticked, 1);
      await expect.poll(() => isPrimary(second), { timeout: patienceMs }).toBe(true);
    } finally {
      await second.close();
    }
    expect(await hostBlobs()).toContainEqual(expect.stringMatching(/^locks\/[^/]+\/host$/));
    expect(await hostBlobs()).toContainEqual(expect.stringMatching(/^locks\/[^/]+\/Host\.Functions\.tick\.Listener$/));
  });

  it('keeps the status of a timer in the storage of the app', async () => {
    await start(testApp('steady'), { TICK_SCHEDULE: '0 0 0 1 1 *' });
    await expect
      .poll(hostBlobs)
      .toContainEqual(expect.stringMatching(/^timers\/[^/]+\/Host\.Functions\.tick\/status$/));
  });

  it('runs timers without the storage that the settings name, where no emulator can be had', async () => {
    const endpoints = ['Blob', 'Queue', 'Table'].map(
      (service) => `${service}Endpoint=http://127.0.0.1:1/devstoreaccount1`,
    );
    const nowhere = ['AccountName=devstoreaccount1', 'AccountKey=a2V5', ...endpoints].join(';');
    const elsewhere = await openAppFolder({
      'src/tick.js': `import { app } from '@azure/functions';
app.timer('tick', { schedule: '* * * * * *', handler: (_timer, context) => context.log('ticked') });
`,
    });
    try {
      dev = await startDevProcess({
        apps: [elsewhere.path],
        flags: ['--no-azurite'],
        environment: { AzureWebJobsStorage: nowhere },
      });
      await dev.matching(/ticked \[tick /, 2);
    } finally {
      await elsewhere.close();
    }
  });

  it('carries an order from HTTP through two queues', async () => {
    const receipts = await openQueue(storage, 'receipts');
    const running = await start(exampleApp('hello-javascript'));
    const answer = await running.request('/api/orders', { body: '{"item": "tea", "quantity": 2}' });
    expect(answer.status).toBe(202);
    const { id } = JSON.parse(answer.text);
    await running.line(/Packing 2 x tea \(try 1\) \[processOrder /);
    expect(await receipts.take(1)).toEqual([{ orderId: id, packed: true }]);
    // The message is deleted after the outputs are written.
    const orders = await openQueue(storage, 'orders');
    await expect.poll(() => orders.size()).toBe(0);
  });

  it('finds out how many messages of a queue may be in work, and keeps that for its next start', async () => {
    const work = await openQueue(storage, 'work');
    await work.send({ id: 'measured', kind: 'normal' });
    // A machine that is busy with other tests makes no difference here.
    const concurrency = { dynamicConcurrencyEnabled: 'true', cpuThreshold: '1' };
    const environment = Object.fromEntries(
      Object.entries(concurrency).map(([name, value]) => [`AzureFunctionsJobHost__concurrency__${name}`, value]),
    );
    await start(testApp('steady'), environment);
    expect(await (await openQueue(storage, 'done')).take(1)).toEqual([{ id: 'measured', attempt: 1 }]);
    const container = BlobServiceClient.fromConnectionString(storage).getContainerClient('azure-webjobs-hosts');
    const kept = async (): Promise<unknown> => {
      const name = (await hostBlobs()).find((blob) => /^concurrency\/[^/]+\/concurrencyStatus\.json$/.test(blob));
      if (name === undefined) return undefined;
      return JSON.parse(String(await container.getBlobClient(name).downloadToBuffer()));
    };
    await expect
      .poll(kept, { timeout: patienceMs })
      .toMatchObject({ FunctionSnapshots: { 'Host.Functions.work': { Concurrency: 2 } } });
  });

  it('puts a message that always fails into the poison queue after maxDequeueCount tries', async () => {
    const work = await openQueue(storage, 'work');
    const poison = await openQueue(storage, 'work-poison');
    await work.send({ id: 'bad', kind: 'throw' });
    await work.send({ id: 'good', kind: 'normal' });
    const running = await start(testApp('steady'));
    expect(await poison.take(1)).toEqual([{ id: 'bad', kind: 'throw' }]);
    const tries = await running.matching(/try \d of bad/, 3);
    expect(tries.map((line) => /try (\d)/.exec(line)?.[1])).toEqual(['1', '2', '3']);
    expect(await (await openQueue(storage, 'done')).take(1)).toEqual([{ id: 'good', attempt: 1 }]);
    await expect.poll(() => work.size()).toBe(0);
  });

  it('loses no message when the worker is killed in the middle of it', async () => {
    const work = await openQueue(storage, 'work');
    const done = await openQueue(storage, 'done');
    await work.send({ id: 'survivor', kind: 'hang' });
    const running = await start(testApp('steady'));
    const first = await running.line(/try 1 of survivor in process \d+/);
    const pid = Number(/process (\d+)/.exec(first)?.[1]);
    process.kill(pid, 'SIGKILL');
    const second = await running.line(/try 2 of survivor in process \d+/);
    expect(Number(/process (\d+)/.exec(second)?.[1])).not.toBe(pid);
    expect(await done.take(1)).toEqual([{ id: 'survivor', attempt: 2 }]);
    await expect.poll(() => work.size()).toBe(0);
    expect((await running.request('/wait/1')).text).toBe('waited');
  });

  it('abandons a message that does not end in time when it stops, and delivers it again', async () => {
    const work = await openQueue(storage, 'work');
    const done = await openQueue(storage, 'done');
    await work.send({ id: 'unfinished', kind: 'hang' });
    const first = await start(testApp('steady'));
    await first.line(/try 1 of unfinished/);
    expect(await first.stop()).toMatchObject({ code: 0 });
    await first.close();
    const second = await start(testApp('steady'));
    await second.line(/try 2 of unfinished/);
    expect(await done.take(1)).toEqual([{ id: 'unfinished', attempt: 2 }]);
  });
});

describe.skipIf(azuritePart.skip)('the storage emulator in the box', () => {
  it('is started where the settings want one and nobody listens, and ends with the host', async () => {
    const connectionString = await planAzurite();
    const dev = await startDevProcess({
      apps: [exampleApp('hello-javascript')],
      environment: { AzureWebJobsStorage: connectionString },
    });
    try {
      const answer = await dev.request('/api/orders', { body: '{"item": "tea"}' });
      expect(answer.status).toBe(202);
      await dev.line(/Packing 1 x tea/);
      expect(dev.output).not.toMatch(/cannot be read/);
      expect(await dev.stop()).toMatchObject({ code: 0 });
      expect(await isListening(connectionString)).toBe(false);
    } finally {
      await dev.close();
    }
  });

  it('ends even when the host is killed, and so does the worker', async () => {
    const connectionString = await planAzurite();
    const dev = await startDevProcess({
      apps: [testApp('steady')],
      environment: { AzureWebJobsStorage: connectionString },
    });
    const { pid } = JSON.parse((await dev.request('/environment')).text);
    await expect.poll(() => isListening(connectionString), { timeout: patienceMs }).toBe(true);
    dev.signal('SIGKILL');
    await dev.exited();
    await dev.close();
    await expect.poll(() => isAlive(pid), { timeout: patienceMs }).toBe(false);
    await expect.poll(() => isListening(connectionString), { timeout: patienceMs }).toBe(false);
  });
});

/** True when something listens at the queue endpoint. */
function isListening(connectionString: string): Promise<boolean> {
  const port = Number(/QueueEndpoint=http:\/\/127\.0\.0\.1:(\d+)/.exec(connectionString)?.[1]);
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
