import { environmentUpdateCapability, httpUnansweredCapability } from '@switchyard/protocol';
import type { ProgrammingModel } from './core/core-types.ts';

/**
 * What the worker can do. The first eight are those of the official Node.js worker; the others say what this one
 * understands beyond it.
 */
export const workerCapabilities: Readonly<Record<string, string>> = {
  RawHttpBodyBytes: 'true',
  RpcHttpTriggerMetadataRemoved: 'true',
  RpcHttpBodyOnly: 'true',
  IgnoreEmptyValuedRpcHttpHeaders: 'true',
  UseNullableValueDictionaryForHttp: 'true',
  WorkerStatus: 'true',
  TypedDataCollection: 'true',
  HandlesWorkerTerminateMessage: 'true',
  HandlesInvocationCancelMessage: 'true',
  HandlesWorkerWarmupMessage: 'true',
  SupportsLoadResponseCollection: 'true',
  [environmentUpdateCapability]: 'true',
  [httpUnansweredCapability]: 'true',
};

/** The worker's capabilities and those of the app's model (`HttpUri`, and what `app.setup` names). */
export async function collectCapabilities(model: ProgrammingModel): Promise<Map<string, string>> {
  const own = { ...workerCapabilities };
  const merged = (await model.getCapabilities?.(own)) ?? own;
  const entries = Object.entries(merged as Record<string, unknown>);
  return new Map(
    entries.filter(([, value]) => value !== undefined && value !== null).map(([name, value]) => [name, String(value)]),
  );
}
