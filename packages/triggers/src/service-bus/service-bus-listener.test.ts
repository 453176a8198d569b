import { createDeferred, type Deferred } from '@switchyard/kernel';
import { createMemoryLog, createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import type { DynamicLimit, InvocationOutcome, TriggerEvent } from '../contract.ts';
import type { NamespaceConnection } from '../namespace/namespace-connection.ts';
import { namespaceWithKey } from '../testing/namespace.ts';
import { createContext, createScope } from '../testing/scope.ts';
import { createScriptedInvoke, failed, lost, succeeded } from '../testing/scripted-invoke.ts';
import type {
  PeekedMessages,
  ServiceBusEntity,
  ServiceBusMessage,
  ServiceBusReceiver,
  ServiceBusService,
} from './service-bus-client.ts';
import { ServiceBusListener, type ServiceBusTriggerOptions } from './service-bus-listener.ts';
import { Settlements } from './settlements.ts';

const { signal } = new AbortController();

const message = (id: string, lockedUntilMs = 30_000): ServiceBusMessage => ({
  body: Buffer.from(id),
  messageId: id,
  lockToken: id,
  deliveryCount: 1,
  sequenceNumber: '1',
  enqueuedMs: 0,
  expiresMs: 0,
  lockedUntilMs,
  applicationProperties: {},
  encode: () => new Uint8Array(),
});

/** A broker that gives what the test puts in, and tells what became of it. */
class Broker implements ServiceBusService {
  readonly heard: string[] = [];
  readonly waiting: ServiceBusMessage[] = [];
  readonly sessions: ServiceBusMessage[][] = [];
  fault: Error | undefined;
  #asked: Deferred<void> = createDeferred();
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  put(...messages: ServiceBusMessage[]): void {
    this.waiting.push(...messages);
    this.#asked.resolve();
    this.#asked = createDeferred();
  }

  async open(): Promise<ServiceBusReceiver> {
    this.heard.push('open');
    if (this.fault !== undefined) throw this.fault;
    return this.#receiver(this.waiting);
  }

  async openSession(): Promise<ServiceBusReceiver | undefined> {
    const session = this.sessions.shift();
    if (session !== undefined) return this.#receiver(session);
    await this.#asked.promise;
    return undefined;
  }

  async send(): Promise<void> {}

  async peek(_connection: NamespaceConnection, _entity: ServiceBusEntity, maximum: number): Promise<PeekedMessages> {
    return { waiting: this.waiting.slice(0, maximum), isFull: this.waiting.length >= maximum };
  }

  async count(): Promise<number> {
    this.heard.push('count');
    if (this.fault !== undefined) throw this.fault;
    return this.waiting.length;
  }

  #receiver(messages: ServiceBusMessage[]): ServiceBusReceiver {
    return {
      receive: async (maximum, waitMs, stop) => {
        if (messages.length === 0) {
          const timer = this.#clock.schedule(waitMs, () => this.#asked.resolve());
          stop.addEventListener('abort', () => this.#asked.resolve());
          await this.#asked.promise;
          this.#asked = createDeferred();
          timer.cancel();
        }
        return stop.aborted ? [] : messages.splice(0, maximum);
      },
      complete: async ({ messageId }) => void this.heard.push(`complete ${messageId}`),
      settle: async ({ messageId }, { kind }) => void this.heard.push(`settle ${kind} ${messageId}`),
      isReleased: false,
      abandon: async ({ messageId }) => void this.heard.push(`abandon ${messageId}`),
      renew: async ({ messageId }) => {
        this.heard.push(`renew ${messageId}`);
        return this.#clock.now() + 30_000;
      },
      close: async () => void this.heard.push('close'),
    };
  }
}

function rig(
  answer?: (event: TriggerEvent, call: number) => InvocationOutcome,
  given: Partial<ServiceBusTriggerOptions> = {},
  serviceBus: Record<string, unknown> = {},
  workerCount?: () => number,
  concurrency?: DynamicLimit,
) {
  const clock = new VirtualClock(0);
  const log = createMemoryLog(clock);
  const broker = new Broker(clock);
  const scripted = createScriptedInvoke(answer);
  const settlements = new Settlements();
  const listener = new ServiceBusListener(
    { service: broker, settlements },
    {
      connection: namespaceWithKey('x'),
      entity: { kind: 'queue', queue: 'orders' },
      isBatch: false,
      hasSessions: false,
      completes: true,
      dataType: undefined,
      isDeferred: false,
      limits: createScope({ extensions: { serviceBus } }).extensions.serviceBus,
      ...given,
    },
    {
      ...createContext({ clock, log, random: createSeededRandom(1) }),
      invoke: scripted.invoke,
      ...(workerCount && { workerCount }),
      ...(concurrency && { concurrency }),
    },
  );
  return { clock, log, broker, scripted, listener, settlements };
}

describe('ServiceBusListener', () => {
  it('I1: completes what succeeded, and abandons what failed or was lost', async () => {
    const outcomes = [succeeded(), failed(), lost('worker-lost')];
    const { clock, broker, listener } = rig((_event, call) => outcomes[call - 1] ?? succeeded());
    await listener.start(signal);
    broker.put(message('a'), message('b'), message('c'));
    await clock.settle();
    expect(broker.heard.filter((line) => / [abc]$/.test(line)).sort()).toEqual([
      'abandon b',
      'abandon c',
      'complete a',
    ]);
    await clock.runUntil(listener.close());
  });

  it('I1: leaves it to the function when the app says so, but for what failed', async () => {
    const { clock, broker, listener } = rig((_event, call) => (call === 1 ? succeeded() : failed()), {
      completes: false,
    });
    await listener.start(signal);
    broker.put(message('a'), message('b'));
    await clock.settle();
    expect(broker.heard.filter((line) => / [ab]$/.test(line))).toEqual(['abandon b']);
    await clock.runUntil(listener.close());
  });

  it('I2: each worker runs as many', async () => {
    const { clock, broker, scripted, listener } = rig(undefined, {}, { maxConcurrentCalls: 2 }, () => 3);
    await listener.start(signal);
    broker.put(...['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((id) => message(id)));
    await clock.settle();
    expect(scripted.calls).toHaveLength(6);
    await clock.runUntil(listener.close());
  });

  it('I2: runs no more calls at once than it may', async () => {
    const { clock, broker, scripted, listener } = rig(undefined, {}, { maxConcurrentCalls: 2 });
    await listener.start(signal);
    broker.put(message('a'), message('b'), message('c'));
    await clock.settle();
    expect(scripted.calls).toHaveLength(2);
    scripted.calls[0]?.answer.resolve(succeeded());
    await clock.settle();
    expect(scripted.calls).toHaveLength(3);
    await clock.runUntil(listener.close());
  });

  it('I2: runs as many calls as a dynamic limit allows, whatever host.json says', async () => {
    const limit = { current: 1 };
    const { clock, broker, scripted, listener } = rig(undefined, {}, { maxConcurrentCalls: 9 }, undefined, limit);
    await listener.start(signal);
    broker.put(...['a', 'b', 'c', 'd'].map((id) => message(id)));
    await clock.settle();
    expect(scripted.calls).toHaveLength(1);
    limit.current = 3;
    scripted.calls[0]?.answer.resolve(succeeded());
    await clock.settle();
    expect(scripted.calls).toHaveLength(4);
    await clock.runUntil(listener.close());
  });

  it('I2: the messages of a session follow one another, in their order', async () => {
    const { clock, broker, scripted, listener } = rig(undefined, { hasSessions: true }, { maxConcurrentSessions: 1 });
    broker.sessions.push([message('a'), message('b')]);
    await listener.start(signal);
    await clock.settle();
    expect(scripted.calls).toHaveLength(1);
    scripted.calls[0]?.answer.resolve(succeeded());
    await clock.settle();
    expect(scripted.calls.map(({ event }) => event.details?.MessageId)).toEqual(['a', 'b']);
    await clock.runUntil(listener.close());
  });

  it('I3: asks a broker that is away again, later and later, and tells of it once', async () => {
    const { clock, log, broker, listener } = rig(succeeded);
    broker.fault = new Error('refused');
    await listener.start(signal);
    await clock.advance(120_000);
    const tries = broker.heard.length;
    expect(tries).toBeGreaterThan(3);
    expect(tries).toBeLessThan(15);
    expect(log.records.filter(({ level }) => level === 'warning')).toHaveLength(1);
    broker.fault = undefined;
    broker.put(message('a'));
    await clock.advance(120_000);
    expect(broker.heard).toContain('complete a');
    await clock.runUntil(listener.close());
  });

  it('I4: renews the locks of what runs, for as long as it may', async () => {
    const { clock, broker, listener } = rig(undefined, {}, { maxAutoLockRenewalDuration: '00:01:00' });
    await listener.start(signal);
    broker.put(message('a'));
    await clock.advance(300_000);
    const renewals = broker.heard.filter((line) => line === 'renew a').length;
    expect(renewals).toBeGreaterThanOrEqual(2);
    expect(renewals).toBeLessThanOrEqual(4);
    await clock.runUntil(listener.close());
  });

  it('I5: a drain waits for what runs and takes nothing new', async () => {
    const { clock, broker, scripted, listener } = rig();
    await listener.start(signal);
    broker.put(message('a'));
    await clock.settle();
    const drained = listener.drain(signal);
    broker.put(message('b'));
    await clock.settle();
    expect(scripted.calls).toHaveLength(1);
    scripted.calls[0]?.answer.resolve(succeeded());
    await clock.runUntil(drained);
    expect(broker.heard.slice(-2)).toEqual(['complete a', 'close']);
  });

  it('collects a batch until it is large enough, or it took too long', async () => {
    const limits = { minMessageBatchSize: 3, maxBatchWaitTime: '00:00:10' };
    const { clock, broker, scripted, listener } = rig(succeeded, { isBatch: true }, limits);
    await listener.start(signal);
    broker.put(message('a'));
    await clock.advance(1_000);
    expect(scripted.calls).toHaveLength(0);
    broker.put(message('b'), message('c'));
    await clock.advance(1_000);
    expect(scripted.calls[0]?.event.data.data).toMatchObject({ value: { string: ['a', 'b', 'c'] } });
    broker.put(message('d'));
    await clock.advance(15_000);
    expect(scripted.calls[1]?.event.data.data).toMatchObject({ value: { string: ['d'] } });
    await clock.runUntil(listener.close());
  });

  it('tells what waits: counts it where one look does not see all', async () => {
    const { clock, broker, listener } = rig();
    await clock.advance(5_000);
    broker.put(message('a'), message('b'));
    expect(await listener.backlog(signal)).toEqual({ messageCount: 2, oldestMs: 5_000 });
    expect(broker.heard).toEqual([]);
    broker.put(...Array.from({ length: 500 }, (_, index) => message(`m${index}`)));
    expect(await listener.backlog(signal)).toEqual({ messageCount: 502, oldestMs: 5_000 });
    expect(broker.heard).toEqual(['count']);
  });

  it('tells what one look sees where it may not count, and does not ask at once again', async () => {
    const { clock, broker, listener, log } = rig();
    broker.put(...Array.from({ length: 500 }, (_, index) => message(`m${index}`)));
    broker.fault = new Error('401: Manage is required');
    expect(await listener.backlog(signal)).toMatchObject({ messageCount: 100 });
    expect(await listener.backlog(signal)).toMatchObject({ messageCount: 100 });
    expect(broker.heard).toEqual(['count']);
    expect(JSON.stringify(log.records)).toContain('Manage is required');
    broker.fault = undefined;
    await clock.advance(10 * 60_000);
    expect(await listener.backlog(signal)).toMatchObject({ messageCount: 500 });
  });
});
