import { InvocationResponse, StreamingMessage } from '@switchyard/protocol';
import fc from 'fast-check';
import Long from 'long';
import { describe, expect, it } from 'vitest';
import { success } from './failure.ts';
import { toInvocationResponse, toTypedData } from './to-wire.ts';

const answer = (value: unknown) => toInvocationResponse('i', success, value);

describe('toInvocationResponse', () => {
  it('keeps the id and the result of the worker', () => {
    const response = answer({ invocationId: 'other', result: { status: 'failure' }, outputData: null });
    expect(response).toMatchObject({ invocationId: 'i', result: success, outputData: [], returnValue: undefined });
    expect(answer(undefined).returnValue).toBeUndefined();
  });

  it('drops keys that the model did not set, and keys that the wire does not know', () => {
    const { returnValue, outputData } = answer({
      returnValue: { http: { statusCode: null, status: () => {}, _done: 1, body: { json: undefined }, cookies: [] } },
      outputData: [
        { name: 'a', data: { string: 'x' } },
        { name: 'b', data: null },
      ],
    });
    expect(returnValue?.data).toMatchObject({ $case: 'http', value: { statusCode: '', body: { data: undefined } } });
    expect(outputData).toEqual([
      { name: 'a', rpcData: { $case: 'data', value: { data: { $case: 'string', value: 'x' } } } },
      { name: 'b', rpcData: undefined },
    ]);
  });

  it('sends cookies with everything they may have', () => {
    const cookie = {
      name: 'c',
      value: 'v',
      domain: { value: 'd' },
      path: { value: '/' },
      expires: { value: { seconds: 5 } },
      secure: { value: true },
      httpOnly: { value: false },
      sameSite: 'explicitNone',
      maxAge: { value: 60 },
    };
    const { returnValue } = answer({ returnValue: { http: { cookies: [cookie, { name: 'bare' }] } } });
    const { cookies } = returnValue?.data?.$case === 'http' ? returnValue.data.value : { cookies: [] };
    expect(cookies[0]).toMatchObject({
      domain: { string: { value: 'd' } },
      expires: { timestamp: { value: { seconds: 5n, nanos: 0 } } },
      secure: { bool: { value: true } },
      httpOnly: { bool: { value: false } },
      sameSite: 3,
      maxAge: { double: { value: 60 } },
    });
    expect(cookies[1]).toMatchObject({ name: 'bare', value: '', domain: undefined, sameSite: 0 });
  });

  it.each<[unknown, string]>([
    ['text', 'the response is a string, expected an object'],
    [{ outputData: {} }, 'outputData is an object, expected an array'],
    [{ outputData: [{ name: 1 }] }, 'outputData[0].name is a number, expected a string'],
    [{ returnValue: 'x' }, 'returnValue is a string, expected an object'],
    [{ returnValue: { http: { statusCode: 200 } } }, 'returnValue.http.statusCode is a number, expected a string'],
    [{ returnValue: { http: { headers: { a: 1 } } } }, 'returnValue.http.headers.a is a number, expected a string'],
    [{ returnValue: { http: { enableContentNegotiation: 'yes' } } }, 'expected a boolean'],
    [{ returnValue: { http: { cookies: [{ sameSite: 'Odd' }] } } }, 'expected one of none, lax, strict, explicitNone'],
    [{ returnValue: { http: { cookies: [{ sameSite: 'toString' }] } } }, 'expected one of none'],
    [{ returnValue: { bytes: 'YQ==' } }, 'returnValue.bytes is a string, expected a Buffer or a Uint8Array'],
    [{ returnValue: { int: 1.5 } }, 'returnValue.int is a number, expected a whole number'],
    [{ returnValue: { int: 2n ** 63n } }, 'expected a whole number of 64 bits'],
    [{ returnValue: { double: '1' } }, 'returnValue.double is a string, expected a number'],
    [{ returnValue: { string: 'a', json: '1' } }, 'not string and json together'],
  ])('rejects %o and says where', (value, message) => {
    expect(() => answer(value)).toThrow(message);
    expect(() => answer(value)).toThrow('The result of the function cannot be sent');
  });

  it('whatever a model answers, it is sent or rejected with RESPONSE_INVALID', () => {
    const names = fc.constantFrom(
      'outputData',
      'returnValue',
      'http',
      'json',
      'int',
      'name',
      'data',
      'body',
      'cookies',
    );
    const { value: anything } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        fc.anything({ withTypedArray: true, withBigInt: true, maxDepth: 1 }),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(names, tie('value'), { maxKeys: 3 }),
      ),
    }));
    fc.assert(
      fc.property(anything, (value) => {
        try {
          const sent = { $case: 'invocationResponse' as const, value: answer(value) };
          const frame = StreamingMessage.encode({ requestId: '', content: sent }).finish();
          expect(StreamingMessage.decode(frame).content?.$case).toBe('invocationResponse');
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: 'RESPONSE_INVALID' });
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('toTypedData', () => {
  it('takes whole numbers as number, bigint or Long, exactly', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const expected = { data: { $case: 'int', value } };
        expect(toTypedData({ int: value }, '')).toEqual(expected);
        expect(toTypedData({ int: Long.fromString(String(value)) }, '')).toEqual(expected);
      }),
    );
    expect(toTypedData({ int: -5 }, '')).toEqual({ data: { $case: 'int', value: -5n } });
  });

  it('sends a whole number beyond 64 bits as the double that it is', () => {
    expect(toTypedData({ int: 1e300 }, '')).toEqual({ data: { $case: 'double', value: 1e300 } });
    expect(InvocationResponse.encode(answer({ returnValue: { int: -(2 ** 63) } })).finish().length).toBeGreaterThan(0);
  });
});
