import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { CoreLogLevel } from '../core/core-types.ts';
import { InvocationScope, type RunningInvocation } from './invocation-scope.ts';
import { catchStrayErrors } from './stray-errors.ts';

function open() {
  const source = new EventEmitter();
  const scope = new InvocationScope();
  const lines: [CoreLogLevel, string][] = [];
  const crashes: string[] = [];
  const failures: unknown[] = [];
  const stop = catchStrayErrors(source, {
    scope,
    log: { system: (level, message) => lines.push([level, message]), write: () => {} },
    crash: (text) => crashes.push(text),
  });
  const invocation = (isOpen: boolean): RunningInvocation => ({
    traceParent: '',
    invocationId: 'i1',
    functionName: 'hello',
    isOpen,
    fail: (thrown) => failures.push(thrown),
  });
  return { source, scope, lines, crashes, failures, invocation, stop };
}

describe('catchStrayErrors', () => {
  it('logs a rejection with its function, and goes on', () => {
    const { source, scope, lines, crashes, failures, invocation } = open();
    scope.run(invocation(false), () => source.emit('unhandledRejection', new Error('late')));
    source.emit('unhandledRejection', 'nowhere');
    expect(lines[0]).toEqual([
      'error',
      expect.stringMatching(/in function hello \(invocation i1, which had ended\): Error: late/),
    ]);
    expect(lines[1]).toEqual(['error', 'Unhandled rejection: nowhere']);
    expect([crashes, failures]).toEqual([[], []]);
  });

  it('fails the invocation that an exception belongs to, and goes on', () => {
    const { source, scope, lines, crashes, failures, invocation } = open();
    const error = new Error('thrown in a timer');
    scope.run(invocation(true), () => source.emit('uncaughtException', error));
    expect(failures).toEqual([error]);
    expect(lines).toEqual([
      ['error', expect.stringContaining('in function hello (invocation i1): Error: thrown in a')],
    ]);
    expect(crashes).toEqual([]);
  });

  it('ends the process for an exception that belongs to nobody', () => {
    const { source, lines, crashes } = open();
    source.emit('uncaughtException', new Error('shared'));
    expect(lines[0]?.[0]).toBe('critical');
    // The stack stands in the log already; stderr has what a supervisor repeats.
    expect(crashes).toEqual([
      expect.stringMatching(/^Uncaught exception: Error: shared at .+stray-errors\.test\.ts.+$/),
    ]);
  });

  it('leaves the end to an app that listens itself', () => {
    const { source, lines, crashes } = open();
    source.on('uncaughtException', () => {});
    source.emit('uncaughtException', new Error('shared'));
    expect([lines.length, crashes]).toEqual([1, []]);
  });

  it('stops listening', () => {
    const { source, lines, stop } = open();
    stop();
    source.emit('unhandledRejection', 'x');
    expect([source.listenerCount('uncaughtException'), lines]).toEqual([0, []]);
  });
});
