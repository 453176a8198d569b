/** The Redis triggers, input and output, through the official client, on a real server. */
import { Secret, silentMeter, systemClock, systemRandom } from '@switchyard/kernel';
import { createSettingsView } from '@switchyard/model';
import { createMemoryLog } from '@switchyard/testkit';
import { openRedis, redisPart, type TestRedis } from '@switchyard/testkit/redis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type {
  InvocationOutcome,
  ListenerContext,
  ListenerTriggerKind,
  TriggerEvent,
  TriggerListener,
} from '../contract.ts';
import { createRedisInput, createRedisOutput } from '../redis/redis-bindings.ts';
import { type RedisReply, type RedisSession, toText } from '../redis/redis-client.ts';
import { parseRedisAddress } from '../redis/redis-connection.ts';
import { createRedisListTrigger, createRedisPubSubTrigger, createRedisStreamTrigger } from '../redis/redis-triggers.ts';
import { createBinding, createScope } from '../testing/scope.ts';
import { succeeded } from '../testing/scripted-invoke.ts';
import { toTypedData } from '../typed-data.ts';
import { createRedis } from './redis-server.ts';

const service = createRedis();
const { signal } = new AbortController();
const patience = { timeout: 60_000 };

const textOf = ({ data }: TriggerEvent): string => (data.data?.$case === 'string' ? data.data.value : '');
const metadataOf = (event: TriggerEvent | undefined): Record<string, unknown> =>
  Object.fromEntries([...(event?.metadata ?? [])].map(([name, { data }]) => [name, data?.value]));

const context = {
  applicationId: 'shop',
  hostId: 'host',
  functionName: 'Hello',
  settings: createSettingsView([]),
  clock: systemClock,
  random: systemRandom,
  log: createMemoryLog(),
  meter: silentMeter,
};

