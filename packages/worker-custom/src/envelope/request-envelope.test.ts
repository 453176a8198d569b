import { InvocationRequest, type ParameterBinding, RpcHttp, type TypedData } from '@switchyard/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toRequestEnvelope } from './request-envelope.ts';

const context = { functionName: 'Order', timeMs: Date.UTC(2024, 4, 1, 10), uuid: 'a-b-c' };
const system = { MethodName: 'Order', UtcNow: '2024-05-01T10:00:00.000Z', RandGuid: 'a-b-c' };

const text = (value: string): TypedData => ({ data: { $case: 'string', value } });
const json = (value: unknown): TypedData => ({ data: { $case: 'json', value: JSON.stringify(value) } });
const http = (given: Partial<RpcHttp>): TypedData => ({
  data: { $case: 'http', value: { ...RpcHttp.decode(new Uint8Array()), ...given } },
});
const input = (name: string, value: TypedData): ParameterBinding => ({ name, rpcData: { $case: 'data', value } });
const nullable = (value: string | undefined): { string: { $case: 'value'; value: string } | undefined } => ({
  string: value === undefined ? undefined : { $case: 'value', value },
});

function envelope(given: Partial<InvocationRequest>): unknown {
  const request = { ...InvocationRequest.decode(new Uint8Array()), ...given };
  return JSON.parse(toRequestEnvelope(request, context)) as unknown;
}

describe('toRequestEnvelope', () => {
  test('a queue message with what is known of it', () => {
    const given = {
      inputData: [input('message', text('{"id":1}')), input('order', json({ total: 5 }))],
      triggerMetadata: new Map([
        ['QueueTrigger', text('{"id":1}')],
        ['DequeueCount', json(1)],
        ['Id', text('x-1')],
        ['InsertionTime', json('2024-05-01T09:59:58.000Z')],
        ['id', json(1)],
        ['nothing', { data: undefined }],
      ]),
    };
    expect(envelope(given)).toEqual({
      Data: { message: '"{\\"id\\":1}"', order: { total: 5 } },
      Metadata: { DequeueCount: '1', Id: '"x-1"', InsertionTime: '2024-05-01T09:59:58.000Z', id: '1', sys: system },
    });
  });

  test('an HTTP request, from a host that fills the nullable maps', () => {
    const request = http({
      method: 'POST',
      url: 'http://localhost:7071/api/orders/7?kind=',
      nullableHeaders: new Map([
        ['content-type', nullable('application/json')],
        ['user-agent', nullable('curl/8')],
        ['x-empty', nullable('')],
      ]),
      nullableQuery: new Map([['kind', nullable('')]]),
      nullableParams: new Map([
        ['id', nullable('7')],
        ['tail', nullable(undefined)],
      ]),
      body: { data: { $case: 'bytes', value: new TextEncoder().encode('{"größe":1}') } },
    });
    const given = {
      inputData: [input('req', request)],
      triggerMetadata: new Map([
        ['req', request],
        ['Query', json({ kind: '' })],
      ]),
    };
    expect(envelope(given)).toEqual({
      Data: {
        req: {
          Url: 'http://localhost:7071/api/orders/7?kind=',
          Method: 'POST',
          Query: { kind: '' },
          Headers: { 'Content-Type': ['application/json'], 'User-Agent': ['curl/8'], 'x-empty': [''] },
          Params: { id: '7', tail: null },
          Identities: [],
          Body: '{"größe":1}',
        },
      },
      Metadata: { Query: { kind: '' }, sys: system },
    });
  });

  test.each<[string, string | undefined]>([
    ['application/octet-stream', 'AP8='],
    ['Multipart/Form-Data; boundary=x', 'AP8='],
    ['text/plain', '\u0000\uFFFD'],
  ])('a body of the type %s is %j', (contentType, body) => {
    const request = http({
      headers: new Map([['content-type', contentType]]),
      body: { data: { $case: 'bytes', value: new Uint8Array([0, 255]) } },
    });
    expect(envelope({ inputData: [input('req', request)] })).toMatchObject({ Data: { req: { Body: body } } });
  });

  test('no body is no key, and identities read like those of .NET', () => {
    const request = http({
      method: 'GET',
      params: new Map([['id', '7']]),
      identities: [
        {
          authenticationType: nullable('key'),
          nameClaimType: nullable('name'),
          roleClaimType: nullable('role'),
          claims: [{ type: 'name', value: 'Ann' }],
        },
      ],
    });
    const { Data } = envelope({ inputData: [input('req', request)] }) as { Data: { req: Record<string, unknown> } };
    expect(Data.req).not.toHaveProperty('Body');
    expect(Data.req).toMatchObject({
      Params: { id: '7' },
      Identities: [
        { AuthenticationType: 'key', IsAuthenticated: true, Name: 'Ann', Claims: [{ Type: 'name', Value: 'Ann' }] },
      ],
    });
  });

  test('a retry tells which one it is', () => {
    const exception = { source: 's', stackTrace: 'at f', message: 'm', isUserException: true, type: 'Error' };
    expect(envelope({ retryContext: { retryCount: 1, maxRetryCount: 3, exception } })).toMatchObject({
      Metadata: {
        RetryContext: {
          RetryCount: 1,
          MaxRetryCount: 3,
          Exception: { Message: 'm', StackTraceString: 'at f', Source: 's' },
        },
      },
    });
    expect(envelope({ retryContext: { retryCount: 0, maxRetryCount: 3, exception: undefined } })).toMatchObject({
      Metadata: { RetryContext: { RetryCount: 0, Exception: null } },
    });
  });

  test('shared memory is refused by name', () => {
    const rpcSharedMemory = { name: 'm', offset: 0n, count: 0n, type: 0 } as const;
    const inputData: ParameterBinding[] = [
      { name: 'blob', rpcData: { $case: 'rpcSharedMemory', value: rpcSharedMemory } },
    ];
    expect(() => envelope({ inputData })).toThrow("The input 'blob' of function 'Order' came through shared memory");
  });

  test('whatever the names and values, the envelope is JSON that holds them', () => {
    const names = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'a"b'));
    fc.assert(
      fc.property(names, fc.string(), fc.jsonValue(), (name, word, value) => {
        const given = {
          inputData: [input(name, text(word))],
          triggerMetadata: new Map([[name, json(value)]]),
        };
        const { Data } = envelope(given) as { Data: Record<string, unknown> };
        expect(Object.entries(Data)).toEqual([[name, JSON.stringify(word)]]);
      }),
    );
  });
});
