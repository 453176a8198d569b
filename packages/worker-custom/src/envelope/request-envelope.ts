import type { InvocationRequest, RetryContext, TypedData } from '@switchyard/protocol';
import { customWorkerErrors } from '../errors.ts';
import { toHttpJson } from './http-data.ts';
import { toInputJson } from './input-value.ts';

export interface EnvelopeContext {
  readonly functionName: string;
  /** Milliseconds since the Unix epoch. */
  readonly timeMs: number;
  readonly uuid: string;
}

/**
 * The body of the request for one invocation: `{"Data":{<input>:<value>},"Metadata":{<name>:<value>}}`. Metadata leaves
 * out what `Data` already holds: names that end with "trigger", and HTTP requests.
 * @throws PlatformError CUSTOM_INPUT_UNSUPPORTED
 */
export function toRequestEnvelope(request: InvocationRequest, context: EnvelopeContext): string {
  const data = request.inputData.map(({ name, rpcData }): [string, string] => {
    if (rpcData?.$case === 'rpcSharedMemory') {
      const details = { input: name, functionName: context.functionName };
      throw customWorkerErrors.create('CUSTOM_INPUT_UNSUPPORTED', details);
    }
    return [name, toValueJson(rpcData?.value ?? { data: undefined })];
  });
  const metadata = [...request.triggerMetadata].filter(
    ([name, { data: value }]) => !/trigger$/i.test(name) && value !== undefined && value.$case !== 'http',
  );
  const system = {
    MethodName: context.functionName,
    UtcNow: new Date(context.timeMs).toISOString(),
    RandGuid: context.uuid,
  };
  const entries: [string, string][] = [
    ...metadata.map(([name, value]): [string, string] => [name, toInputJson(value)]),
    ['sys', JSON.stringify(system)],
    ...(request.retryContext === undefined ? [] : [toRetryEntry(request.retryContext)]),
  ];
  return `{"Data":${toObject(data)},"Metadata":${toObject(entries)}}`;
}

function toValueJson(typed: TypedData): string {
  return typed.data?.$case === 'http' ? toHttpJson(typed.data.value) : toInputJson(typed);
}

function toRetryEntry({ retryCount, maxRetryCount, exception }: RetryContext): [string, string] {
  const Exception = exception && {
    Message: exception.message,
    StackTraceString: exception.stackTrace,
    Source: exception.source,
  };
  const value = { RetryCount: retryCount, MaxRetryCount: maxRetryCount, Exception: Exception ?? null };
  return ['RetryContext', JSON.stringify(value)];
}

/** A JSON object of values that are JSON already. A name counts once: the last value holds. */
function toObject(entries: readonly (readonly [name: string, json: string])[]): string {
  const members = [...new Map(entries)].map(([name, json]) => `${JSON.stringify(name)}:${json}`);
  return `{${members.join(',')}}`;
}
