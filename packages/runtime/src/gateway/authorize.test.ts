import { describe, expect, test } from 'vitest';
import type { FunctionKeys } from '../contract.ts';
import { isAuthorized } from './authorize.ts';

const keys: FunctionKeys = {
  levelOf: (key, functionName) => {
    if (key === 'master') return 'admin';
    if (key === 'sys') return 'system';
    return key === 'a key' && functionName === 'Hello' ? 'function' : undefined;
  },
};
const none = { headers: {}, search: '' };
const header = (key: string) => ({ headers: { 'x-functions-key': key }, search: '' });
const query = (search: string) => ({ headers: {}, search });

describe('isAuthorized', () => {
  test('everybody may call an anonymous function, or anything where there are no keys', () => {
    expect(isAuthorized(keys, 'anonymous', 'Hello', none)).toBe(true);
    expect(isAuthorized(undefined, 'admin', 'Hello', none)).toBe(true);
  });

  test.each([
    ['function', 'a key', true],
    ['function', 'master', true],
    ['function', 'sys', false],
    ['system', 'sys', true],
    ['system', 'a key', false],
    ['admin', 'master', true],
    ['admin', 'a key', false],
    ['user', 'a key', false],
    ['user', 'master', true],
    ['function', 'wrong', false],
    ['function', '', false],
  ] as const)('level %s with the key %j: %s', (level, key, allowed) => {
    expect(isAuthorized(keys, level, 'Hello', header(key))).toBe(allowed);
  });

  test('a key of one function opens no other', () => {
    expect(isAuthorized(keys, 'function', 'Other', header('a key'))).toBe(false);
  });

  test.each(['code=a%20key', 'x=1&code=a+key', 'CODE=a%20key'])('the key may stand in the query: %s', (search) => {
    expect(isAuthorized(keys, 'function', 'Hello', query(search))).toBe(true);
  });

  test.each(['', 'code', 'code=', 'xcode=a%20key', 'code=%zz'])('the query %j lets nobody in', (search) => {
    expect(isAuthorized(keys, 'function', 'Hello', query(search))).toBe(false);
  });

  test('the header counts before the query', () => {
    const both = { headers: { 'x-functions-key': 'wrong' }, search: 'code=master' };
    expect(isAuthorized(keys, 'function', 'Hello', both)).toBe(false);
  });
});
