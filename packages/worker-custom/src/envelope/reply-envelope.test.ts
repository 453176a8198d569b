import type { ParameterBinding, TypedData } from '@switchyard/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HandlerReply } from '../handler/ports.ts';
import type { LoadedFunction } from '../loaded-function.ts';
import { type InvocationResult, parseReplyEnvelope } from './reply-envelope.ts';

const called: LoadedFunction = {
  name: 'Order',
  isPlainHttp: false,
  outputs: [
    { name: 'res', isHttp: true, isText: false },
    { name: 'queue', isHttp: false, isText: false },
    { name: 'note', isHttp: false, isText: true },
  ],
};

function returning(isHttp: boolean): LoadedFunction {
  return { ...called, outputs: [{ name: '$return', isHttp, isText: false }] };
}

function parse(body: string | Uint8Array, target: LoadedFunction = called): InvocationResult {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  const reply: HandlerReply = { status: 200, statusText: 'OK', headers: [], body: bytes };
  return parseReplyEnvelope(reply, target, 100);
}

function answer(content: unknown, target: LoadedFunction = called): InvocationResult {
  return parse(JSON.stringify(content), target);
}

const output = (name: string, data: TypedData['data']): ParameterBinding => ({
  name,
  rpcData: { $case: 'data', value: { data } },
});

describe('outputs', () => {
  test.each<[string, unknown, TypedData['data']]>([
    ['a text', 'two words', { $case: 'string', value: 'two words' }],
    ['an object', { a: 1 }, { $case: 'json', value: '{"a":1}' }],
    ['a list', ['a', 'b'], { $case: 'json', value: '["a","b"]' }],
    ['a number', 5, { $case: 'json', value: '5' }],
    ['base64', 'AP8=', { $case: 'bytes', value: Buffer.from([0, 255]) }],
    ['base64 in lines', 'AAEC\r\nAwQF\r\n', { $case: 'bytes', value: Buffer.from([0, 1, 2, 3, 4, 5]) }],
    ['nothing much', '', { $case: 'string', value: '' }],
    ['almost base64', 'AP8', { $case: 'string', value: 'AP8' }],
  ])('%s goes out as it should', (_name, value, data) => {
    expect(answer({ Outputs: { queue: value } }).outputData).toEqual([output('queue', data)]);
  });

  test('an output of the type text is never taken for base64', () => {
    const { outputData } = answer({ Outputs: { note: 'AP8=' } });
    expect(outputData).toEqual([output('note', { $case: 'string', value: 'AP8=' })]);
  });

  test('null, what is missing, and what the function does not have are left out', () => {
    const { outputData, returnValue } = answer({
      Outputs: { queue: null, unknown: 'x' },
      ReturnValue: 'nobody takes it',
    });
    expect(outputData).toEqual([]);
    expect(returnValue).toBeUndefined();
  });

  test('ids beyond 2^53 keep their digits', () => {
    const { outputData } = parse('{"Outputs":{"queue":{"id":12345678901234567890}}}');
    expect(outputData).toEqual([output('queue', { $case: 'json', value: '{"id":12345678901234567890}' })]);
  });

  test('keys count in any case', () => {
    const { outputData, logs } = answer({ outputs: { queue: 'q!' }, LOGS: ['a'] });
    expect(outputData).toHaveLength(1);
    expect(logs).toEqual(['a']);
  });
});

