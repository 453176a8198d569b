import type { LogLevel } from '@switchyard/kernel';
import {
  classifyConsoleLine,
  emptyLog,
  RpcLog_Level,
  RpcLog_RpcLogCategory,
  StreamingMessage,
} from '@switchyard/protocol';

/** The category of lines that an app prints outside of an invocation in the official host. */
const consoleCategory = 'Host.Function.Console';

const levels: Readonly<Record<LogLevel, RpcLog_Level>> = {
  trace: RpcLog_Level.Trace,
  debug: RpcLog_Level.Debug,
  information: RpcLog_Level.Information,
  warning: RpcLog_Level.Warning,
  error: RpcLog_Level.Error,
  critical: RpcLog_Level.Critical,
};

/** A line of a worker's console as the RpcLog frame that the Runtime gets. */
export function toConsoleFrame(stream: 'stdout' | 'stderr', line: string, stderrIsError: boolean): Uint8Array {
  const { origin, level, text } = classifyConsoleLine(stream, line, stderrIsError);
  const value = {
    ...emptyLog(),
    category: consoleCategory,
    level: levels[level],
    message: text,
    logCategory: origin === 'system' ? RpcLog_RpcLogCategory.System : RpcLog_RpcLogCategory.User,
  };
  return StreamingMessage.encode({ requestId: '', content: { $case: 'rpcLog', value } }).finish();
}
