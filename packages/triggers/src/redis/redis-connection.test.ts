import { describe, expect, it } from 'vitest';
import { createBinding, createScope } from '../testing/scope.ts';
import { parseRedisAddress, parseRedisConnection } from './redis-connection.ts';

const shown = (text: string) => {
  const parsed = parseRedisAddress(text);
  if (parsed === undefined) return undefined;
  const { host, port, usesTls, user, password, database } = parsed;
  return [host, port, usesTls, user, password?.reveal(), database];
};

describe('parseRedisAddress', () => {
  it.each([
    ['localhost', ['localhost', 6379, false, undefined, undefined, 0]],
    [
      'cache.example.org:6380,password=a=b==,ssl=True,abortConnect=False',
      ['cache.example.org', 6380, true, undefined, 'a=b==', 0],
    ],
    ['cache,ssl=true,user=me,password=secret,defaultDatabase=3', ['cache', 6380, true, 'me', 'secret', 3]],
    ['one:1,two:2, password=x', ['one', 1, false, undefined, 'x', 0]],
    ['[::1]:7000', ['::1', 7000, false, undefined, undefined, 0]],
    ['redis://me:p%40ss@host:7/2', ['host', 7, false, 'me', 'p@ss', 2]],
    ['rediss://host', ['host', 6379, true, undefined, undefined, 0]],
    ['', undefined],
    ['password=only', undefined],
    ['http://host', undefined],
    ['host,defaultDatabase=x', undefined],
    ['redis://host/x', undefined],
  ])('%j', (text, parts) => {
    expect(shown(text)).toEqual(parts);
  });

  it('never shows the password', () => {
    expect(JSON.stringify(parseRedisAddress('host,password=hidden'))).not.toContain('hidden');
  });
});

describe('parseRedisConnection', () => {
  const binding = createBinding({ type: 'redisListTrigger', name: 'entry', connection: 'Cache' });
  const parse = (settings: Readonly<Record<string, string>>) =>
    parseRedisConnection(binding, createScope({ settings }));

  it('takes server, user and identity from the members of a setting, and TLS for granted', () => {
    const members = {
      Cache__redisHostName: 'shop.redis.cache.windows.net',
      Cache__principalId: 'me',
      Cache__clientId: 'c',
    };
    expect(parse({ ...members, Cache__credential: 'managedidentity' })).toEqual({
      ...{ host: 'shop.redis.cache.windows.net', port: 6_380, usesTls: true, database: 0 },
      ...{ user: 'me', password: undefined, identity: { kind: 'managed', clientId: 'c', resourceId: undefined } },
    });
    expect(parse({ ...members, Cache__redisHostName: 'shop:10000' })).toMatchObject({ host: 'shop', port: 10_000 });
  });

  it.each([
    [{ Cache__principalId: 'me' }, '"redisHostName" names no host'],
    [{ Cache__redisHostName: 'shop' }, 'without "principalId"'],
    [{ Cache__redisHostName: 'shop', Cache__principalId: 'me', Cache__credential: 'magic' }, '"credential" is neither'],
  ])('refuses %j and says why', (settings, problem) => {
    expect(() => parse(settings)).toThrow(problem);
  });
});
