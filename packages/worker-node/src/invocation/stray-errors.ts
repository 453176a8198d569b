/**
 * What nobody caught: rejections without a handler, and exceptions thrown out of callbacks.
 *
 * A rejection never ends the worker. An exception that belongs to an invocation fails that invocation, which could
 * never answer otherwise, and the worker serves on. One that belongs to none (a shared client, a module's own timer)
 * may have left anything half done: it is logged, and the worker ends as the official one does, so that its supervisor
 * starts a sound one; unless the app listens for `uncaughtException` itself.
 */
import { describeThrown } from '../data/failure.ts';
import type { WorkerLog } from '../worker-log.ts';
import type { InvocationScope, RunningInvocation } from './invocation-scope.ts';

export interface StrayErrorDeps {
  readonly scope: InvocationScope;
  readonly log: WorkerLog;
  /** Ends the process with this text on stderr. */
  readonly crash: (text: string) => void;
}

/** The part of `process` that reports stray errors. */
export interface StrayErrorSource {
  on(event: 'unhandledRejection' | 'uncaughtException', listener: (thrown: unknown) => void): unknown;
  off(event: 'unhandledRejection' | 'uncaughtException', listener: (thrown: unknown) => void): unknown;
  listenerCount(event: 'uncaughtException'): number;
}

/** Starts listening; returns what stops it. */
export function catchStrayErrors(source: StrayErrorSource, deps: StrayErrorDeps): () => void {
  const onRejection = (thrown: unknown): void => {
    const invocation = deps.scope.current;
    deps.log.system('error', `Unhandled rejection${origin(invocation)}: ${textOf(thrown)}`);
  };
  const onException = (thrown: unknown): void => {
    const invocation = deps.scope.current;
    const text = `Uncaught exception${origin(invocation)}: ${textOf(thrown)}`;
    const handledByApp = source.listenerCount('uncaughtException') > 1;
    deps.log.system(invocation || handledByApp ? 'error' : 'critical', text);
    if (invocation) invocation.fail(thrown);
    else if (!handledByApp) deps.crash(`Uncaught exception: ${whereOf(thrown)}`);
  };
  source.on('unhandledRejection', onRejection);
  source.on('uncaughtException', onException);
  return () => {
    source.off('unhandledRejection', onRejection);
    source.off('uncaughtException', onException);
  };
}

function origin(invocation: RunningInvocation | undefined): string {
  if (!invocation) return '';
  const when = invocation.isOpen ? '' : ', which had ended';
  return ` in function ${invocation.functionName} (invocation ${invocation.invocationId}${when})`;
}

/** The error and the place in one line: what it is in full stands in the log. */
function whereOf(thrown: unknown): string {
  const { message, stackTrace } = describeThrown(thrown);
  const [first = message, ...frames] = stackTrace === '' ? [message] : stackTrace.split('\n');
  const frame = frames.find((line) => line.trim().startsWith('at '));
  return frame === undefined ? first : `${first} ${frame.trim()}`;
}

function textOf(thrown: unknown): string {
  const { message, stackTrace } = describeThrown(thrown);
  return stackTrace === '' ? message : stackTrace;
}
