import { createHash } from 'node:crypto';
import type { RpcFunctionMetadata } from '@switchyard/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeIndex, encodeIndex } from './function-index.ts';
import { computeMetadataVersion, type MetadataVersionInput } from './metadata-version.ts';

function createFunction(
  name: string,
  bindings: readonly object[],
  more: Partial<RpcFunctionMetadata> = {},
): RpcFunctionMetadata {
  return {
    name,
    directory: '/app/one',
    scriptFile: '/app/one/index.js',
    entryPoint: '',
    bindings: new Map(
      bindings.map((_, index) => [
        `b${index}`,
        { type: 'queueTrigger', direction: 0, dataType: 0, properties: new Map() },
      ]),
    ),
    isProxy: false,
    status: undefined,
    language: 'node',
    rawBindings: bindings.map((binding) => JSON.stringify(binding)),
    functionId: 'id',
    managedDependencyEnabled: false,
    retryOptions: undefined,
    properties: new Map([['model', 'v4']]),
    ...more,
  };
}

const queue = { name: 'item', type: 'queueTrigger', direction: 'in', queueName: '%QUEUE%', connection: 'Orders' };
const timer = { name: 'timer', type: 'timerTrigger', direction: 'in', schedule: '0 * * * * *' };
const digest = (text: string): string => createHash('sha256').update(`key ${text}`).digest('hex');
const input: MetadataVersionInput = {
  index: { functions: [createFunction('work', [queue]), createFunction('tick', [timer])], useDefaultIndexing: false },
  hostJson: '{"version":"2.0","extensions":{"http":{"routePrefix":"api"}}}',
  values: new Map([
    ['QUEUE', 'orders'],
    ['Orders', 'UseDevelopmentStorage=true'],
    ['AzureWebJobsStorage', 'UseDevelopmentStorage=true'],
    ['COLOUR', 'red'],
  ]),
  digest,
};

const versionOf = (more: Partial<MetadataVersionInput> = {}): string => computeMetadataVersion({ ...input, ...more });
const withValues = (...changes: readonly (readonly [string, string])[]): string =>
  versionOf({ values: new Map([...input.values, ...changes]) });
const withFunctions = (...functions: readonly RpcFunctionMetadata[]): string =>
  versionOf({ index: { ...input.index, functions } });

describe('computeMetadataVersion', () => {
  it('is 16 hexadecimal digits, and shows no secret', () => {
    expect(versionOf()).toMatch(/^[0-9a-f]{16}$/);
    expect(versionOf({ digest: (text) => digest(`other ${text}`) })).not.toBe(versionOf());
  });

  it('I1: whatever the order of functions, settings and keys', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray([...input.index.functions], { minLength: 2 }),
        fc.shuffledSubarray([...input.values], { minLength: 4 }),
        fc.shuffledSubarray(Object.entries(queue), { minLength: 5 }),
        (functions, values, members) => {
          const shuffled = functions.map((one) =>
            one.name === 'work' ? { ...one, rawBindings: [JSON.stringify(Object.fromEntries(members))] } : one,
          );
          const hostJson = '{ "extensions": {"http": {"routePrefix": "api"}}, "version": "2.0" }';
          const index = { functions: shuffled, useDefaultIndexing: false };
          expect(computeMetadataVersion({ index, values: new Map(values), hostJson, digest })).toBe(versionOf());
        },
      ),
    );
  });

  it('I1: wherever the package lies, and whatever ids the worker made', () => {
    const moved = { directory: '/app/two', scriptFile: '/app/two/index.js', functionId: 'other' };
    expect(withFunctions(createFunction('work', [queue], moved), createFunction('tick', [timer], moved))).toBe(
      versionOf(),
    );
  });

  it('I1: after the way through the catalog', () => {
    expect(versionOf({ index: decodeIndex(encodeIndex(input.index)) })).toBe(versionOf());
  });

  it.each<[string, Partial<RpcFunctionMetadata>]>([
    ['its name', { name: 'labour' }],
    ['its script', { scriptFile: '/app/one/other.js' }],
    ['its entry point', { entryPoint: 'run' }],
    ['its language', { language: 'python' }],
    ['a binding', { rawBindings: [JSON.stringify({ ...queue, queueName: 'fixed' })] }],
    ['a property', { properties: new Map([['model', 'v3']]) }],
    ['its retries', { retryOptions: { maxRetryCount: 3 } as RpcFunctionMetadata['retryOptions'] }],
  ])('I2: a function changes with %s', (_, more) => {
    const [work, tick] = [createFunction('work', [queue], more), createFunction('tick', [timer])];
    expect(withFunctions(work, tick)).not.toBe(versionOf());
  });

  it('I2: a function more or less, and host.json', () => {
    const [work] = input.index.functions;
    expect(withFunctions(...(work === undefined ? [] : [work]))).not.toBe(versionOf());
    expect(versionOf({ index: { functions: [], useDefaultIndexing: true } })).not.toBe(
      versionOf({ index: { functions: [], useDefaultIndexing: false } }),
    );
    expect(versionOf({ hostJson: '{"version":"2.0"}' })).not.toBe(versionOf());
    expect(versionOf({ hostJson: undefined })).not.toBe(versionOf({ hostJson: 'null' }));
    expect(versionOf({ hostJson: '[["a",1]]' })).not.toBe(versionOf({ hostJson: '{"a":1}' }));
  });

  it.each([
    ['QUEUE', 'others'],
    ['queue', 'others'],
    ['Orders', 'DefaultEndpointsProtocol=https'],
    ['Orders__serviceUri', 'https://a.test'],
    ['AzureWebJobsOrders', 'DefaultEndpointsProtocol=https'],
    ['ConnectionStrings:Orders', 'DefaultEndpointsProtocol=https'],
    ['AzureWebJobsStorage', 'DefaultEndpointsProtocol=https'],
    ['AzureWebJobsStorage__accountName', 'a'],
    ['AzureFunctionsJobHost__extensions__http__routePrefix', 'v2'],
    ['AzureWebJobs.tick.Disabled', '1'],
    ['WEBSITE_TIME_ZONE', 'Europe/Zurich'],
  ])('I2: a value that is named: %s', (name, value) => {
    expect(withValues([name, value])).not.toBe(versionOf());
  });

  it('I3: a setting that nobody names', () => {
    const names = fc.stringMatching(/^X_[A-Z0-9_]{0,12}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(names, fc.string())), (more) => {
        expect(withValues(...more, ['COLOUR', 'blue'])).toBe(versionOf());
      }),
    );
  });

  it('takes hostile metadata as it is', () => {
    const hostile = createFunction('work', [], {
      rawBindings: ['{"__proto__":{"connection":"A"}}', 'no json', '[1,null]', '""'],
    });
    expect(withFunctions(hostile)).toMatch(/^[0-9a-f]{16}$/);
    const values = new Map([...input.values, ['A', 'secret'] as const]);
    const index = { functions: [hostile], useDefaultIndexing: false };
    expect(versionOf({ index, values })).not.toBe(versionOf({ index }));
  });
});

describe('encodeIndex', () => {
  it('keeps functions and capabilities', () => {
    const listing = { ...input.index, capabilities: new Map([['RpcHttpBodyOnly', 'true']]) };
    expect(decodeIndex(encodeIndex(listing))).toEqual(listing);
    expect(decodeIndex(encodeIndex({ functions: [], useDefaultIndexing: true }))).toEqual({
      functions: [],
      useDefaultIndexing: true,
    });
  });
});
