import {
  environmentUpdateCapability,
  httpUnansweredCapability,
  httpUriTokenCapability,
  readsSettingsCapability,
} from '@switchyard/protocol';
import type { HttpCapabilities } from '@switchyard/triggers';

/** What a worker can do, from the capabilities that it advertised. */
export interface WorkerCapabilities {
  readonly http: HttpCapabilities;
  /** Answers WorkerStatusRequest. */
  readonly status: boolean;
  /** Takes WorkerTerminate; the others are ended by their supply alone. */
  readonly terminate: boolean;
  /** Takes InvocationCancel. */
  readonly cancel: boolean;
  /** Takes all load requests in one message. */
  readonly loadCollection: boolean;
  /** Takes a change of its settings without a restart, and its app looks at them at each use. */
  readonly settingsUpdate: boolean;
  /** Where the worker takes HTTP requests itself, as streams. */
  readonly httpUri: string | undefined;
  /** What requests to `httpUri` must show, when a sidecar's proxy takes them. */
  readonly httpToken: string | undefined;
  /** With `httpUri`: an empty return value says that the function has no answer. */
  readonly tellsUnanswered: boolean;
  /** Sends what functions log to Application Insights itself. */
  readonly sendsTelemetry: boolean;
  /** With `httpUri`: wants the route parameters in the invocation's request all the same. */
  readonly routeParameters: boolean;
}

/**
 * Any value that is not empty turns a capability on, as in the official host (GrpcCapabilities): Node says "true", .NET
 * "True", Java the capability's own name.
 */
export function parseCapabilities(advertised: ReadonlyMap<string, string>): WorkerCapabilities {
  const has = (name: string): boolean => (advertised.get(name) ?? '') !== '';
  const httpUri = advertised.get('HttpUri') ?? '';
  return {
    http: {
      bodyOnly: has('RpcHttpBodyOnly'),
      rawBodyBytes: has('RawHttpBodyBytes'),
      triggerMetadataRemoved: has('RpcHttpTriggerMetadataRemoved'),
      ignoreEmptyHeaders: has('IgnoreEmptyValuedRpcHttpHeaders'),
      nullableValues: has('UseNullableValueDictionaryForHttp'),
    },
    status: has('WorkerStatus'),
    terminate: has('HandlesWorkerTerminateMessage'),
    cancel: has('HandlesInvocationCancelMessage'),
    loadCollection: has('SupportsLoadResponseCollection'),
    settingsUpdate: has(environmentUpdateCapability) && has(readsSettingsCapability),
    httpUri: URL.canParse(httpUri) ? httpUri : undefined,
    httpToken: advertised.get(httpUriTokenCapability) || undefined,
    tellsUnanswered: has(httpUnansweredCapability),
    sendsTelemetry: advertised.get('WorkerApplicationInsightsLoggingEnabled')?.toLowerCase() === 'true',
    routeParameters: has('RequiresRouteParameters'),
  };
}

/** What a worker that has not said anything yet can do. */
export const noCapabilities: WorkerCapabilities = parseCapabilities(new Map());