describe.skipIf(redisPart.skip)('Redis', patience, () => {
  let server: TestRedis;
  let session: RedisSession;
  let listeners: TriggerListener[] = [];
  const connect = async (): Promise<void> => {
    const connection = parseRedisAddress(server.connectionString);
    if (connection === undefined) throw new Error('the address is none');
    session = await service.open(connection);
  };
  beforeAll(async () => {
    server = await openRedis();
    await connect();
  });
  afterEach(async () => {
    for (const listener of listeners) await listener.close();
    listeners = [];
  });
  afterAll(async () => {
    await session.close();
    await server.close();
  });

  it('shows a token of the identity for a password, and a new one on each line', async () => {
    const tokens = ['first', 'second'];
    await session.command('ACL', 'SETUSER', 'me', 'on', '~*', '+@all', ...tokens.map((token) => `>${token}`));
    const asked: string[] = [];
    const byIdentity = createRedis(undefined, async (identity, scope) => {
      asked.push(`${identity.kind} ${scope}`);
      return new Secret(tokens[asked.length - 1] ?? 'none');
    });
    const given = parseRedisAddress(server.connectionString);
    if (given === undefined) throw new Error('the address is none');
    const identity = { kind: 'managed', clientId: undefined, resourceId: undefined } as const;
    const connection = { ...given, user: 'me', password: undefined, identity };
    for (let line = 0; line < 2; line += 1) {
      const own = await byIdentity.open(connection);
      expect(toText(await own.command('ACL', 'WHOAMI'))).toBe('me');
      await own.close();
    }
    await expect(byIdentity.open(connection)).rejects.toThrow(/WRONGPASS/);
    expect(asked).toEqual(new Array(3).fill('managed https://redis.azure.com/.default'));
    await expect(createRedis().open(connection)).rejects.toMatchObject({ code: 'IDENTITY_NOT_ALLOWED' });
  });

  const command = (...parts: string[]): Promise<RedisReply> => session.command(...parts);
  const scope = () => createScope({ settings: { Redis: server.connectionString } });

  async function listen(
    kind: ListenerTriggerKind<never>,
    raw: Record<string, unknown>,
    answer: () => InvocationOutcome | Promise<InvocationOutcome> = succeeded,
    log = createMemoryLog(),
  ) {
    const binding = createBinding({
      type: kind.type,
      name: 'entry',
      connection: 'Redis',
      pollingIntervalInMs: 20,
      ...raw,
    });
    const events: TriggerEvent[] = [];
    const invoke = async (event: TriggerEvent): Promise<InvocationOutcome> => {
      events.push(event);
      return answer();
    };
    const listener = kind.listen(kind.parse(binding, scope()) as never, {
      ...context,
      log,
      invoke,
    } satisfies ListenerContext);
    listeners.push(listener);
    await listener.start(signal);
    return { events, listener, log };
  }

  it('list: runs once for each entry, with the official metadata', async () => {
    const { events, listener } = await listen(createRedisListTrigger(service) as never, { key: 'orders' });
    await command('RPUSH', 'orders', '{"id":1}', 'b');
    await expect.poll(() => events.map(textOf).sort(), patience).toEqual(['b', '{"id":1}']);
    expect(metadataOf(events.find((event) => textOf(event) === 'b'))).toEqual({ Value: 'b' });
    await listener.drain(signal);
    expect(await command('KEYS', 'orders*')).toEqual([]);
  });

  it('list: gives batches to a function that takes many', async () => {
    await command('RPUSH', 'many', 'a', 'b', 'c');
    const raw = { key: 'many', cardinality: 'many', listDirection: 'RIGHT' };
    const { events } = await listen(createRedisListTrigger(service) as never, raw);
    await expect.poll(() => events.length, patience).toBe(1);
    expect(events[0]?.data.data).toEqual({ $case: 'collectionString', value: { string: ['c', 'b', 'a'] } });
    expect(metadataOf(events[0])).toEqual({ Value: '["c","b","a"]' });
  });

  it('stream: runs once for each entry, with the official metadata, in the group of the function', async () => {
    const { events } = await listen(createRedisStreamTrigger(service) as never, { key: 'events' });
    const id = toText(await command('XADD', 'events', '*', 'color', 'red'));
    await expect.poll(() => events.map(textOf), patience).toEqual([`{"Id":"${id}","Values":{"color":"red"}}`]);
    expect(metadataOf(events[0])).toEqual({ Key: 'events', Id: id, Values: '{"color":"red"}' });
    const groups = await command('XINFO', 'GROUPS', 'events');
    expect(JSON.stringify(groups, (_, value) => value)).toContain(JSON.stringify(Buffer.from('Host.Functions.Hello')));
  });

  it('stream: goes on after the server was away, and loses nothing', async () => {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { events, log } = await listen(createRedisStreamTrigger(service) as never, { key: 'crash' }, async () => {
      await gate;
      return succeeded();
    });
    await command('XADD', 'crash', '*', 'n', '1');
    await expect.poll(() => events.length, patience).toBe(1);
    await server.restart();
    release();
    await connect();
    await command('XADD', 'crash', '*', 'n', '2');
    await expect.poll(() => events.length, patience).toBe(2);
    expect(log.withMessage('An entry could not be settled; it will come again')).toHaveLength(1);
    const pending = await command('XPENDING', 'crash', 'Host.Functions.Hello');
    expect(Array.isArray(pending) && Number(pending[0])).toBeGreaterThanOrEqual(1);
  });

  it.each([
    [{ channel: 'news' }, 'news', { SubscriptionChannel: 'news', Channel: 'news', Message: 'hello' }],
    [
      { channel: 'news.*', pattern: true },
      'news.sport',
      { SubscriptionChannel: 'news.*', Channel: 'news.sport', Message: 'hello' },
    ],
  ])('channel: hears %j', async (raw, channel, metadata) => {
    const { events } = await listen(createRedisPubSubTrigger(service) as never, raw);
    await expect.poll(() => command('PUBLISH', channel, 'hello'), patience).toBe(1);
    await expect.poll(() => events.map(textOf), patience).toEqual(['hello']);
    expect(metadataOf(events[0])).toEqual(metadata);
  });

  it('input: reads one value, or nothing', async () => {
    await command('SET', 'name:7', 'Ada');
    await command('RPUSH', 'numbers', 'x', 'y');
    const kind = createRedisInput(service);
    const read = async (text: string) => {
      const binding = createBinding({ type: 'redis', name: 'value', connection: 'Redis', command: text });
      return kind.read(kind.parse(binding, scope()), new Map([['id', toTypedData('7')]]), context);
    };
    expect(await read('GET name:{id}')).toEqual(toTypedData('Ada'));
    expect(await read('get none:{id}')).toBeUndefined();
    expect(await read('LLEN numbers')).toEqual(toTypedData('2'));
    await expect(read('GET numbers')).rejects.toMatchObject({ code: 'REDIS_COMMAND_FAILED' });
    await expect(read('FLUSHALL')).rejects.toThrow("'FLUSHALL' does not read one value");
  });

  it('output: carries out one command for a list, several for lists in a list', async () => {
    const kind = createRedisOutput(service);
    const write = async (text: string, value: unknown) => {
      const binding = createBinding({
        type: 'redis',
        name: 'out',
        direction: 'out',
        connection: 'Redis',
        command: text,
      });
      await kind.write(kind.parse(binding, scope()), toTypedData(value), new Map([['id', toTypedData('9')]]), context);
    };
    await write('SET', ['one', 'a b']);
    await write('SET two:{id}', 'text');
    await write('SET', [
      ['three', 3],
      ['four', { a: 1 }],
    ]);
    const replies = await command('MGET', 'one', 'two:9', 'three', 'four');
    expect(Array.isArray(replies) && replies.map(toText)).toEqual(['a b', 'text', '3', '{"a":1}']);
    await write('DEL', null);
    await expect(write('SET', ['only-a-key'])).rejects.toMatchObject({ code: 'REDIS_COMMAND_FAILED' });
    await expect(write('SET', ['key', null])).rejects.toMatchObject({ code: 'REDIS_COMMAND_INVALID' });
  });
});

describe('a Redis binding', () => {
  const settings = { Redis: 'localhost', Odd: 'http://x', Who__redisHostName: 'cache.example.org' };
  it.each([
    [{ connection: 'Redis' }, '"key" is missing'],
    [{ connection: 'Redis', key: 'k', pollingIntervalInMs: 0 }, 'must be a whole number from 1 on'],
    [{ connection: 'Redis', key: 'k', maxBatchSize: 'x' }, 'must be a whole number from 1 on'],
    [{ connection: 'Redis', key: 'k', listDirection: 'UP' }, 'must be LEFT or RIGHT'],
    [{ connection: 'None', key: 'k' }, "the app setting 'None' is missing"],
    [{ connection: 'Odd', key: 'k' }, "'Odd' is no address"],
    [{ connection: 'Who', key: 'k' }, 'is an identity'],
  ])('refuses %j and says why', (raw, problem) => {
    const binding = createBinding({ type: 'redisListTrigger', name: 'entry', ...raw });
    expect(() => createRedisListTrigger(service).parse(binding, createScope({ settings }))).toThrow(problem);
  });
});
