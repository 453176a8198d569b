/** On a real server: what moves between a list and its takers. */
import { openRedis, redisPart, type TestRedis } from '@switchyard/testkit/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRedis } from '../redis-client/redis-server.ts';
import { type RedisSession, toText } from './redis-client.ts';
import { parseRedisAddress } from './redis-connection.ts';
import { createRedisListSource } from './redis-list-source.ts';
import type { RedisEntry } from './redis-source.ts';

const texts = (entries: readonly RedisEntry[]): string[] => entries.map(({ value }) => toText(value));

describe.skipIf(redisPart.skip)('a list of Redis', () => {
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

  const open = (key: string, taker: string, direction: 'LEFT' | 'RIGHT' = 'LEFT') =>
    createRedisListSource({ key, direction, dataType: undefined }, 'shop.pack').open(session, taker);
  const range = async (key: string): Promise<string[]> => {
    const reply = await session.command('LRANGE', key, '0', '-1');
    return Array.isArray(reply) ? reply.map(toText) : [];
  };

  it.each([
    ['LEFT', ['a', 'b'], ['c']],
    ['RIGHT', ['c', 'b'], ['a']],
  ] as const)('I1: takes from the %s, and what is done with is gone', async (direction, taken, left) => {
    const key = `done-${direction}`;
    await session.command('RPUSH', key, 'a', 'b', 'c');
    const source = await open(key, 'one', direction);
    const entries = await source.take(2);
    expect(texts(entries)).toEqual(taken);
    expect(await source.backlog()).toEqual({ messageCount: 1, oldestMs: undefined });
    await source.done(entries);
    await source.leave([]);
    expect(await range(key)).toEqual(left);
  });

  it.each(['LEFT', 'RIGHT'] as const)(
    'I2: gives back to the %s what it has in hand when it leaves',
    async (direction) => {
      const key = `back-${direction}`;
      await session.command('RPUSH', key, 'a', 'b', 'c', 'd');
      const source = await open(key, 'one', direction);
      const [first] = await source.take(3);
      if (first !== undefined) await source.done([first]);
      await source.leave([]);
      expect(await range(key)).toEqual(direction === 'LEFT' ? ['b', 'c', 'd'] : ['a', 'b', 'c']);
    },
  );

  it('I2: what a taker had that is gone flows back; what a living one has stays', async () => {
    await session.command('RPUSH', 'gone', 'a', 'b', 'c');
    const lost = await open('gone', 'lost');
    await lost.take(2);
    const other = await open('gone', 'other');
    expect(texts(await other.take(5))).toEqual(['c']);
    await session.command('DEL', 'gone:in-hand:shop.pack:lost:alive');
    await other.keep([]);
    expect(texts(await other.take(5))).toEqual(['a', 'b']);
    // It was only slow: it goes on under its name, and others know of it again.
    await lost.keep([]);
    await session.command('RPUSH', 'gone', 'd');
    await lost.take(1);
    await session.command('DEL', 'gone:in-hand:shop.pack:lost:alive');
    await other.keep([]);
    expect(texts(await other.take(5))).toEqual(['d']);
  });

  it('keeps bytes as they are', async () => {
    const bytes = Buffer.from([0, 255, 128, 10]);
    await session.command('RPUSH', 'bytes', bytes);
    const source = await open('bytes', 'one');
    const entries = await source.take(1);
    expect(Buffer.from(entries[0]?.value ?? [])).toEqual(bytes);
    await source.done(entries);
    await source.leave([]);
    expect(await range('bytes')).toEqual([]);
  });
});
