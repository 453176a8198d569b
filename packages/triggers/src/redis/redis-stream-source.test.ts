/** On a real server: what is pending in a consumer group, and whose it is. */
import { openRedis, redisPart, type TestRedis } from '@switchyard/testkit/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRedis } from '../redis-client/redis-server.ts';
import { type RedisSession, toText } from './redis-client.ts';
import { parseRedisAddress } from './redis-connection.ts';
import type { RedisEntry } from './redis-source.ts';
import { createRedisStreamSource } from './redis-stream-source.ts';

const group = 'Host.Functions.Pack';
const values = (entries: readonly RedisEntry[]): unknown[] =>
  entries.map(({ value }) => JSON.parse(toText(value)).Values);

describe.skipIf(redisPart.skip)('a stream of Redis', () => {
  let server: TestRedis;
  let session: RedisSession;
  beforeAll(async () => {
    server = await openRedis();
    const connection = parseRedisAddress(server.connectionString);
    if (connection === undefined) throw new Error('the address is none');
    session = await createRedis().open(connection);
  });
  afterAll(async () => {
    await session.close();
    await server.close();
  });

  const open = (key: string, taker: string) =>
    createRedisStreamSource({ key, dataType: undefined }, group).open(session, taker);
  const add = async (key: string, ...fields: string[]): Promise<string> =>
    toText(await session.command('XADD', key, '*', ...fields));
  const pending = async (key: string): Promise<number> => {
    const reply = await session.command('XPENDING', key, group);
    return Array.isArray(reply) ? Number(reply[0]) : -1;
  };

  it('I1: makes the group, takes what was there before it, and acknowledges what is done with', async () => {
    const id = await add('orders', 'color', 'red', 'size', '3');
    await add('orders', 'color', 'blue');
    const source = await open('orders', 'one');
    expect(await source.backlog()).toEqual({ messageCount: 2, oldestMs: undefined });
    const entries = await source.take(5);
    expect(values(entries)).toEqual([{ color: 'red', size: '3' }, { color: 'blue' }]);
    expect(entries[0]?.id).toBe(id);
    expect([await pending('orders'), (await source.backlog()).messageCount]).toEqual([2, 0]);
    await source.done(entries);
    expect(await pending('orders')).toBe(0);
    expect(await (await open('orders', 'two')).take(5)).toEqual([]);
  });

  it('I2: a consumer gets what another one had that is gone, and not what a living one keeps', async () => {
    const key = 'shared';
    const [gone, living] = [await open(key, 'gone'), await open(key, 'living')];
    await add(key, 'n', '1');
    await gone.take(1);
    await add(key, 'n', '2');
    const kept = await living.take(1);
    // As though an hour had passed; then the living one tells that it has its entry.
    const ids = [...(await pendingIds(key)).values()];
    for (const [consumer, id] of ids) {
      await session.command('XCLAIM', key, group, consumer, '0', id, 'IDLE', '3600000', 'JUSTID');
    }
    await living.keep(kept);
    expect(values(await (await open(key, 'third')).take(5))).toEqual([{ n: '1' }]);
  });

  it('leaves its consumer behind only with entries in hand', async () => {
    const key = 'left';
    const source = await open(key, 'one');
    await add(key, 'n', '1');
    const entries = await source.take(1);
    await source.leave(entries);
    expect(await pending(key)).toBe(1);
    await source.done(entries);
    await source.leave([]);
    const consumers = await session.command('XINFO', 'CONSUMERS', key, group);
    expect(consumers).toEqual([]);
  });

  /** Of every pending entry its consumer and its id. */
  async function pendingIds(key: string): Promise<Map<string, readonly [consumer: string, id: string]>> {
    const reply = await session.command('XPENDING', key, group, '-', '+', '10');
    const rows = Array.isArray(reply) ? reply : [];
    return new Map(
      rows.map((row) => {
        const [id, consumer] = (Array.isArray(row) ? row : []).map(toText);
        return [id ?? '', [consumer ?? '', id ?? '']] as const;
      }),
    );
  }
});
