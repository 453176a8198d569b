/** Blobs that Event Grid tells of, and those that somebody asks for by hand. */
import { createMemoryLog, createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { createSingletonLocks } from '../singleton/lease-locks.ts';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { MemoryQueues } from '../testing/memory-queues.ts';
import { createBinding, createContext, createScope } from '../testing/scope.ts';
import { createScriptedInvoke, succeeded } from '../testing/scripted-invoke.ts';
import { type BlobTriggerKind, createBlobTrigger } from './blob-trigger.ts';
import { BlobWrites } from './blob-writes.ts';

const { signal } = new AbortController();
const minuteMs = 60_000;
const settings = { AzureWebJobsStorage: 'UseDevelopmentStorage=true' };

/** One Runtime of an app, on storage in memory. */
class World {
  readonly clock = new VirtualClock();
  readonly blobs = new MemoryBlobs(this.clock);
  readonly #log = createMemoryLog(this.clock);
  readonly #random = createSeededRandom(1);
  readonly kind: BlobTriggerKind;

  constructor() {
    const deps = { clock: this.clock, random: this.#random, log: this.#log, blobs: this.blobs };
    const locks = createSingletonLocks(deps);
    const queues = new MemoryQueues(this.clock);
    this.kind = createBlobTrigger({ blobs: this.blobs, queues, locks, writes: new BlobWrites() });
  }

  /** A function that takes the blobs of `images`. */
  add(raw: Record<string, unknown>) {
    const { invoke, calls } = createScriptedInvoke(succeeded);
    const ports = { clock: this.clock, random: this.#random, log: this.#log, functionName: 'Resize' };
    const binding = createBinding({ name: 'blob', type: 'blobTrigger', path: 'images/{name}', ...raw });
    const options = this.kind.parse(binding, createScope({ settings }));
    const listener = this.kind.listen(options, { ...createContext(ports), invoke });
    return { listener, paths: () => calls.map(({ event }) => event.metadata.get('BlobTrigger')?.data?.value) };
  }

  put(path: string): void {
    const binding = createBinding({ name: 'blob', type: 'blobTrigger', path: 'x-x/{name}' });
    this.blobs.put(this.kind.parse(binding, createScope({ settings })).connection, path, 'content');
  }
}

describe('source EventGrid', () => {
  const told = { source: 'EventGrid' };
  const created = (blob: string, given: object = {}) => ({
    eventType: 'Microsoft.Storage.BlobCreated',
    subject: `/blobServices/default/containers/images/blobs/${blob}`,
    data: {},
    ...given,
  });
  const send = (kind: BlobTriggerKind, events: unknown, applicationId = 'shop') =>
    kind.webhook.serve(applicationId, {
      method: 'POST',
      headers: new Map([['aeg-event-type', 'Notification']]),
      query: new Map([['functionname', 'Host.Functions.Resize']]),
      body: JSON.stringify(events),
    });

  it('runs for blobs that an event tells of, and for no others', async () => {
    const world = new World();
    const { kind } = world;
    const { listener, paths } = world.add(told);
    await listener.start(signal);
    for (const name of ['a', 'b c', 'quiet']) world.put(`images/${name}`);
    const address = { subject: '', data: { url: 'http://127.0.0.1:10000/devstoreaccount1/images/b%20c' } };
    expect(await send(kind, [created('a'), created('', address)])).toMatchObject({ status: 202 });
    await world.clock.advance(5 * minuteMs);
    expect(paths().sort()).toEqual(['images/a', 'images/b c']);
    await world.clock.runUntil(listener.close());
  });

  it('takes what is not for the function, and runs nothing', async () => {
    const world = new World();
    const { kind } = world;
    const { listener, paths } = world.add(told);
    await listener.start(signal);
    world.put('other/a');
    const deleted = { ...created('a'), eventType: 'Microsoft.Storage.BlobDeleted' };
    const elsewhere = { ...created('a'), subject: '/blobServices/default/containers/other/blobs/a' };
    expect(await send(kind, [created('gone'), deleted, elsewhere])).toMatchObject({ status: 202 });
    await world.clock.advance(minuteMs);
    expect(paths()).toEqual([]);
    await world.clock.runUntil(listener.close());
  });

  it('is found from its start to its end, by its own app', async () => {
    const world = new World();
    const { kind } = world;
    const { listener } = world.add(told);
    expect(await send(kind, [created('a')])).toEqual({ kind: 'unknown' });
    await listener.start(signal);
    expect(await send(kind, [created('gone')], 'other')).toEqual({ kind: 'unknown' });
    expect(await send(kind, [created('gone')])).toMatchObject({ status: 202 });
    await world.clock.runUntil(listener.close());
    expect(await send(kind, [created('a')])).toEqual({ kind: 'unknown' });
  });

  it('lets Event Grid send again what could not be handed on', async () => {
    const world = new World();
    const { kind } = world;
    const { listener } = world.add(told);
    await listener.start(signal);
    world.blobs.fault = () => Promise.reject(new Error('down'));
    expect(await world.clock.runUntil(send(kind, [created('a')]))).toMatchObject({ status: 500 });
    world.blobs.fault = () => undefined;
    await world.clock.runUntil(listener.close());
  });
});

describe('a run by hand', () => {
  it('takes the blob that the input names', async () => {
    const world = new World();
    const { kind, clock } = world;
    world.put('images/a');
    const binding = createBinding({ name: 'blob', type: 'blobTrigger', path: 'images/{name}' });
    const options = kind.parse(binding, createScope({ settings }));
    const run = (input: string) =>
      kind.toManualEvent?.(options, input, createContext({ clock, random: createSeededRandom(1) }));
    expect(await run('images/a')).toMatchObject({
      kind: 'event',
      event: { reason: expect.stringContaining('programmatically'), data: { data: { $case: 'bytes' } } },
    });
    expect(await run('images/none')).toMatchObject({ kind: 'refused', reason: expect.stringContaining('no blob') });
    expect(await run('nonsense')).toMatchObject({ kind: 'refused', reason: expect.stringContaining('container/blob') });
  });
});
