import type { LogRecord } from '@switchyard/kernel';
import { describe, expect, it } from 'vitest';
import { fromLine, kindOfLine } from './from-line.ts';

const line = (given: Partial<LogRecord>): LogRecord => ({
  timeMs: 7,
  level: 'information',
  message: 'said',
  fields: {},
  ...given,
});

describe('fromLine', () => {
  it('makes a trace of what a function logs, as it is', () => {
    const fields = { category: 'Function.hello.User', invocationId: 'i1', functionName: 'hello', workerId: 'w1' };
    expect(fromLine(line({ level: 'warning', message: 'mind {this}', fields }))).toEqual({
      kind: 'Trace',
      timeMs: 7,
      baseData: {
        message: 'mind {this}',
        severityLevel: 2,
        properties: {
          Category: 'Function.hello.User',
          InvocationId: 'i1',
          LogLevel: 'Warning',
          prop__functionName: 'hello',
          prop__workerId: 'w1',
        },
      },
    });
  });

  it('fills the words of the platform in, and leaves the other fields beside them', () => {
    const fields = { category: 'Function.hello', invocationId: 'i1', functionName: 'hello', more: { deep: 1 }, n: 2 };
    const data = fromLine(line({ message: "Executing 'Functions.{functionName}' (Id={invocationId})", fields }));
    expect(data.baseData).toMatchObject({ message: "Executing 'Functions.hello' (Id=i1)" });
    expect(data.baseData.properties).toEqual({
      Category: 'Function.hello',
      InvocationId: 'i1',
      LogLevel: 'Information',
      prop__functionName: 'hello',
      prop__n: '2',
    });
  });

  it.each([
    [
      'TypeError: no such thing\n    at f (index.js:1)',
      { typeName: 'TypeError', message: 'no such thing', hasFullStack: true },
    ],
    [
      'System.IO.IOException: disk full',
      { typeName: 'System.IO.IOException', message: 'disk full', hasFullStack: false },
    ],
    ['something else', { typeName: 'Error', message: 'something else', hasFullStack: false }],
    [new RangeError('too far'), { typeName: 'RangeError', message: 'too far', hasFullStack: true }],
  ])('makes an exception of a line with %s', (exception, expected) => {
    const data = fromLine(line({ level: 'error', message: 'it broke', fields: { exception } }));
    expect(data).toMatchObject({
      kind: 'Exception',
      baseData: { exceptions: [expected], severityLevel: 3, properties: { FormattedMessage: 'it broke' } },
    });
  });

  it('leaves failed runs to their requests', () => {
    const message =
      "Executed 'Functions.{functionName}' (Failed, Id={invocationId}, Duration={durationMs}ms)\n{exception}";
    expect(kindOfLine(line({ message, fields: { exception: 'x' } }))).toBeUndefined();
    expect(kindOfLine(line({ fields: { exception: 'x' } }))).toBe('Exception');
    expect(kindOfLine(line({}))).toBe('Trace');
  });
});
