import { createMemoryLog, createSeededRandom, type MemoryLog, VirtualClock } from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InvocationOutcome, TriggerEvent, TriggerListener } from '../contract.ts';
import type { QueueService } from '../queue/queue-client.ts';
import { createSingletonLocks } from '../singleton/lease-locks.ts';
import type { StorageConnection } from '../storage/storage-connection.ts';
import { type Crash, createCrashingService } from '../testing/crashing-service.ts';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { MemoryQueues } from '../testing/memory-queues.ts';
import { createBinding, createContext, createScope } from '../testing/scope.ts';
import { createScriptedInvoke, failed, lost, type ScriptedInvoke, succeeded } from '../testing/scripted-invoke.ts';
import { createSleepyClock } from '../testing/sleepy-clock.ts';
import { createBlobTrigger } from './blob-trigger.ts';
import { BlobWrites } from './blob-writes.ts';

const { signal } = new AbortController();
const settings = { AzureWebJobsStorage: 'UseDevelopmentStorage=true' };
const minuteMs = 60_000;

type Answer = (event: TriggerEvent, call: number) => InvocationOutcome;

interface RuntimeSetup {
  readonly crash?: Crash;
  /** False: this Runtime only scans. */
  readonly reads?: boolean;
  readonly development?: boolean;
  readonly extensions?: Record<string, unknown>;
}

interface FunctionSetup {
  readonly name?: string;
  readonly path?: string;
  readonly answer?: Answer | undefined;
  readonly raw?: Record<string, unknown>;
}

interface Function {
  readonly listener: TriggerListener;
  readonly scripted: ScriptedInvoke;
  /** The paths that the function got, in order. */
  paths(): unknown[];
}

/** Several Runtimes of one app, on one storage account. */
class World {
  readonly clock = new VirtualClock();
  readonly blobs = new MemoryBlobs(this.clock);
  readonly queues = new MemoryQueues(this.clock);
  readonly connection: StorageConnection;
  #runtimes = 0;

  constructor() {
    const kind = this.runtime().kind;
    const binding = createBinding({ name: 'blob', type: 'blobTrigger', path: 'x-x/{name}' });
    this.connection = kind.parse(binding, createScope({ settings })).connection;
  }

