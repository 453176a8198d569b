import { describe, expect, it } from 'vitest';
import {
  AppStartContext,
  AppTerminateContext,
  LogContext,
  PostInvocationContext,
  PreInvocationContext,
} from './hook-contexts.ts';

const stores = { hookData: { own: 1 }, appHookData: { shared: 2 } };
const invocationContext = { name: 'context' };
const run = () => {};

describe('hook contexts', () => {
  it.each<[string, object, string[]]>([
    ['appStart', new AppStartContext(stores, '/app'), ['hookData', 'appHookData']],
    ['appTerminate', new AppTerminateContext(stores), ['hookData', 'appHookData']],
    [
      'preInvocation',
      new PreInvocationContext(stores, invocationContext, [], run),
      ['hookData', 'appHookData', 'invocationContext'],
    ],
    [
      'postInvocation',
      new PostInvocationContext(stores, invocationContext, [], 1, undefined),
      ['hookData', 'appHookData', 'invocationContext'],
    ],
    [
      'log',
      new LogContext(stores, invocationContext, 'information', 'user', 'm'),
      ['hookData', 'appHookData', 'invocationContext', 'category'],
    ],
  ])('%s: read-only members throw on assignment', (_name, context, members) => {
    expect(Reflect.get(context, 'hookData')).toBe(stores.hookData);
    expect(Reflect.get(context, 'appHookData')).toBe(stores.appHookData);
    for (const member of members) {
      expect(() => Reflect.set(context, member, {})).toThrow(`read only property '${member}'`);
    }
  });

  it('lets hooks change what is theirs to change', () => {
    const before = new PreInvocationContext(stores, invocationContext, [1], run);
    before.inputs = [2];
    const other = () => {};
    before.functionCallback = other;
    expect([before.inputs, before.functionCallback, before.invocationContext]).toEqual([[2], other, invocationContext]);
    const after = new PostInvocationContext(stores, invocationContext, [], 1, new Error('x'));
    after.result = 2;
    after.error = null;
    expect([after.result, after.error]).toEqual([2, null]);
    const line = new LogContext(stores, undefined, 'information', 'system', 'm');
    expect([line.category, line.invocationContext]).toEqual(['system', undefined]);
  });
});
