import { runInNewContext } from 'node:vm';
import { StatusResult_Status } from '@switchyard/protocol';
import { describe, expect, it } from 'vitest';
import { describeThrown, explain, toFailure } from './failure.ts';

describe('toFailure', () => {
  it('carries message and stack, and nothing else', () => {
    const error = new RangeError('kaboom');
    expect(toFailure(error)).toEqual({
      status: StatusResult_Status.Failure,
      result: '',
      exception: { source: '', stackTrace: error.stack, message: 'kaboom', isUserException: false, type: '' },
      logs: [],
    });
    expect(toFailure(error, StatusResult_Status.Cancelled).status).toBe(StatusResult_Status.Cancelled);
  });
});

describe('describeThrown', () => {
  const hostile = new Proxy(new Error('x'), {
    get: () => {
      throw new Error('no');
    },
  });
  const circular: Record<string, unknown> = {};
  circular.self = circular;

  it.each([
    ['text', 'text'],
    [42, '42'],
    [undefined, 'Unknown error'],
    [null, 'Unknown error'],
    [{ code: 7 }, '{"code":7}'],
    [Symbol('s'), 'Symbol(s)'],
    [Object.assign(new Error('a'), { message: 5 }), '5'],
  ])('says something about %s', (thrown, message) => {
    expect(describeThrown(thrown).message).toBe(message);
  });

  it('survives what defends itself', () => {
    expect(describeThrown(circular)).toEqual({ message: '<ref *1> { self: [Circular *1] }', stackTrace: '' });
    expect(describeThrown({ count: 5n }).message).toBe('{ count: 5n }');
    expect(describeThrown(hostile)).toEqual({ message: 'Unknown error', stackTrace: '' });
  });

  it('tells what caused an error, and which errors it stands for', () => {
    const inner = new TypeError('connection refused', { cause: 'the port is closed' });
    const { message, stackTrace } = describeThrown(new Error('no database', { cause: inner }));
    expect(message).toBe('no database');
    expect(stackTrace).toMatch(
      /^Error: no database\n {4}at [\s\S]*\n\[cause\]: TypeError: connection refused\n {4}at [\s\S]*\n\[cause\]: the port is closed$/,
    );
    const both = describeThrown(new AggregateError([new Error('one'), 'two'], 'both')).stackTrace;
    expect(both).toMatch(
      /^AggregateError: both\n {4}at [\s\S]*\n\[errors 0\]: Error: one\n {4}at [\s\S]*\n\[errors 1\]: two$/,
    );
    const endless = new Error('again');
    endless.cause = endless;
    expect(describeThrown(endless).stackTrace.split('[cause]')).toHaveLength(6);
  });

  it('understands errors of another realm', () => {
    const { message, stackTrace } = describeThrown(runInNewContext('new Error("far")'));
    expect(message).toBe('far');
    expect(stackTrace).toContain('Error: far');
  });
});

describe('explain', () => {
  it('puts the frames of the cause under the new message', () => {
    const cause = new Error('inner');
    const explained = explain(new Error('outer'), cause);
    expect(explained.message).toBe('outer');
    expect(explained.stack).toMatch(/^Error: outer\n\s+at .*failure\.test/);
    expect(explained.stack).not.toContain('inner');
    expect(explain(new Error('outer'), 'text').stack).toBe('Error: outer');
  });

  it('leaves the cause out of what is told of it, and not what caused that', () => {
    const cause = new Error('inner', { cause: new Error('innermost') });
    const { stackTrace } = describeThrown(explain(new Error('outer: inner', { cause }), cause));
    expect(stackTrace).not.toContain('[cause]: Error: inner\n');
    expect(stackTrace.match(/\[cause\]: Error: innermost/g)).toHaveLength(1);
  });
});
