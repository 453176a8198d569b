import type { FunctionMetadata } from '@switchyard/model';
import { describe, expect, test } from 'vitest';
import type { FunctionKeys } from '../contract.ts';
import type { FunctionTrigger } from '../job-host/function-entry.ts';
import { accessTo } from './access.ts';

const keys: FunctionKeys = { levelOf: (key) => (key === 'k' ? 'function' : key === 'm' ? 'admin' : undefined) };
const metadata = { name: 'f' } as FunctionMetadata;
const route: FunctionTrigger = { kind: 'route', options: { route: 'f', methods: [], authLevel: 'function' } };

function access(isDisabled: boolean, given: FunctionKeys | undefined, key?: string): string {
  const headers = key === undefined ? {} : { 'x-functions-key': key };
  return accessTo({ trigger: route, metadata, isDisabled }, given, { headers, search: '' });
}

describe('accessTo', () => {
  test('a function asks for the key of its level', () => {
    expect([access(false, keys, 'k'), access(false, keys, 'm'), access(false, keys)]).toEqual([
      'allowed',
      'allowed',
      'refused',
    ]);
    expect(access(false, undefined)).toBe('allowed');
  });

  test('a disabled one is there for the master key alone', () => {
    expect([access(true, keys, 'm'), access(true, keys, 'k'), access(true, keys)]).toEqual([
      'allowed',
      'unknown',
      'unknown',
    ]);
  });

  test('a disabled one is there for nobody where nobody needs a key', () => {
    expect(access(true, undefined)).toBe('unknown');
  });

  test('a function without a route cannot be called', () => {
    const listener: FunctionTrigger = {
      kind: 'listener',
      listen: () => {
        throw new Error('not here');
      },
    };
    const entry = { trigger: listener, metadata, isDisabled: false };
    expect(accessTo(entry, undefined, { headers: {}, search: '' })).toBe('unknown');
  });
});
