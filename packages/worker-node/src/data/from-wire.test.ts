import { InvocationRequest, RpcHttp, type TypedData } from '@switchyard/protocol';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { toCoreInvocationRequest, toCoreTypedData } from './from-wire.ts';
import { LongIntegers } from './long-integers.ts';
import { toTypedData } from './to-wire.ts';

const longs = new LongIntegers();
beforeAll(() => longs.load());

const nothing = new Uint8Array();
const http = (members: Partial<RpcHttp>): TypedData => ({
  data: { $case: 'http', value: { ...RpcHttp.decode(nothing), ...members } },
});

const strings = fc.string({ unit: 'binary' });
const bytes = fc.uint8Array({ maxLength: 40 });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const doubles = fc.double({ noNaN: true });

/** Every kind of value but http, which is not the same in both directions. */
const typedData: fc.Arbitrary<TypedData> = fc.oneof(
  fc.constant<TypedData>({ data: undefined }),
  strings.map((value): TypedData => ({ data: { $case: 'string', value } })),
  strings.map((value): TypedData => ({ data: { $case: 'json', value } })),
  bytes.map((value): TypedData => ({ data: { $case: 'bytes', value: Buffer.from(value) } })),
  bytes.map((value): TypedData => ({ data: { $case: 'stream', value: Buffer.from(value) } })),
  int64.map((value): TypedData => ({ data: { $case: 'int', value } })),
  doubles.map((value): TypedData => ({ data: { $case: 'double', value } })),
  fc.array(bytes).map((all): TypedData => {
    return { data: { $case: 'collectionBytes', value: { bytes: all.map((one) => Buffer.from(one)) } } };
  }),
  fc.array(strings).map((string): TypedData => ({ data: { $case: 'collectionString', value: { string } } })),
  fc.array(doubles).map((double): TypedData => ({ data: { $case: 'collectionDouble', value: { double } } })),
  fc.array(int64).map((sint64): TypedData => ({ data: { $case: 'collectionSint64', value: { sint64 } } })),
  fc
    .record({ version: strings, source: strings, contentType: strings, content: bytes.map((one) => Buffer.from(one)) })
    .map((value): TypedData => ({ data: { $case: 'modelBindingData', value } })),
);

describe('toCoreTypedData', () => {
  it('sets one member, which travels back unchanged', () => {
    fc.assert(
      fc.property(typedData, (data) => {
        const core = toCoreTypedData(data, longs);
        expect(Object.keys(core)).toEqual(data.data ? [data.data.$case] : []);
        expect(toTypedData(core, 'value')).toEqual(data);
      }),
    );
  });

  it('gives bytes as Buffers that share the memory of the frame', () => {
    const frame = Uint8Array.of(1, 2, 3, 4);
    const { bytes: view } = toCoreTypedData({ data: { $case: 'bytes', value: frame.subarray(1, 3) } }, longs);
    expect(Buffer.isBuffer(view)).toBe(true);
    expect([...(view ?? [])]).toEqual([2, 3]);
    frame[1] = 9;
    expect(view?.[0]).toBe(9);
  });

  it('gives an HTTP request empty defaults, undefined for what is unset, and nullable maps', () => {
    const { http: core } = toCoreTypedData(
      http({
        method: 'GET',
        nullableHeaders: new Map([
          ['x-empty', { string: { $case: 'value', value: '' } }],
          ['x-unset', { string: undefined }],
        ]),
        body: { data: undefined },
      }),
      longs,
    );
    expect(core).toMatchObject({ method: 'GET', url: '', headers: {}, query: {}, cookies: [], body: {} });
    expect(core?.rawBody).toBeUndefined();
    expect(Object.entries(core?.nullableHeaders ?? {})).toEqual([
      ['x-empty', { value: '' }],
      ['x-unset', { value: undefined }],
    ]);
    expect(structuredClone(core)).toMatchObject({ method: 'GET' });
  });

  it('takes __proto__ for a header like any other', () => {
    const evil = new Map([['__proto__', { string: { $case: 'value' as const, value: 'x' } }]]);
    const { http: core } = toCoreTypedData(
      http({ nullableHeaders: evil, headers: new Map([['__proto__', 'y']]) }),
      longs,
    );
    expect(Object.keys(core?.nullableHeaders ?? {})).toEqual(['__proto__']);
    expect(Object.entries(core?.headers ?? {})).toEqual([['__proto__', 'y']]);
    expect(({} as Record<string, unknown>).value).toBeUndefined();
  });
});

describe('toCoreInvocationRequest', () => {
  const empty = InvocationRequest.decode(nothing);

  it('leaves unset messages undefined, and lists and maps empty', () => {
    const core = toCoreInvocationRequest({ ...empty, invocationId: 'i', functionId: 'f' }, longs);
    expect(core).toEqual({
      invocationId: 'i',
      functionId: 'f',
      inputData: [],
      triggerMetadata: Object.create(null),
      traceContext: undefined,
      retryContext: undefined,
    });
  });

  it('carries trace and retry contexts', () => {
    const core = toCoreInvocationRequest(
      {
        ...empty,
        traceContext: {
          traceParent: 'p',
          traceState: 's',
          attributes: new Map([['a', 'b']]),
          baggage: new Map(),
        },
        retryContext: {
          retryCount: 1,
          maxRetryCount: 3,
          exception: { source: 'a', stackTrace: 'b', message: 'c', isUserException: true, type: 'd' },
        },
      },
      longs,
    );
    expect(core.traceContext).toEqual({ traceParent: 'p', traceState: 's', attributes: { a: 'b' } });
    expect(core.retryContext).toEqual({
      retryCount: 1,
      maxRetryCount: 3,
      exception: { source: 'a', stackTrace: 'b', message: 'c' },
    });
  });

  it('refuses an input that lies in shared memory, by its name', () => {
    const value = { name: 'm', offset: 0n, count: 1n, type: 3 as const };
    const inputData = [{ name: 'big', rpcData: { $case: 'rpcSharedMemory' as const, value } }];
    expect(() => toCoreInvocationRequest({ ...empty, inputData }, longs)).toThrow('Input "big" came through shared');
  });
});
