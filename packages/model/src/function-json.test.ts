import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FunctionJsonFile, type ParsedFunction, parseFunctionJson } from './function-json.ts';
import { toFunctionId } from './function-name.ts';

const trigger = { type: 'httpTrigger', direction: 'in', name: 'req' };

function file(source: unknown, rest: Partial<FunctionJsonFile> = {}): FunctionJsonFile {
  const text = typeof source === 'string' ? source : JSON.stringify(source);
  return { name: 'Hello', directory: '/app/Hello', files: ['function.json', 'index.js'], text, ...rest };
}

function reasonOf(parsed: ParsedFunction): string {
  return parsed.kind === 'rejected' ? parsed.reason : 'it was accepted';
}

describe('parseFunctionJson', () => {
  it('makes metadata of a good file', () => {
    const parsed = parseFunctionJson(
      file({
        bindings: [trigger, { type: 'http', direction: 'out', name: '$return' }],
        entryPoint: 'run',
        retry: { strategy: 'fixedDelay', maxRetryCount: 2, delayInterval: '00:00:01' },
        configurationSource: 'attributes',
        disabled: true,
      }),
    );
    expect(parsed).toMatchObject({
      kind: 'ok',
      function: {
        name: 'Hello',
        functionId: toFunctionId('Hello'),
        directory: '/app/Hello',
        scriptFile: '/app/Hello/index.js',
        entryPoint: 'run',
        language: 'node',
        trigger: { name: 'req' },
        bindings: [{ name: 'req' }, { name: '$return' }],
        properties: {},
        retry: { strategy: 'fixedDelay', maxRetryCount: 2, delayMs: 1_000 },
      },
    });
  });

  it('tolerates comments, and a missing retry or entry point', () => {
    const parsed = parseFunctionJson(file(`{ // comment\n "bindings": [${JSON.stringify(trigger)},], "retry": null }`));
    expect(parsed).toMatchObject({ kind: 'ok', function: { entryPoint: '' } });
    expect(parsed.kind === 'ok' && 'retry' in parsed.function).toBe(false);
  });

  it('needs no script for a custom handler', () => {
    const bare = file({ bindings: [trigger] }, { files: ['function.json'] });
    expect(parseFunctionJson(bare, { runtime: 'Custom' })).toMatchObject({
      function: { scriptFile: '', language: 'custom' },
    });
    expect(reasonOf(parseFunctionJson(bare))).toContain('leads to no script');
  });

  it.each([
    ['{', 'is not valid JSON'],
    ['[]', 'must be a JSON object'],
    [{}, 'has no bindings'],
    [{ bindings: {} }, '"bindings" is {} and must be a list'],
    [{ bindings: [] }, 'has no bindings'],
    [{ bindings: [{ ...trigger, direction: 'up' }] }, '"direction" of the binding req is "up"'],
    [{ bindings: [trigger], scriptFile: 'gone.js' }, '"scriptFile" is "gone.js"'],
    [{ bindings: [trigger], scriptFile: 5 }, '"scriptFile" is 5 and must be a text'],
    [{ bindings: [trigger], scriptFile: '../a.txt' }, 'the language of a.txt is not known'],
    [{ bindings: [trigger], configurationSource: 'magic' }, 'must be attributes or config'],
    [{ bindings: [trigger], retry: { strategy: 'x' } }, '"retry.strategy" is "x"'],
  ])('rejects %j with the file and the reason', (source, message) => {
    const reason = reasonOf(parseFunctionJson(file(source)));
    expect(reason).toContain(message);
    expect(reason).toContain('/app/Hello/function.json');
  });

  it('rejects a name that no function may have', () => {
    const parsed = parseFunctionJson(
      file({ bindings: [trigger] }, { name: 'my.function', directory: '/app/my.function' }),
    );
    expect(parsed).toMatchObject({ kind: 'rejected', name: 'my.function' });
    expect(reasonOf(parsed)).toContain('"my.function" cannot be the name of a function');
  });

  it('rejects a script of another language than the app', () => {
    expect(reasonOf(parseFunctionJson(file({ bindings: [trigger] }), { runtime: 'python' }))).toContain(
      'FUNCTIONS_WORKER_RUNTIME',
    );
  });

  it('accepts or rejects anything, and never throws', () => {
    const keys = fc.constantFrom('bindings', 'scriptFile', 'entryPoint', 'retry', 'configurationSource', '__proto__');
    const source = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.dictionary(keys, fc.oneof(fc.jsonValue(), fc.constant([trigger]))).map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(source, fc.string(), fc.array(fc.string()), (text, name, files) => {
        expect(['ok', 'rejected']).toContain(parseFunctionJson(file(text, { name, files })).kind);
      }),
      { numRuns: 1_000 },
    );
  });
});
