import { returnBindingName } from '@switchyard/model';
import type { InvocationResponse, ParameterBinding, TypedData } from '@switchyard/protocol';
import { runtimeErrors } from '../errors.ts';
import type { FunctionEntry } from '../job-host/function-entry.ts';

/** Never written to. */
const nothing: ReadonlyMap<string, TypedData> = new Map();

/** What a function gave back, by output binding. */
export interface InvocationValues {
  readonly outputs: ReadonlyMap<string, TypedData>;
  readonly returnValue: TypedData | undefined;
}

/**
 * Sorts a response's values. The return value belongs to the `$return` binding, before an output item of that name (the v3
 * library may send both). Without such a binding a returned JSON object is taken apart, and its properties go to the
 * output bindings of the same names, as the official host does. Throws when a value came in a form that
 * was never agreed on.
 */
export function collectValues(entry: FunctionEntry, response: InvocationResponse): InvocationValues {
  const { returnValue, outputData } = response;
  if (entry.hasReturnBinding && outputData.length === 0) {
    if (entry.outputs.length === 0) return { outputs: nothing, returnValue };
  }
  const outputs = new Map<string, TypedData>();
  for (const item of outputData) outputs.set(item.name, dataOf(item));
  if (entry.hasReturnBinding) {
    if (returnValue !== undefined) outputs.set(returnBindingName, returnValue);
  } else if (entry.outputNames.size > 0) addProperties(outputs, entry.outputNames, returnValue);
  return { outputs, returnValue };
}

function dataOf(item: ParameterBinding): TypedData {
  if (item.rpcData === undefined) return { data: undefined };
  if (item.rpcData.$case === 'data') return item.rpcData.value;
  throw runtimeErrors.create('INVOCATION_VALUE_UNSUPPORTED', { kind: 'shared memory', bindingName: item.name });
}

function addProperties(
  outputs: Map<string, TypedData>,
  names: ReadonlySet<string>,
  returnValue: TypedData | undefined,
): void {
  if (returnValue?.data?.$case !== 'json') return;
  const properties = parseObject(returnValue.data.value);
  if (properties === undefined) return;
  for (const name of names) {
    const value = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (value === undefined || value === null) continue;
    outputs.set(
      name,
      typeof value === 'string'
        ? { data: { $case: 'string', value } }
        : { data: { $case: 'json', value: JSON.stringify(value) } },
    );
  }
}

function parseObject(json: string): Readonly<Record<string, unknown>> | undefined {
  if (!json.trimStart().startsWith('{')) return undefined;
  try {
    return JSON.parse(json) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}
