import { describe, expect, it } from 'vitest';
import { parseRedisAddress } from './redis-connection.ts';

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