describe('HTTP outputs', () => {
  function response(value: unknown): unknown {
    const data = answer({ Outputs: { res: value } }).outputData[0]?.rpcData;
    if (data?.$case !== 'data' || data.value.data?.$case !== 'http') throw new Error('no response');
    const { statusCode, headers, body } = data.value.data.value;
    return { statusCode, headers: Object.fromEntries(headers), body: body?.data };
  }

  test.each<[string, unknown, unknown]>([
    [
      'all parts',
      { statusCode: 201, headers: { 'X-A': 'b', list: ['1', '2'], n: 5, none: null }, body: 'created' },
      {
        statusCode: '201',
        headers: { 'X-A': 'b', list: '1, 2', n: '5', none: '' },
        body: { $case: 'string', value: 'created' },
      },
    ],
    ['status as a text', { status: '404', body: '' }, { statusCode: '404', body: { $case: 'string', value: '' } }],
    ['statusCode before status', { StatusCode: '202', Status: '500' }, { statusCode: '202' }],
    ['an object as the body', { body: { a: 1 } }, { statusCode: '200', body: { $case: 'json', value: '{"a":1}' } }],
    ['no body', { statusCode: 204, body: null }, { statusCode: '204', body: undefined }],
    ['a text that holds the object', '{"statusCode":418}', { statusCode: '418' }],
    [
      'a line per cookie',
      { headers: { 'Set-Cookie': ['a=1; Path=/', 'b=2; Partitioned'] } },
      { headers: { 'set-cookie': 'a=1; Path=/', 'Set-cookie': 'b=2; Partitioned' } },
    ],
  ])('%s', (_name, value, expected) => {
    expect(response(value)).toMatchObject(expected as object);
  });

  test.each([['just text'], [[1, 2]], [7]])('%j is no response, and the binding is named', (value) => {
    expect(() => answer({ Outputs: { res: value } })).toThrow(
      `The output 'res' of function 'Order' is an HTTP response, but its value is ${JSON.stringify(value)}.`,
    );
  });
});

describe('the return value', () => {
  test('is a response when it has a body, and content otherwise', () => {
    const withBody = answer({ ReturnValue: { StatusCode: 202, Body: 'ok' } }, returning(true));
    expect(withBody.returnValue?.data).toMatchObject({ $case: 'http', value: { statusCode: '202' } });
    const content = answer({ ReturnValue: { status: 202 } }, returning(true));
    expect(content.returnValue?.data).toEqual({ $case: 'json', value: '{"status":202}' });
  });

  test('may stand among the outputs; the return value itself comes first', () => {
    const among = answer({ Outputs: { $return: 'a b' } }, returning(false));
    expect(among).toMatchObject({ outputData: [], returnValue: { data: { $case: 'string', value: 'a b' } } });
    const both = answer({ Outputs: { $return: 'a b' }, ReturnValue: 'c d' }, returning(false));
    expect(both.returnValue?.data).toEqual({ $case: 'string', value: 'c d' });
  });
});

describe('logs', () => {
  test.each<[unknown, readonly string[]]>([
    [
      ['a', 5, { b: 1 }],
      ['a', '5', '{"b":1}'],
    ],
    ['one line', ['one line']],
    [null, []],
  ])('%j are %j', (logs, lines) => {
    expect(answer({ Logs: logs }).logs).toEqual(lines);
  });
});

describe('answers that are none', () => {
  test('an empty body is an answer without outputs', () => {
    expect(parse(' \n')).toEqual({ outputData: [], returnValue: undefined, logs: [] });
  });

  test.each<[string | Uint8Array, string]>([
    ['Hello!', 'Hello!'],
    ['[1]', 'it is no JSON object): [1]'],
    ['{"Outputs":[]}', '"Outputs" is no object'],
    [new Uint8Array([0xff, 0xfe, 0x00]), '(3 bytes that are no text)'],
    ['x'.repeat(500), `${'x'.repeat(100)}... (500 bytes)`],
  ])('%j: says what came and what should', (body, shown) => {
    expect(() => parse(body)).toThrow(shown);
    expect(() => parse(body)).toThrow("answered function 'Order' with something that is no invocation result");
    expect(() => parse(body)).toThrow('enableForwardingHttpRequest');
  });

  test('hostile answers give a result or that error', () => {
    const { node } = fc.letrec<{ node: unknown }>((tie) => ({
      node: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom(null, true, 1, 'AAAA', '{"body":1}'),
        fc.string(),
        fc.array(tie('node'), { maxLength: 3 }),
        fc.dictionary(
          fc.constantFrom(
            'Outputs',
            'ReturnValue',
            'Logs',
            'res',
            'queue',
            'body',
            'headers',
            'statusCode',
            '__proto__',
          ),
          tie('node'),
        ),
      ),
    }));
    fc.assert(
      fc.property(
        fc.oneof(
          node.map((content) => JSON.stringify(content)),
          fc.string(),
        ),
        (body) => {
          let code = 'none';
          try {
            parse(body);
          } catch (thrown) {
            code = (thrown as { code: string }).code;
          }
          expect(['none', 'CUSTOM_HANDLER_REPLY_INVALID', 'CUSTOM_HANDLER_HTTP_OUTPUT_INVALID']).toContain(code);
        },
      ),
    );
  });
});
