import { toRpcFunctionMetadata } from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type IndexedFunction, parseIndexedFunction } from './indexed-function.ts';

const indexed = (rest: Partial<IndexedFunction> = {}): IndexedFunction => ({
  ...toRpcFunctionMetadata({ name: 'Hello', properties: { worker_indexed: 'True' } }),
  ...rest,
});

describe('parseIndexedFunction', () => {
  it('takes the message of a worker as it is', () => {
    expect(parseIndexedFunction(indexed())).toMatchObject({
      kind: 'ok',
      function: {
        name: 'Hello',
        functionId: 'Hello',
        directory: '/app/dist',
        scriptFile: 'index.js',
        entryPoint: '',
        language: 'node',
        trigger: { type: 'httpTrigger', name: 'request' },
        properties: { worker_indexed: 'True' },
      },
    });
  });

  it('takes upper-case enums, as the Python worker writes them', () => {
    const rawBindings = [
      '{"direction":"IN","dataType":"STRING","type":"queueTrigger","name":"msg","queueName":"q","connection":"C"}',
      '{"direction":"OUT","type":"queue","name":"$return","queueName":"r"}',
    ];
    expect(parseIndexedFunction(indexed({ rawBindings }))).toMatchObject({
      function: { bindings: [{ direction: 'in', dataType: 'string', connection: 'C' }, { direction: 'out' }] },
    });
  });

  it('prefers the language of the app, and makes an id where there is none', () => {
    const parsed = parseIndexedFunction(indexed({ functionId: '', language: '' }), { runtime: 'python' });
    expect(parsed).toMatchObject({ function: { language: 'python' } });
    expect(parsed.kind === 'ok' && parsed.function.functionId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('maps retry options', () => {
    const retryOptions = {
      maxRetryCount: 3,
      retryStrategy: 1,
      delayInterval: { seconds: 2n, nanos: 0 },
      minimumInterval: undefined,
      maximumInterval: undefined,
    } as const;
    expect(parseIndexedFunction(indexed({ retryOptions }))).toMatchObject({
      function: { retry: { strategy: 'fixedDelay', maxRetryCount: 3, delayMs: 2_000 } },
    });
  });

  it.each([
    [{ name: 'a b' }, '"a b" cannot be the name'],
    [{ scriptFile: '' }, 'names no script file'],
    [{ rawBindings: [] }, 'has no bindings'],
    [{ rawBindings: ['{'] }, 'binding 1 of function "Hello" is not valid JSON'],
    [{ rawBindings: ['5'] }, 'must be an object'],
    [
      { status: { status: 0, exception: { message: 'bad decorator' } } },
      'could not index function "Hello": bad decorator',
    ],
    [{ status: { status: 0 } }, 'it gave no reason'],
  ])('rejects %j', (rest, message) => {
    const parsed = parseIndexedFunction(indexed(rest));
    expect(parsed.kind === 'rejected' ? parsed.reason : 'it was accepted').toContain(message);
  });

  it('accepts or rejects anything, and never throws', () => {
    const rawBindings = fc.array(fc.oneof(fc.string(), fc.json()));
    fc.assert(
      fc.property(fc.string(), fc.string(), rawBindings, (name, scriptFile, raw) => {
        const parsed = parseIndexedFunction(indexed({ name, scriptFile, rawBindings: raw }));
        expect(['ok', 'rejected']).toContain(parsed.kind);
      }),
    );
  });
});
