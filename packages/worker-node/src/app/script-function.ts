/** Functions of function.json: which file they stand in, and which of its exports is the function. */
import { isAbsolute, resolve } from 'node:path';
import type { CoreRpcFunctionMetadata, FunctionCallback } from '../core/core-types.ts';
import { describeThrown, explain } from '../data/failure.ts';
import { workerErrors } from '../errors.ts';
import type { AppFunction } from './function-registry.ts';
import type { ModuleLoader } from './module-loader.ts';

/** Names that are tried when a file exports several things and function.json names none. */
const conventionalNames = ['run', 'index'];

/** Loads the function's file. Throws SCRIPT_MISSING, SCRIPT_FAILED or SCRIPT_FUNCTION_MISSING. */
export async function loadScriptFunction(
  loader: ModuleLoader,
  metadata: CoreRpcFunctionMetadata,
): Promise<AppFunction> {
  const { name, directory, scriptFile } = metadata;
  if (scriptFile === '') throw workerErrors.create('SCRIPT_MISSING', { name });
  const file = isAbsolute(scriptFile) ? scriptFile : resolve(directory, scriptFile);
  let exported: unknown;
  try {
    exported = await loader.load(file);
  } catch (thrown) {
    const reason = describeThrown(thrown).message;
    throw explain(workerErrors.create('SCRIPT_FAILED', { name, file, reason }, thrown), thrown);
  }
  return { metadata, callback: findFunction(exported, metadata, file) };
}

/** The export to call, bound to the exports, so that `this` reaches the file's other ones. */
function findFunction(
  exported: unknown,
  { name, entryPoint }: CoreRpcFunctionMetadata,
  file: string,
): FunctionCallback {
  if (typeof exported === 'function') return exported as FunctionCallback;
  const members = typeof exported === 'object' && exported !== null ? (exported as Record<string, unknown>) : {};
  const names = Object.keys(members);
  const only = names.length === 1 ? names[0] : undefined;
  const key = entryPoint || (only ?? conventionalNames.find((one) => members[one] !== undefined));
  const candidate = key === undefined ? undefined : members[key];
  if (typeof candidate === 'function') return candidate.bind(exported) as FunctionCallback;
  throw workerErrors.create('SCRIPT_FUNCTION_MISSING', {
    name,
    file,
    expected: key === undefined ? 'single function' : `function "${key}"`,
    found: names.length === 0 ? 'nothing' : names.join(', '),
  });
}
