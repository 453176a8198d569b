import { silentLog, silentMeter } from '@switchyard/kernel';
import { buildFunctionIndex, createSettingsView, parseHostJson, parseIndexedFunction } from '@switchyard/model';
import { createSeededRandom, type FakeFunction, toRpcFunctionMetadata, VirtualClock } from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import { createSampleKinds } from '../testing/sample-kinds.ts';
import { createCatalog } from './function-catalog.ts';

function catalogOf(functions: readonly FakeFunction[], functionsLimit = 100) {
  const settings = createSettingsView([['PREFIX', 'orders']]);
  const host = parseHostJson(
    { version: '2.0', retry: { strategy: 'fixedDelay', maxRetryCount: 3, delayInterval: '00:00:01' } },
    { where: 'host.json', development: false, cpus: 1 },
  );
  const index = buildFunctionIndex(functions.map((one) => parseIndexedFunction(toRpcFunctionMetadata(one))));
  return createCatalog(
    index,
    {
      applicationId: 'sample',
      settings,
      kinds: createSampleKinds(),
      development: false,
      extensions: host.extensions,
      retry: host.retry,
      contextOf: (functionName) => ({
        applicationId: 'sample',
        hostId: 'sample',
        functionName,
        settings,
        clock: new VirtualClock(),
        random: createSeededRandom(1),
        log: silentLog,
        meter: silentMeter,
      }),
    },
    { routePrefix: 'api', managedDependencies: false, functionsLimit },
  );
}

const event = { type: 'eventTrigger', direction: 'in', name: 'event' };

describe('createCatalog', () => {
  test('finds functions by name in any case', () => {
    const catalog = catalogOf([{ name: 'Hello' }, { name: 'work', bindings: [event] }]);
    expect(catalog.find('hELLO')?.metadata.name).toBe('Hello');
    expect(catalog.find('nobody')).toBeUndefined();
    expect(catalog.find('__proto__')).toBeUndefined();
  });

  test('sorts out what a function does with its values', () => {
    const catalog = catalogOf([
      {
        name: 'work',
        bindings: [
          { type: 'httpTrigger', direction: 'in', name: 'req' },
          { type: 'http', direction: 'out', name: 'res' },
          { type: 'lookup', direction: 'in', name: 'a' },
          { type: 'collector', direction: 'out', name: 'b' },
        ],
      },
    ]);
    const entry = catalog.find('work');
    expect(entry?.inputs.map(({ name }) => name)).toEqual(['a']);
    expect(entry?.outputs.map(({ name }) => name)).toEqual(['b']);
    expect([entry?.httpOutputName, entry?.hasReturnBinding]).toEqual(['res', false]);
    expect([...(entry?.outputNames ?? [])]).toEqual(['res', 'b']);
  });

  test('a function without a retry policy has that of host.json', () => {
    const own = {
      maxRetryCount: 1,
      delayInterval: { seconds: 2n, nanos: 0 },
      minimumInterval: undefined,
      maximumInterval: undefined,
      retryStrategy: 1,
    } as const;
    const catalog = catalogOf([
      { name: 'own', bindings: [event], retryOptions: own },
      { name: 'plain', bindings: [event] },
    ]);
    expect(catalog.find('own')?.retry).toMatchObject({ maxRetryCount: 1 });
    expect(catalog.find('plain')?.retry).toMatchObject({ maxRetryCount: 3 });
  });

  test('settings in routes are replaced; a missing one rejects the function and names it', () => {
    const http = (route: string) => [{ type: 'httpTrigger', direction: 'in', name: 'req', route }];
    const catalog = catalogOf([
      { name: 'good', bindings: http('%PREFIX%/{id}') },
      { name: 'bad', bindings: http('%MISSING%/{id}') },
      { name: 'ugly', bindings: http('{unclosed') },
      { name: 'reserved', bindings: http('admin/x') },
    ]);
    expect(catalog.status).toMatchObject([{ name: 'good', route: { template: 'api/orders/{id}' } }]);
    const reasons = Object.fromEntries(catalog.rejected.map(({ name, reason }) => [name, reason]));
    expect(Object.keys(reasons).sort()).toEqual(['bad', 'reserved', 'ugly']);
    expect(reasons.bad).toContain('MISSING');
    expect(reasons.ugly).toContain('unclosed');
  });

  test('an app with too many functions runs as many as it may', () => {
    const catalog = catalogOf([{ name: 'a' }, { name: 'b' }, { name: 'c' }], 2);
    expect(catalog.entries.map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
    expect(catalog.rejected).toMatchObject([{ name: 'c', reason: expect.stringContaining('3 functions; at most 2') }]);
  });
});
