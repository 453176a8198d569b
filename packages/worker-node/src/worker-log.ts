/** The log lines of worker and app, on their way to the host. Log hooks see each of them first. */
import { type RpcLog, RpcLog_Level, RpcLog_RpcLogCategory } from '@switchyard/protocol';
import type { App } from './app/app.ts';
import { type HookData, LogContext } from './app/hook-contexts.ts';
import type { CoreLogCategory, CoreLogLevel } from './core/core-types.ts';
import { describeThrown } from './data/failure.ts';

/** The invocation that a line belongs to. */
export interface LogScope {
  readonly invocationId: string;
  readonly functionName: string;
  readonly hookData: HookData;
  /** What the function was given as its context; undefined before. */
  readonly context: unknown;
}

export interface WorkerLog {
  /** A line of the worker about itself. */
  system(level: CoreLogLevel, message: string, scope?: LogScope): void;
  /** A line of the app or its libraries. A level or category that does not exist counts as information or user. */
  write(level: CoreLogLevel, category: CoreLogCategory, message: string, scope?: LogScope): void;
}

const levels: Readonly<Record<CoreLogLevel, RpcLog_Level>> = {
  trace: RpcLog_Level.Trace,
  debug: RpcLog_Level.Debug,
  information: RpcLog_Level.Information,
  warning: RpcLog_Level.Warning,
  error: RpcLog_Level.Error,
  critical: RpcLog_Level.Critical,
  none: RpcLog_Level.None,
};

const categories: Readonly<Record<CoreLogCategory, RpcLog_RpcLogCategory>> = {
  user: RpcLog_RpcLogCategory.User,
  system: RpcLog_RpcLogCategory.System,
  customMetric: RpcLog_RpcLogCategory.CustomMetric,
};

/** A line on its way to the host; what it leaves out is empty. */
export type OutgoingLine = Partial<RpcLog> & { readonly message: string };

/** `app` answers the app whose hooks count now. */
export function createWorkerLog(send: (line: OutgoingLine) => void, app: () => App): WorkerLog {
  const post = (level: CoreLogLevel, category: CoreLogCategory, message: string, scope?: LogScope): void =>
    send({
      invocationId: scope?.invocationId ?? '',
      category: scope ? `${scope.functionName}.Invocation` : '',
      level: levels[level] ?? RpcLog_Level.Information,
      message: String(message),
      logCategory: categories[category] ?? RpcLog_RpcLogCategory.User,
    });

  const write: WorkerLog['write'] = (level, category, message, scope) => {
    const { hooks, hookData } = app();
    if (!hooks.has('log')) return post(level, category, message, scope);
    const stores = { hookData: scope?.hookData ?? {}, appHookData: hookData };
    const context = new LogContext(stores, scope?.context, level, category, message);
    hooks.runLog(context, (thrown) =>
      post('error', 'system', `A log hook threw: ${describeThrown(thrown).message}`, scope),
    );
    // Hooks may rewrite the app's lines, but not what the platform says.
    if (category === 'user') post(context.level, category, context.message, scope);
    else post(level, category, message, scope);
  };

  return { write, system: (level, message, scope) => write(level, 'system', message, scope) };
}
