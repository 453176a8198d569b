import { modelErrors } from './errors.ts';
import type { ParsedFunction } from './function-json.ts';
import type { FunctionIndex, FunctionMetadata, RejectedFunction } from './function-metadata.ts';

/**
 * Puts the functions of an app together, in order of name. Of functions whose names differ only in case the first one
 * runs. `allowed` is the `functions` list of host.json: others are left out, without a complaint.
 */
export function buildFunctionIndex(results: readonly ParsedFunction[], allowed?: readonly string[]): FunctionIndex {
  const wanted = allowed === undefined ? undefined : new Set(allowed.map((name) => name.toLowerCase()));
  const functions = new Map<string, FunctionMetadata>();
  const ids = new Map<string, string>();
  const rejected: RejectedFunction[] = [];
  for (const result of results) {
    const name = result.kind === 'ok' ? result.function.name : result.name;
    const key = name.toLowerCase();
    if (wanted !== undefined && !wanted.has(key)) continue;
    if (result.kind === 'rejected') {
      rejected.push({ name, reason: result.reason });
      continue;
    }
    const first = functions.get(key)?.name ?? ids.get(result.function.functionId);
    if (first !== undefined) {
      rejected.push({ name, reason: modelErrors.create('FUNCTION_TWICE', { name, first }).message });
      continue;
    }
    functions.set(key, result.function);
    ids.set(result.function.functionId, name);
  }
  return { functions: [...functions.values()].sort(byName), rejected: rejected.sort(byName) };
}

/** By name whatever its case, as the official host lists them. */
function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  const [left, right] = [a.name.toLowerCase(), b.name.toLowerCase()];
  return left < right ? -1 : left > right ? 1 : 0;
}
