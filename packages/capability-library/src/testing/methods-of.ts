import type { CallContext, CapabilityInstance } from '../capability-module.ts';
import { createCall } from './create-call.ts';

/** Calls methods as a host does: by name, with values that nobody checked. */
export function methodsOf(
  instance: CapabilityInstance,
): (method: string, parameters?: readonly unknown[], call?: Partial<CallContext>) => Promise<unknown> {
  return async (method, parameters = [], call = {}) => {
    const work = instance.methods[method];
    if (work === undefined) throw new Error(`no method '${method}'`);
    return work.apply(instance.methods, [createCall(call), ...parameters] as never);
  };
}
