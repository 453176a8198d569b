import { messageOf } from '@switchyard/kernel';
import type { ParameterBinding, TypedData } from '@switchyard/protocol';
import { customWorkerErrors } from '../errors.ts';
import type { HandlerReply } from '../handler/ports.ts';
import type { LoadedFunction, OutputBinding } from '../loaded-function.ts';
import { quoteBody } from '../quote-body.ts';
import { isPlainObject, parseExactJson } from './exact-json.ts';
import { toHttpOutput } from './http-output.ts';
import { toOutputValue } from './output-value.ts';

/** What a handler answered. */
export interface InvocationResult {
  readonly outputData: ParameterBinding[];
  readonly returnValue: TypedData | undefined;
  readonly logs: readonly string[];
}

/** The name of the output that stands for the function's return value. */
const returnName = '$return';

/**
 * Reads `{"Outputs":{...},"ReturnValue":...,"Logs":[...]}`; keys in any case, every one optional, and an empty body is an
 * answer without any. Only outputs that the function has count.
 * @throws PlatformError CUSTOM_HANDLER_REPLY_INVALID, CUSTOM_HANDLER_HTTP_OUTPUT_INVALID
 */
export function parseReplyEnvelope(
  reply: HandlerReply,
  called: LoadedFunction,
  quotedLength: number,
): InvocationResult {
  const functionName = called.name;
  const invalid = (reason: string): Error => {
    const body = quoteBody(reply, quotedLength);
    return customWorkerErrors.create('CUSTOM_HANDLER_REPLY_INVALID', { functionName, reason, body });
  };
  const text = new TextDecoder().decode(reply.body);
  if (text.trim() === '') return { outputData: [], returnValue: undefined, logs: [] };
  let answer: unknown;
  try {
    answer = parseExactJson(text);
  } catch (thrown) {
    throw invalid(messageOf(thrown));
  }
  if (!isPlainObject(answer)) throw invalid('it is no JSON object');
  const parts = new Map(Object.entries(answer).map(([name, value]) => [name.toLowerCase(), value]));
  const outputs = parts.get('outputs') ?? {};
  if (!isPlainObject(outputs)) throw invalid('"Outputs" is no object');
  const outputOf = (output: OutputBinding): TypedData | undefined =>
    toOutput(output, Object.hasOwn(outputs, output.name) ? outputs[output.name] : undefined, functionName);
  const returned = called.outputs.find(({ name }) => name === returnName);
  return {
    outputData: called.outputs
      .filter(({ name }) => name !== returnName)
      .flatMap((output) => toParameter(output.name, outputOf(output))),
    returnValue: returned && (toReturnValue(returned, parts.get('returnvalue')) ?? outputOf(returned)),
    logs: toLogs(parts.get('logs')),
  };
}

function toOutput(output: OutputBinding, value: unknown, functionName: string): TypedData | undefined {
  if (value === null || value === undefined) return undefined;
  if (!output.isHttp || output.name === returnName) return toReturnValue(output, value);
  const http = toHttpOutput(value);
  if (http !== undefined) return http;
  const details = { output: output.name, functionName, value: JSON.stringify(value).slice(0, 200) };
  throw customWorkerErrors.create('CUSTOM_HANDLER_HTTP_OUTPUT_INVALID', details);
}

/** A returned object with a body is a response; without one it is the content. */
function toReturnValue(output: OutputBinding, value: unknown): TypedData | undefined {
  const isResponse = isPlainObject(value) && Object.keys(value).some((key) => key.toLowerCase() === 'body');
  return output.isHttp && isResponse ? toHttpOutput(value) : toOutputValue(value, output.isText);
}

function toParameter(name: string, value: TypedData | undefined): ParameterBinding[] {
  return value === undefined ? [] : [{ name, rpcData: { $case: 'data', value } }];
}

function toLogs(logs: unknown): readonly string[] {
  const lines = Array.isArray(logs) ? logs : logs === null || logs === undefined ? [] : [logs];
  return lines.map((line: unknown) => (typeof line === 'string' ? line : JSON.stringify(line)));
}
