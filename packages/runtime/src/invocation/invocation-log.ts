import type { Log } from '@switchyard/kernel';
import type { InvocationError } from '@switchyard/triggers';
import type { FunctionEntry } from '../job-host/function-entry.ts';

/** The messages are those of the official host (the FunctionExecutor of its SDK), which people and tools search for. */
const executing = "Executing 'Functions.{functionName}' (Reason='{reason}', Id={invocationId})";
const details = 'Trigger Details: {details}';
const succeeded = "Executed 'Functions.{functionName}' (Succeeded, Id={invocationId}, Duration={durationMs}ms)";
const failed = "Executed 'Functions.{functionName}' (Failed, Id={invocationId}, Duration={durationMs}ms)\n{exception}";

/** What happened to the invocations of an app, in the log. */
export class InvocationLog {
  readonly #log: Log;

  /** @param log carries the app's fields. */
  constructor(log: Log) {
    this.#log = log;
  }

  executing(entry: FunctionEntry, invocationId: string, reason: string): void {
    const { functionName, category } = fieldsOf(entry);
    this.#log.write('information', executing, { category, functionName, invocationId, reason });
  }

  triggerDetails(entry: FunctionEntry, invocationId: string, values: Readonly<Record<string, string>>): void {
    const text = Object.entries(values).map(([key, value]) => `${key}: ${value}`);
    this.#log.write('information', details, { ...fieldsOf(entry), invocationId, details: text.join(', ') });
  }

  succeeded(entry: FunctionEntry, invocationId: string, durationMs: number): void {
    const { functionName, category } = fieldsOf(entry);
    this.#log.write('information', succeeded, {
      category,
      functionName,
      invocationId,
      durationMs: Math.round(durationMs),
    });
  }

  failed(entry: FunctionEntry, invocationId: string, durationMs: number, error: InvocationError): void {
    this.#log.write('error', failed, {
      ...fieldsOf(entry),
      invocationId,
      durationMs: Math.round(durationMs),
      exception: toExceptionText(error),
    });
  }
}

/** A function's error in the official host's three lines; a part that is not known is left out. */
export function toExceptionText(error: InvocationError): string {
  const stack = error.stack === '' ? '' : `\nStack: ${error.stack}`;
  return `Result: Failure\nException: ${error.message}${stack}`;
}

function fieldsOf(entry: FunctionEntry): { readonly category: string; readonly functionName: string } {
  return { category: entry.logCategory, functionName: entry.metadata.name };
}
