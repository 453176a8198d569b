import type { Span } from '@switchyard/kernel';
import type { FunctionEntry } from '../job-host/function-entry.ts';
import type { TraceContext } from './trace-context.ts';

/** How one try ended. */
export interface EndedTry {
  readonly invocationId: string;
  readonly endMs: number;
  readonly durationMs: number;
  readonly isError: boolean;
}

/** The span of one try; its id is the parent of what the worker does. Attributes follow the FaaS conventions of OpenTelemetry. */
export function toSpan({ traceParent, parentSpanId }: TraceContext, entry: FunctionEntry, ended: EndedTry): Span {
  const [, traceId = '', spanId = ''] = traceParent.split('-');
  const { name, trigger } = entry.metadata;
  const isRoute = entry.trigger.kind === 'route';
  return {
    traceId,
    spanId,
    parentSpanId,
    name,
    kind: isRoute ? 'server' : 'consumer',
    startMs: ended.endMs - ended.durationMs,
    endMs: ended.endMs,
    isError: ended.isError,
    attributes: {
      'faas.name': name,
      'faas.trigger': isRoute ? 'http' : trigger.type.toLowerCase() === 'timertrigger' ? 'timer' : 'pubsub',
      'faas.invocation_id': ended.invocationId,
      'switchyard.app': entry.labels.succeeded.app ?? '',
    },
  };
}

/** True when the caller, or nobody, wants the trace to be kept. */
export function isSampled({ traceParent }: TraceContext): boolean {
  return traceParent.endsWith('-01');
}