  runtime(setup: RuntimeSetup = {}) {
    this.#runtimes += 1;
    const clock = createSleepyClock(this.clock);
    const log = createMemoryLog(this.clock);
    const random = createSeededRandom(this.#runtimes);
    const { crash } = setup;
    const blobs = crash === undefined ? this.blobs : createCrashingService(this.blobs, crash);
    const all = crash === undefined ? this.queues : createCrashingService<QueueService>(this.queues, crash);
    const queues = setup.reads === false ? withoutReceive(all) : all;
    const locks = createSingletonLocks({ clock, random, log, blobs });
    const writes = new BlobWrites();
    const kind = createBlobTrigger({ blobs, queues, locks, writes });
    const scope = createScope({
      settings,
      development: setup.development ?? false,
      extensions: setup.extensions ?? {},
    });
    const add = (given: FunctionSetup = {}): Function => {
      const { name = 'Resize', path = 'images/{name}', raw = {} } = given;
      const scripted = createScriptedInvoke('answer' in given ? given.answer : succeeded);
      const context = { ...createContext({ clock, random, log, functionName: name }), invoke: scripted.invoke };
      const binding = createBinding({ name: 'blob', type: 'blobTrigger', path, ...raw });
      const listener = kind.listen(kind.parse(binding, scope), context);
      const paths = (): unknown[] => scripted.calls.map(({ event }) => event.metadata.get('BlobTrigger')?.data?.value);
      return { listener, scripted, paths };
    };
    return { kind, clock, log, writes, add };
  }

  put(path: string, content = 'content'): string {
    return this.blobs.put(this.connection, path, content);
  }

  messages(queue = 'azure-webjobs-blobtrigger-host'): readonly string[] | undefined {
    return this.queues.texts(this.connection, queue)?.map((text) => Buffer.from(text, 'base64').toString('utf8'));
  }
}

/** Queues that never give anything out. */
function withoutReceive(queues: QueueService): QueueService {
  return {
    open: (connection, name) => {
      const client = queues.open(connection, name);
      return new Proxy(client, {
        get(target, key) {
          if (key === 'receive') return async () => ({ kind: 'messages', messages: [] });
          const member: unknown = Reflect.get(target, key);
          return typeof member === 'function' ? member.bind(target) : member;
        },
      });
    },
  };
}

function warnings(log: MemoryLog): readonly string[] {
  return log.records.filter(({ level }) => level === 'warning' || level === 'error').map(({ message }) => message);
}

describe('createBlobTrigger', () => {
  it('runs the function for blobs that exist, and for those that come', async () => {
    const world = new World();
    world.put('images/old.png');
    const { add, log } = world.runtime();
    const { listener, paths } = add();
    await listener.start(signal);
    await world.clock.advance(minuteMs);
    world.put('images/new.png');
    world.put('other/new.png');
    await world.clock.advance(minuteMs);
    expect(paths()).toEqual(['images/old.png', 'images/new.png']);
    expect(world.messages()).toEqual([]);
    expect(warnings(log)).toEqual([]);
    await world.clock.runUntil(listener.drain(signal));
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('gives what the official host gives', async () => {
    const world = new World();
    world.blobs.put(world.connection, 'images/a.png', 'content', { AuthorName: 'me' });
    const { add } = world.runtime();
    const { listener, scripted } = add({ path: 'images/{name}.{ext}' });
    await listener.start(signal);
    await world.clock.advance(minuteMs);
    const event = scripted.calls[0]?.event;
    expect(event?.data.data).toEqual({ $case: 'bytes', value: new TextEncoder().encode('content') });
    expect(event?.reason).toBe('New blob detected(LogsAndContainerScan): images/a.png');
    expect(event?.metadata.get('name')?.data?.value).toBe('a');
    expect(event?.metadata.get('ext')?.data?.value).toBe('png');
    expect(event?.metadata.get('Metadata')?.data?.value).toBe('{"AuthorName":"me"}');
    expect(Object.keys(event?.details ?? {})).toEqual([
      'MessageId',
      'DequeueCount',
      'InsertedOn',
      'BlobCreated',
      'BlobLastModified',
    ]);
    await listener.close();
  });

  it('runs again for a new version, and never twice for one, also after a restart', async () => {
    const world = new World();
    world.put('images/a', '1');
    const first = world.runtime();
    const old = first.add();
    await old.listener.start(signal);
    await world.clock.advance(minuteMs);
    world.put('images/a', '2');
    await world.clock.advance(minuteMs);
    expect(old.paths()).toHaveLength(2);
    await world.clock.runUntil(old.listener.drain(signal));
    const next = world.runtime().add();
    await next.listener.start(signal);
    await world.clock.advance(10 * minuteMs);
    expect(next.paths()).toEqual([]);
    world.put('images/a', '2');
    await world.clock.advance(minuteMs);
    expect(next.paths()).toEqual(['images/a']);
    await next.listener.close();
  });

  it('waits for a container that does not exist, without a word', async () => {
    const world = new World();
    const { add, log } = world.runtime();
    const { listener, paths } = add();
    await listener.start(signal);
    await world.clock.advance(5 * minuteMs);
    world.put('images/a');
    await world.clock.advance(minuteMs);
    expect(paths()).toEqual(['images/a']);
    expect(warnings(log)).toEqual([]);
    await listener.close();
  });

  it('serves several functions, each with its own receipts', async () => {
    const world = new World();
    const { add } = world.runtime();
    const all = add({ name: 'All' });
    const some = add({ name: 'Some', path: 'images/{name}.png' });
    const other = add({ name: 'Other', path: 'bills/{name}' });
    for (const { listener } of [all, some, other]) await listener.start(signal);
    for (const path of ['images/a.png', 'images/b.txt', 'bills/c']) world.put(path);
    await world.clock.advance(minuteMs);
    expect(all.paths().sort()).toEqual(['images/a.png', 'images/b.txt']);
    expect(some.paths()).toEqual(['images/a.png']);
    expect(other.paths()).toEqual(['bills/c']);
    await Promise.all([all, some, other].map(({ listener }) => listener.close()));
  });

  it('hands blobs out to every Runtime, found by one of them', async () => {
    const world = new World();
    const runtimes = [world.runtime(), world.runtime()].map(({ add }) => add({ answer: undefined }));
    for (const { listener } of runtimes) await listener.start(signal);
    for (let index = 0; index < 100; index += 1) world.put(`images/${String(index).padStart(3, '0')}`);
    await world.clock.advance(5 * minuteMs);
    expect(runtimes.map(({ scripted }) => scripted.calls.length)).toEqual([8, 8]);
    const lists = world.blobs.count('list', 'images');
    expect(lists).toBeLessThanOrEqual(31);
    await Promise.all(runtimes.map(({ listener }) => listener.close()));
  });

  it('takes a blob that fails to the poison queue after the allowed number of tries', async () => {
    const world = new World();
    const etag = world.put('images/bad');
    const { add } = world.runtime({ extensions: { blobs: { poisonBlobThreshold: 3 } } });
    const { listener, scripted } = add({ answer: failed });
    await listener.start(signal);
    await world.clock.advance(10 * minuteMs);
    expect(scripted.calls).toHaveLength(3);
    expect(world.messages()).toEqual([]);
    expect(world.messages('webjobs-blobtrigger-poison')?.map((text) => JSON.parse(text))).toEqual([
      {
        Type: 'BlobTrigger',
        FunctionId: 'Host.Functions.Resize',
        BlobType: 'BlockBlob',
        ContainerName: 'images',
        BlobName: 'bad',
        ETag: etag,
      },
    ]);
    await listener.close();
  });

  it('runs no more blobs at once than host.json allows', async () => {
    const world = new World();
    for (let index = 0; index < 20; index += 1) world.put(`images/${index}`);
    const { add } = world.runtime({ extensions: { blobs: { maxDegreeOfParallelism: 3 } } });
    const { listener, scripted } = add({ answer: undefined });
    await listener.start(signal);
    await world.clock.advance(10 * minuteMs);
    expect(scripted.calls).toHaveLength(3);
    scripted.calls[0]?.answer.resolve(succeeded());
    await world.clock.advance(minuteMs);
    expect(scripted.calls).toHaveLength(4);
    await listener.close();
  });

  it('keeps messages while there is no worker, without counting tries', async () => {
    const world = new World();
    world.put('images/a');
    const { add } = world.runtime();
    const answer: Answer = (_event, call) => (call <= 8 ? lost('no-worker') : succeeded());
    const { listener, scripted } = add({ answer });
    await listener.start(signal);
    await world.clock.advance(5 * minuteMs);
    expect(scripted.calls).toHaveLength(9);
    expect(world.messages('webjobs-blobtrigger-poison')).toBeUndefined();
    await listener.close();
  });

  it('gives a worker that opens blobs itself the place of the blob', async () => {
    const world = new World();
    world.put('images/a');
    const { kind } = world.runtime();
    const binding = {
      ...createBinding({ name: 'blob', type: 'blobTrigger', path: 'images/{name}', connection: 'Shop' }),
      properties: { supportsDeferredBinding: 'True' },
    };
    const scope = createScope({ settings: { ...settings, Shop: 'UseDevelopmentStorage=true' } });
    const scripted = createScriptedInvoke(succeeded);
    const context = {
      ...createContext({ clock: world.clock, random: createSeededRandom(9) }),
      invoke: scripted.invoke,
    };
    const listener = kind.listen(kind.parse(binding, scope), context);
    await listener.start(signal);
    await world.clock.advance(minuteMs);
    const data = scripted.calls[0]?.event.data.data;
    const content = data?.$case === 'modelBindingData' ? new TextDecoder().decode(data.value.content) : '';
    expect(JSON.parse(content)).toEqual({ Connection: 'Shop', ContainerName: 'images', BlobName: 'a' });
    expect(world.blobs.count('read', 'images/a')).toBe(0);
    await listener.close();
  });

  it('scans every ten seconds, and every two in development', async () => {
    for (const [development, polls] of [
      [false, 6],
      [true, 30],
    ] as const) {
      const world = new World();
      const { listener } = world.runtime({ development }).add();
      await listener.start(signal);
      await world.clock.advance(1);
      const before = world.blobs.count('list', 'images');
      await world.clock.advance(minuteMs);
      expect(world.blobs.count('list', 'images') - before).toBe(polls);
      await listener.close();
    }
  });
});

describe('stopping and changing', () => {
  it('drain lets what runs end and begins nothing', async () => {
    const world = new World();
    world.put('images/a');
    const { add } = world.runtime();
    const { listener, scripted } = add({ answer: undefined });
    await listener.start(signal);
    await world.clock.advance(minuteMs);
    const drained = listener.drain(signal);
    world.put('images/b');
    await world.clock.advance(minuteMs);
    expect(scripted.calls).toHaveLength(1);
    scripted.calls[0]?.answer.resolve(succeeded());
    await world.clock.runUntil(drained);
    expect(world.messages()).toEqual([]);
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('close gives everything back at once, also twice and before the start', async () => {
    const world = new World();
    world.put('images/a');
    const { listener, scripted } = world.runtime().add({ answer: undefined });
    await listener.start(signal);
    await world.clock.advance(minuteMs);
    await world.clock.runUntil(Promise.all([listener.close(), listener.close()]));
    expect(scripted.calls).toHaveLength(1);
    const next = world.runtime().add();
    await next.listener.start(signal);
    await world.clock.advance(minuteMs);
    expect(next.paths()).toEqual(['images/a']);
    await next.listener.close();
    const unstarted = world.runtime().add();
    await unstarted.listener.close();
    await unstarted.listener.drain(signal);
    await expect(unstarted.listener.start(AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
  });

  it('a new version of the app takes over from the old one without a gap', async () => {
    const world = new World();
    const { add } = world.runtime();
    const old = add();
    await old.listener.start(signal);
    await world.clock.advance(minuteMs);
    const next = add();
    await next.listener.start(signal);
    world.put('images/a');
    await world.clock.advance(20_000);
    await world.clock.runUntil(old.listener.drain(signal));
    world.put('images/b');
    await world.clock.advance(20_000);
    expect([old.paths(), next.paths()]).toEqual([[], ['images/a', 'images/b']]);
    await next.listener.close();
  });

  it('a function that leaves gives its own blobs back, and the others go on', async () => {
    const world = new World();
    const { add } = world.runtime();
    const staying = add({ name: 'Staying', path: 'bills/{name}' });
    const leaving = add({ name: 'Leaving', answer: undefined });
    await staying.listener.start(signal);
    await leaving.listener.start(signal);
    world.put('images/a');
    await world.clock.advance(minuteMs);
    await world.clock.runUntil(leaving.listener.drain(AbortSignal.abort()));
    world.put('bills/b');
    await world.clock.advance(minuteMs);
    expect(staying.paths()).toEqual(['bills/b']);
    // Nobody runs the function any more: its message is not lost, it waits in the poison queue.
    expect(world.messages('webjobs-blobtrigger-poison')).toHaveLength(1);
    await staying.listener.close();
  });
});

describe('crashes', () => {
  const crash = fc.record({
    atRequest: fc.integer({ min: 3, max: 60 }),
    when: fc.constantFrom<Crash['when']>('before', 'after'),
  });

  it('of the scanner: every version runs once, whichever of its requests was the last one', async () => {
    await fc.assert(
      fc.asyncProperty(crash, async ({ atRequest, when }) => {
        const world = new World();
        for (const name of ['a', 'b', 'c']) world.put(`images/${name}`);
        const scanner = world.runtime({
          reads: false,
          crash: { atRequest, when, count: { requests: 0 }, crashed: () => scanner.clock.sleep() },
        });
        const reader = world.runtime().add();
        void scanner.add().listener.start(signal);
        await world.clock.settle();
        await reader.listener.start(signal);
        await world.clock.advance(5 * minuteMs);
        world.put('images/b', 'again');
        await world.clock.advance(5 * minuteMs);
        expect(reader.paths().sort()).toEqual(['images/a', 'images/b', 'images/b', 'images/c']);
        await world.clock.runUntil(reader.listener.close());
      }),
      { numRuns: 60 },
    );
  });

  it('of a whole Runtime: every version runs, and its message is handled or still there', async () => {
    await fc.assert(
      fc.asyncProperty(crash, async ({ atRequest, when }) => {
        const world = new World();
        for (const name of ['a', 'b', 'c']) world.put(`images/${name}`);
        const first = world.runtime({
          crash: { atRequest, when, count: { requests: 0 }, crashed: () => first.clock.sleep() },
        });
        const dead = first.add();
        void dead.listener.start(signal);
        await world.clock.advance(minuteMs);
        const next = world.runtime().add();
        void next.listener.start(signal);
        await world.clock.advance(30 * minuteMs);
        const seen = new Set([...dead.paths(), ...next.paths()]);
        expect([...seen].sort()).toEqual(['images/a', 'images/b', 'images/c']);
        if (first.clock.isAsleep()) expect(world.messages()).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  it('an outage costs one warning per container and loses nothing', async () => {
    const world = new World();
    const { add, log } = world.runtime();
    const { listener, paths } = add();
    await listener.start(signal);
    await world.clock.advance(minuteMs);
    world.blobs.fault = () => Promise.reject(new Error('down'));
    await world.clock.advance(10 * minuteMs);
    expect(warnings(log).length).toBeLessThanOrEqual(4);
    world.blobs.fault = () => undefined;
    world.put('images/a');
    await world.clock.advance(5 * minuteMs);
    expect(paths()).toEqual(['images/a']);
    await world.clock.runUntil(listener.close());
  });
});

describe('parse', () => {
  const parse =
    (raw: Record<string, unknown>, given: Record<string, string> = settings) =>
    () => {
      const { kind } = new World().runtime();
      return kind.parse(createBinding({ name: 'blob', type: 'blobTrigger', ...raw }), createScope({ settings: given }));
    };

  it.each([
    [{ path: 'images/{name}', source: 'Oracle' }, /Hello.*"source" is "Oracle".*EventGrid/],
    [{ path: 'images/{name}', source: 2 }, /"source" is 2/],
    [{}, /"path" is missing/],
    [{ path: 'Bad_Container/{name}' }, /'Bad_Container' is no name of a container/],
    [{ path: 'images/{name}', connection: 'Missing' }, /'Missing' is missing/],
  ])('refuses %o and says why', (raw, message) => {
    expect(parse(raw)).toThrow(message);
  });

  it('needs the host storage beside the connection of the binding', () => {
    const shop = { Shop: 'UseDevelopmentStorage=true' };
    expect(parse({ path: 'images/{name}', connection: 'Shop' }, shop)).toThrow(/'AzureWebJobsStorage' is missing/);
  });

  it.each(['LogsAndContainerScan', 'logsandcontainerscan', '', 0, null])('takes the source %o', (source) => {
    expect(parse({ path: 'images/{name}', source })()).toMatchObject({ pollMs: 10_000 });
  });

  it('refuses a host id that no queue can be named after', () => {
    const { kind } = new World().runtime();
    const binding = createBinding({ name: 'blob', type: 'blobTrigger', path: 'images/{name}' });
    const options = kind.parse(binding, createScope({ settings }));
    const context = createContext({ clock: new VirtualClock(), random: createSeededRandom(1), hostId: 'Bad_Host' });
    expect(() => kind.listen(options, { ...context, invoke: createScriptedInvoke().invoke })).toThrow(
      /'Bad_Host' makes 'azure-webjobs-blobtrigger-Bad_Host'.*AzureFunctionsWebHost__hostid/,
    );
  });
});
