/** Functions that a worker's own index describes (RpcFunctionMetadata). */
import { parseBindings } from './binding-metadata.ts';
import { modelErrors } from './errors.ts';
import { type ParsedFunction, settle } from './function-json.ts';
import type { FunctionMetadata } from './function-metadata.ts';
import { checkFunctionName, toFunctionId } from './function-name.ts';
import { parseJsonText } from './json-text.ts';
import { fromRpcRetry, type RpcRetry } from './retry-policy.ts';

/** The part of RpcFunctionMetadata that matters; the generated message can be passed as it is. */
export interface IndexedFunction {
  readonly name: string;
  readonly directory: string;
  readonly scriptFile: string;
  readonly entryPoint: string;
  readonly language: string;
  readonly functionId: string;
  /** Binding objects as in function.json, each a JSON text. */
  readonly rawBindings: readonly string[];
  readonly properties: ReadonlyMap<string, string>;
  readonly retryOptions?: RpcRetry | undefined;
  /** 0 is failure: the worker could not index this one. */
  readonly status?:
    | { readonly status: number; readonly exception?: { readonly message: string } | undefined }
    | undefined;
}

/**
 * Parses one function of a worker's index. Never throws for what the worker sent. `runtime` is FUNCTIONS_WORKER_RUNTIME,
 * which outranks the language that the worker names.
 */
export function parseIndexedFunction(
  indexed: IndexedFunction,
  options: { readonly runtime?: string | undefined } = {},
): ParsedFunction {
  return settle(indexed.name, () => parse(indexed, options.runtime ?? ''));
}

function parse(indexed: IndexedFunction, runtime: string): FunctionMetadata {
  const where = `function "${indexed.name}"`;
  checkFunctionName(indexed.name, where);
  if (indexed.status?.status === 0) {
    const message = indexed.status.exception?.message ?? 'it gave no reason';
    throw modelErrors.create('FUNCTION_INDEX_FAILED', { where, message });
  }
  if (indexed.scriptFile === '') {
    throw modelErrors.create('SCRIPT_FILE_MISSING', { where, problem: "the worker's index names no script file" });
  }
  const raw = indexed.rawBindings.map((text, index) => parseJsonText(text, `binding ${index + 1} of ${where}`));
  const { bindings, trigger } = parseBindings(raw, where);
  return {
    name: indexed.name,
    functionId: indexed.functionId === '' ? toFunctionId(indexed.name) : indexed.functionId,
    directory: indexed.directory,
    scriptFile: indexed.scriptFile,
    entryPoint: indexed.entryPoint,
    language: runtime === '' ? indexed.language : runtime,
    bindings,
    trigger,
    properties: Object.fromEntries(indexed.properties),
    ...(indexed.retryOptions === undefined ? {} : { retry: fromRpcRetry(indexed.retryOptions, where) }),
  };
}
