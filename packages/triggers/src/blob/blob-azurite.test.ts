/** The blob kinds together, against a real storage service and in real time. */
import { createDeferred, silentLog, systemClock, systemRandom } from '@switchyard/kernel';
import { requirePart } from '@switchyard/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAzureBlobService } from '../azure-storage/azure-blob-service.ts';
import { createAzureQueueService } from '../azure-storage/azure-queue-service.ts';
import type { InvocationOutcome, TriggerEvent, TriggerListener } from '../contract.ts';
import { createSingletonLocks } from '../singleton/lease-locks.ts';
import { type Azurite, azuriteHint, findAzurite, startAzurite } from '../testing/azurite.ts';
import { createBinding, createContext, createScope } from '../testing/scope.ts';
import { failed, succeeded } from '../testing/scripted-invoke.ts';
import { textData } from '../typed-data.ts';
import { createBlobInput } from './blob-input.ts';
import { createBlobOutput } from './blob-output.ts';
import { createBlobTrigger } from './blob-trigger.ts';
import { BlobWrites } from './blob-writes.ts';
import { StorageLogReader } from './storage-log-reader.ts';

const entry = findAzurite();
const part = requirePart('Azurite', entry !== undefined, azuriteHint);
const { signal } = new AbortController();
const context = createContext({ clock: systemClock, random: systemRandom, log: silentLog });

describe.skipIf(part.skip)('blob kinds against Azurite', () => {
  const blobs = createAzureBlobService();
  const queues = createAzureQueueService();
  const locks = createSingletonLocks({ clock: systemClock, random: systemRandom, log: silentLog, blobs });
  const writes = new BlobWrites();
  const trigger = createBlobTrigger({ blobs, queues, locks, writes });
  const output = createBlobOutput({ blobs, writes });
  const input = createBlobInput({ blobs });
  const listeners: TriggerListener[] = [];
  let azurite: Azurite;

  beforeAll(async () => {
    azurite = await startAzurite(entry ?? '');
  });
  afterAll(async () => {
    await Promise.all(listeners.map((listener) => listener.close()));
    await azurite.stop();
  });

  const scope = () => createScope({ settings: { AzureWebJobsStorage: azurite.connectionString }, development: true });

  /** Writes through the output binding, which wakes the scanner of this process. */
  const write = async (path: string, text: string): Promise<void> => {
    const options = output.parse(createBinding({ name: 'out', type: 'blob', direction: 'out', path }), scope());
    await output.write(options, textData(text), new Map(), context);
  };

  /** Writes as somebody else does. */
  const put = async (container: string, blob: string, text: string): Promise<void> => {
    const client = blobs.open(azurite.connection, container);
    await client.create(signal);
    const metadata = new Map([['AuthorName', 'me']]);
    await client.write(blob, new TextEncoder().encode(text), { metadata, contentType: 'text/plain' }, signal);
  };

  /** Listens for blobs. Each listener has an app of its own. */
  const listen = async (path: string, hostId: string, answer: () => InvocationOutcome = succeeded) => {
    const options = trigger.parse(createBinding({ name: 'blob', type: 'blobTrigger', path }), scope());
    const events: TriggerEvent[] = [];
    let more = createDeferred<void>();
    const invoke = async (event: TriggerEvent): Promise<InvocationOutcome> => {
      events.push(event);
      more.resolve();
      more = createDeferred();
      return answer();
    };
    const listener = trigger.listen(options, { ...context, hostId, invoke });
    listeners.push(listener);
    await listener.start(signal);
    /** Resolves once the function ran so often. */
    const ran = async (runs: number): Promise<void> => {
      while (events.length < runs) await more.promise;
    };
    return { events, ran, listener };
  };

  it('blobs of others and of this process reach the function, once per version, with all that belongs to them', async () => {
    await put('images', 'old/ä b.png', 'old');
    const { events, ran, listener } = await listen('images/{folder}/{name}.{ext}', 'first');
    await ran(1);
    await write('images/new/1.png', 'one');
    await put('images', 'old/ä b.png', 'newer');
    await ran(3);
    await listener.drain(signal);
    const texts = events.map(({ data }) => new TextDecoder().decode(data.data?.value as Uint8Array));
    expect(texts.sort()).toEqual(['newer', 'old', 'one']);
    const event = events.find(({ metadata }) => metadata.get('name')?.data?.value === 'ä b');
    expect(event?.metadata.get('BlobTrigger')?.data?.value).toBe('images/old/ä b.png');
    expect(event?.metadata.get('Metadata')?.data?.value).toBe('{"AuthorName":"me"}');
    expect(String(event?.metadata.get('Uri')?.data?.value)).toContain('/devstoreaccount1/images/old');
    expect(JSON.parse(String(event?.metadata.get('Properties')?.data?.value))).toMatchObject({
      BlobType: 'Block',
      ContentType: 'text/plain',
    });
    const hosts = blobs.open(azurite.connection, 'azure-webjobs-hosts');
    const page = await hosts.list({ maxBlobs: 100, prefix: 'blobreceipts/first/Host.Functions.Hello/"0x' }, signal);
    expect(page.kind === 'page' && page.blobs.length).toBe(3);
    const lock = await hosts.properties('locks/first/WebJobs.Internal.Blobs.Listener', signal);
    expect(lock).toMatchObject({ kind: 'found', properties: { headers: { LeaseState: 'available' } } });
  });

  it('a failing blob ends in the poison queue, as the official host writes it', async () => {
    const { ran, listener } = await listen('bad/{name}', 'second', failed);
    await write('bad/a', 'a');
    await ran(5);
    await listener.drain(signal);
    const poison = queues.open(azurite.connection, 'webjobs-blobtrigger-poison');
    const received = await poison.receive(1, 1_000, signal);
    const [message] = received.kind === 'messages' ? received.messages : [];
    expect(JSON.parse(Buffer.from(message?.text ?? '', 'base64').toString())).toMatchObject({
      Type: 'BlobTrigger',
      FunctionId: 'Host.Functions.Hello',
      BlobType: 'BlockBlob',
      ContainerName: 'bad',
      BlobName: 'a',
    });
  });

  it('what was written is read in the logs of the account', async () => {
    const logs = blobs.open(azurite.connection, '$logs');
    const [day = '', hour = ''] = new Date(systemClock.now()).toISOString().split(/[T:]/);
    const line = '1.0;t;PutBlob;Success;201;1;1;authenticated;shop;shop;blob;"u";"/shop/images/a.png";"id"\n';
    const file = `blob/${day.replaceAll('-', '/')}/${hour}00/000000.log`;
    await logs.create(signal);
    await logs.write(file, new TextEncoder().encode(line), { metadata: new Map([['LogType', 'read,write']]) }, signal);
    const reader = new StorageLogReader({ clock: systemClock, random: systemRandom, logs });
    expect(await reader.writes(signal)).toEqual([{ container: 'images', blob: 'a.png' }]);
    expect(await reader.writes(signal)).toEqual([]);
  });

  it('input reads what output wrote', async () => {
    await write('notes/a.txt', 'häl');
    const read = (path: string) =>
      input.read(input.parse(createBinding({ name: 'in', type: 'blob', path }), scope()), new Map(), context);
    expect(await read('notes/a.txt')).toEqual(textData('häl'));
    expect(await read('notes/gone.txt')).toEqual({ data: undefined });
    expect(await read('nowhere/gone.txt')).toEqual({ data: undefined });
  });
});
