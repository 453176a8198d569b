import { RpcFunctionMetadata, RpcRetryOptions_RetryStrategy } from '@switchyard/protocol';
import { describe, expect, it } from 'vitest';
import { parseRegistration, toCoreFunctionMetadata } from './function-metadata.ts';

const place = { directory: '/app/src', scriptFile: 'a.js' };
const trigger = { methods: ['GET'], route: 'a', type: 'httpTrigger', name: 'req', direction: 'in' };

describe('parseRegistration', () => {
  it('keeps every option for the model and in the raw binding, and four on the wire', () => {
    const binding = { ...trigger, dataType: 'binary', properties: { supportsDeferredBinding: 'false' } };
    const { metadata, rpc } = parseRegistration({ name: 'hello', bindings: { req: binding } }, place);
    expect(metadata).toMatchObject({ name: 'hello', functionId: 'hello', ...place });
    expect(metadata.bindings.req).toEqual(binding);
    expect(rpc.rawBindings).toEqual([JSON.stringify(binding)]);
    expect([...rpc.bindings]).toEqual([
      [
        'req',
        {
          type: 'httpTrigger',
          direction: 0,
          dataType: 2,
          properties: new Map([['supportsDeferredBinding', 'false']]),
        },
      ],
    ]);
  });

  it('puts the name into a raw binding that lacks it, and takes an explicit id', () => {
    const { rpc } = parseRegistration(
      { name: 'q', functionId: 'q-1', bindings: { item: { type: 'queueTrigger', direction: 'in' } } },
      place,
    );
    expect(rpc.functionId).toBe('q-1');
    expect(rpc.rawBindings).toEqual(['{"type":"queueTrigger","direction":"in","name":"item"}']);
  });

  it('carries the retry policy', () => {
    const retryOptions = {
      strategy: 'fixedDelay',
      retryStrategy: 'fixedDelay',
      maxRetryCount: 3,
      delayInterval: { seconds: 2 },
      maximumInterval: undefined,
    };
    const { rpc } = parseRegistration({ name: 'q', bindings: {}, retryOptions }, place);
    expect(rpc.retryOptions).toEqual({
      maxRetryCount: 3,
      delayInterval: { seconds: 2n, nanos: 0 },
      minimumInterval: undefined,
      maximumInterval: undefined,
      retryStrategy: RpcRetryOptions_RetryStrategy.fixed_delay,
    });
  });

  it('takes __proto__ for a binding name like any other', () => {
    const bindings = JSON.parse('{ "__proto__": { "type": "x" } }');
    expect([...parseRegistration({ name: 'a', bindings }, place).rpc.bindings.keys()]).toEqual(['__proto__']);
  });

  it.each<[unknown, string]>([
    [undefined, 'Function "(unnamed)" cannot be registered: the metadata is undefined, expected an object'],
    [{}, 'name is undefined, expected a name'],
    [{ name: 5 }, 'name is a number, expected a string'],
    [{ name: 'a' }, 'Function "a" cannot be registered: bindings is undefined, expected an object'],
    [{ name: 'a', bindings: { b: 'x' } }, 'bindings.b is a string, expected an object'],
    [{ name: 'a', bindings: { b: { direction: 'up' } } }, 'bindings.b.direction is a string, expected one of in, out'],
    [{ name: 'a', bindings: { b: { properties: { c: 1 } } } }, 'bindings.b.properties.c is a number'],
    [{ name: 'a', bindings: {}, functionId: 1 }, 'functionId is a number'],
    [{ name: 'a', bindings: {}, retryOptions: { retryStrategy: 'often' } }, 'expected one of exponentialBackoff'],
  ])('refuses %o and says why', (metadata, message) => {
    expect(() => parseRegistration(metadata, place)).toThrow(message);
  });
});

describe('toCoreFunctionMetadata', () => {
  it('speaks in words where the wire has numbers', () => {
    const core = toCoreFunctionMetadata('id-1', {
      ...RpcFunctionMetadata.decode(new Uint8Array()),
      name: 'v3',
      entryPoint: 'run',
      bindings: new Map([
        ['res', { type: 'http', direction: 1, dataType: 0, properties: new Map() }],
        ['__proto__', { type: 'blob', direction: 2, dataType: 3, properties: new Map() }],
      ]),
    });
    expect(core).toMatchObject({ name: 'v3', functionId: 'id-1', entryPoint: 'run', isProxy: false });
    expect(
      Object.entries(core.bindings).map(([name, { type, direction, dataType }]) => [name, type, direction, dataType]),
    ).toEqual([
      ['res', 'http', 'out', 'undefined'],
      ['__proto__', 'blob', 'inout', 'stream'],
    ]);
  });
});
