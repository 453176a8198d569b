/** The queue kinds together, against a real queue service and in real time. */
import { createDeferred, type Deferred, type Log, silentLog, systemClock, systemRandom } from '@switchyard/kernel';
import { createMemoryLog, freePort, requirePart } from '@switchyard/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAzureQueueService } from '../azure-storage/azure-queue-service.ts';
import type { InvocationOutcome, TriggerEvent, TriggerListener } from '../contract.ts';
import { type Azurite, azuriteHint, findAzurite, startAzurite } from '../testing/azurite.ts';
import { createBinding, createContext, createScope } from '../testing/scope.ts';
import { failed, lost, succeeded } from '../testing/scripted-invoke.ts';
import { jsonData, textData } from '../typed-data.ts';
import type { QueueClient } from './queue-client.ts';
import { createQueueOutput } from './queue-output.ts';
import { QueueSignals } from './queue-signals.ts';
import { createQueueTrigger } from './queue-trigger.ts';

const entry = findAzurite();
const part = requirePart('Azurite', entry !== undefined, azuriteHint);
const { signal } = new AbortController();
const context = createContext({ clock: systemClock, random: systemRandom, log: silentLog });

describe.skipIf(part.skip)('queue kinds against Azurite', () => {
  const deps = { service: createAzureQueueService(), signals: new QueueSignals() };
  const listeners: TriggerListener[] = [];
  let azurite: Azurite;

  beforeAll(async () => {
    // It is stopped and started again at the same port.
    azurite = await startAzurite(entry ?? '', { queuePort: await freePort() });
  });
  afterAll(async () => {
    await Promise.all(listeners.map((listener) => listener.close()));
    await azurite.stop();
  });

  const scope = () => createScope({ settings: { AzureWebJobsStorage: azurite.connectionString }, development: true });
  const open = (name: string): QueueClient => deps.service.open(azurite.connection, name);

  /** Sends a value through the output binding. */
  const send = async (queueName: string, value: Parameters<ReturnType<typeof createQueueOutput>['write']>[1]) => {
    const kind = createQueueOutput(deps);
    const options = kind.parse(createBinding({ name: 'out', type: 'queue', direction: 'out', queueName }), scope());
    await kind.write(options, value, new Map(), context);
  };

  /** Listens to a queue; `done` resolves once the function ran `runs` times. */
  const listen = async (
    queueName: string,
    runs: number,
    answer: (event: TriggerEvent, call: number) => InvocationOutcome,
    log: Log = silentLog,
  ): Promise<{ texts: unknown[]; done: Deferred<void>; listener: TriggerListener }> => {
    const kind = createQueueTrigger(deps);
    const options = kind.parse(createBinding({ name: 'item', type: 'queueTrigger', queueName }), scope());
    const texts: unknown[] = [];
    const done = createDeferred<void>();
    const invoke = async (event: TriggerEvent): Promise<InvocationOutcome> => {
      texts.push(event.data.data?.value);
      if (texts.length === runs) done.resolve();
      return answer(event, texts.length);
    };
    const listener = kind.listen(options, { ...context, log, invoke });
    listeners.push(listener);
    await listener.start(signal);
    return { texts, done, listener };
  };

  it('what the output sends reaches the function, and nothing is left', async () => {
    const { texts, done, listener } = await listen('orders', 102, succeeded);
    await send('orders', jsonData(JSON.stringify(Array.from({ length: 100 }, (_, index) => ({ index })))));
    await send('orders', textData('ä日本🎉'));
    await send('Orders', textData('<xml/>'));
    await done.promise;
    await listener.drain(signal);
    expect(new Set(texts)).toContain('ä日本🎉');
    expect(new Set(texts).size).toBe(102);
    expect(await open('orders').receive(32, 1_000, signal)).toEqual({ kind: 'messages', messages: [] });
  });

  it('a failing message ends in the poison queue, as it was written', async () => {
    const poison = await listen('bad-poison', 1, succeeded);
    const { texts } = await listen('bad', 5, failed);
    await send('bad', jsonData('{"a":1}'));
    await poison.done.promise;
    expect(poison.texts).toEqual(['{"a":1}']);
    expect(texts).toHaveLength(5);
  });

  it('a message whose worker was lost is run again, with a higher count', async () => {
    const counts: unknown[] = [];
    const { done, listener } = await listen('shaky', 3, (event, call) => {
      counts.push(event.metadata.get('DequeueCount')?.data?.value);
      return call < 3 ? lost('worker-lost') : succeeded();
    });
    await send('shaky', textData('a'));
    await done.promise;
    await listener.drain(signal);
    expect(counts).toEqual(['1', '2', '3']);
    expect(await open('shaky').receive(32, 1_000, signal)).toEqual({ kind: 'messages', messages: [] });
  });

  it('a closed listener gives back what it had, at once', async () => {
    const held = createDeferred<InvocationOutcome>();
    const started = createDeferred<void>();
    const kind = createQueueTrigger(deps);
    const options = kind.parse(createBinding({ name: 'item', type: 'queueTrigger', queueName: 'held' }), scope());
    const invoke = (): Promise<InvocationOutcome> => {
      started.resolve();
      return held.promise;
    };
    await send('held', textData('a'));
    const listener = kind.listen(options, { ...context, invoke });
    await listener.start(signal);
    await started.promise;
    expect(await open('held').receive(1, 1_000, signal)).toEqual({ kind: 'messages', messages: [] });
    await listener.close();
    expect(await open('held').receive(1, 1_000, signal)).toMatchObject({ messages: [{ dequeueCount: 2 }] });
  });

  it('an outage is survived: one warning, and messages flow again', async () => {
    const memory = createMemoryLog();
    const warned = createDeferred<void>();
    const log: Log = {
      child: () => log,
      write: (level, message, fields) => {
        memory.write(level, message, fields);
        if (level === 'warning') warned.resolve();
      },
    };
    const port = Number(new URL(azurite.connection.queueEndpoint).port);
    const ranBefore = createDeferred<void>();
    const answer = (): InvocationOutcome => {
      ranBefore.resolve();
      return succeeded();
    };
    const { texts, done } = await listen('outage', 2, answer, log);
    await send('outage', textData('before'));
    await ranBefore.promise;
    await azurite.stop();
    await warned.promise;
    azurite = await startAzurite(entry ?? '', { queuePort: port });
    await send('outage', textData('after'));
    await done.promise;
    expect(texts).toEqual(['before', 'after']);
    expect(memory.withMessage('A queue cannot be read; it is tried again and again')).toHaveLength(1);
    expect(memory.withMessage('A queue can be read again')).toHaveLength(1);
  });
});
