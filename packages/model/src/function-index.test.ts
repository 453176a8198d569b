import { describe, expect, it } from 'vitest';
import { buildFunctionIndex } from './function-index.ts';
import { type ParsedFunction, parseFunctionJson } from './function-json.ts';

const good = (name: string): ParsedFunction =>
  parseFunctionJson({
    name,
    directory: `/app/${name}`,
    files: ['index.js'],
    text: '{"bindings":[{"type":"httpTrigger","direction":"in","name":"req"}]}',
  });
const bad = (name: string): ParsedFunction => ({ kind: 'rejected', name, reason: 'because' });

describe('buildFunctionIndex', () => {
  it('sorts by name whatever the case, and keeps the good ones beside the bad', () => {
    const index = buildFunctionIndex([good('beta'), bad('Zed'), good('Alpha'), bad('apple'), good('Gamma')]);
    expect(index.functions.map(({ name }) => name)).toEqual(['Alpha', 'beta', 'Gamma']);
    expect(index.rejected).toEqual([
      { name: 'apple', reason: 'because' },
      { name: 'Zed', reason: 'because' },
    ]);
  });

  it('rejects the later of two names that differ only in case', () => {
    const index = buildFunctionIndex([good('Hello'), good('HELLO'), good('Other')]);
    expect(index.functions.map(({ name }) => name)).toEqual(['Hello', 'Other']);
    expect(index.rejected[0]?.name).toBe('HELLO');
    expect(index.rejected[0]?.reason).toContain('"HELLO" has the name or id of "Hello"');
  });

  it('rejects the later of two with the same id', () => {
    const first = good('First');
    const second = good('Second');
    if (first.kind !== 'ok' || second.kind !== 'ok') throw new Error('both are good');
    const twin: ParsedFunction = {
      kind: 'ok',
      function: { ...second.function, functionId: first.function.functionId },
    };
    const index = buildFunctionIndex([first, twin]);
    expect(index.functions.map(({ name }) => name)).toEqual(['First']);
    expect(index.rejected[0]?.reason).toContain('"Second" has the name or id of "First"');
  });

  it('leaves out what the functions list of host.json does not name', () => {
    const index = buildFunctionIndex([good('One'), good('Two'), bad('Three'), bad('Four')], ['TWO', 'four']);
    expect(index.functions.map(({ name }) => name)).toEqual(['Two']);
    expect(index.rejected.map(({ name }) => name)).toEqual(['Four']);
    expect(buildFunctionIndex([good('One')], []).functions).toEqual([]);
  });
});
