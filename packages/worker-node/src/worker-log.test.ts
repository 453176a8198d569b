import { RpcLog_Level, RpcLog_RpcLogCategory } from '@switchyard/protocol';
import { describe, expect, it } from 'vitest';
import { App } from './app/app.ts';
import type { LogContext } from './app/hook-contexts.ts';
import { createWorkerLog, type OutgoingLine } from './worker-log.ts';

function open() {
  const app = new App('');
  const lines: OutgoingLine[] = [];
  const log = createWorkerLog(
    (line) => lines.push(line),
    () => app,
  );
  return { app, log, lines };
}

const scope = { invocationId: 'i1', functionName: 'hello', hookData: { a: 1 }, context: { name: 'context' } };

describe('createWorkerLog', () => {
  it('sends lines of an invocation under its function, and others without', () => {
    const { log, lines } = open();
    log.system('debug', 'starting');
    log.write('warning', 'user', 'careful', scope);
    log.write('none', 'customMetric', 'm', scope);
    expect(lines).toMatchObject([
      { invocationId: '', category: '', level: RpcLog_Level.Debug, logCategory: RpcLog_RpcLogCategory.System },
      { invocationId: 'i1', category: 'hello.Invocation', level: RpcLog_Level.Warning, message: 'careful' },
      { level: RpcLog_Level.None, logCategory: RpcLog_RpcLogCategory.CustomMetric },
    ]);
  });

  it('takes words that do not exist for information and user', () => {
    const { log, lines } = open();
    log.write('loud' as 'error', 'other' as 'user', 5 as unknown as string);
    expect(lines).toMatchObject([
      { level: RpcLog_Level.Information, logCategory: RpcLog_RpcLogCategory.User, message: '5' },
    ]);
  });

  it("lets log hooks rewrite the app's lines and only watch the platform's", () => {
    const { app, log, lines } = open();
    const seen: unknown[] = [];
    app.hooks.register('log', (context: LogContext) => {
      seen.push([context.category, context.message, context.invocationContext, context.hookData]);
      context.message = `seen: ${context.message}`;
      context.level = 'error';
    });
    log.write('information', 'user', 'mine', scope);
    log.system('information', 'theirs');
    expect(lines.map(({ level, message }) => [level, message])).toEqual([
      [RpcLog_Level.Error, 'seen: mine'],
      [RpcLog_Level.Information, 'theirs'],
    ]);
    expect(seen).toEqual([
      ['user', 'mine', scope.context, scope.hookData],
      ['system', 'theirs', undefined, {}],
    ]);
  });

  it('loses no line when a hook throws or logs itself', () => {
    const { app, log, lines } = open();
    app.hooks.register('log', (context: LogContext) => {
      log.write('debug', 'user', `about ${context.message}`, scope);
      throw new Error('hook boom');
    });
    log.write('information', 'user', 'mine', scope);
    expect(lines.map(({ message }) => message)).toEqual(['about mine', 'A log hook threw: hook boom', 'mine']);
  });
});
