import type { CallContext, CapabilityDependency } from '../capability-module.ts';

/** A call as a host makes it, for tests. */
export function createCall(change: Partial<CallContext> = {}): CallContext {
  return {
    account: 'ann',
    leaseId: 'lease-1',
    signal: new AbortController().signal,
    traceparent: '',
    dependencies: Object.create(null) as Readonly<Record<string, CapabilityDependency>>,
    ...change,
  };
}
