/** One try to bring a specialized worker to its Runtime: dial, WorkerConnect, and the wait for the answer. */
import { type Clock, createDeferred, type PlatformError } from '@switchyard/kernel';
import {
  grpcStatus,
  type LinkEnd,
  type MessageContent,
  StatusResult_Status,
  toContextProperties,
  type WorkerConnect,
  type WorkerConnectResponse,
  type WorkerContext,
} from '@switchyard/protocol';
import { sidecarErrors } from './errors.ts';
import type { LocalWorker } from './local-worker.ts';
import { Relay, type RelayOptions } from './relay.ts';
import type { DialRuntime } from './sidecar-contract.ts';
import type { SpecializedWorker } from './specialize.ts';

export type ConnectOutcome =
  | { readonly kind: 'connected'; readonly relay: Relay }
  /** The Runtime does not want this worker; another try would change nothing. */
  | { readonly kind: 'refused'; readonly error: PlatformError }
  | { readonly kind: 'unreachable'; readonly reason: string };

export interface ConnectRequest {
  readonly worker: LocalWorker;
  readonly app: SpecializedWorker;
  readonly context: WorkerContext;
  readonly relay: RelayOptions;
  readonly responseTimeoutMs: number;
  /** The relay is open: frames may flow before the Runtime has answered. */
  readonly onOpen: (relay: Relay) => void;
}

/** With these a Runtime says that it will never take this worker; any other end of a stream may pass. */
const finalCodes: ReadonlySet<number> = new Set([
  grpcStatus.invalidArgument,
  grpcStatus.notFound,
  grpcStatus.alreadyExists,
  grpcStatus.permissionDenied,
  grpcStatus.failedPrecondition,
  grpcStatus.aborted,
  grpcStatus.unimplemented,
  grpcStatus.unauthenticated,
]);

/** True when the Runtime ended a stream for good. */
export function isFinal(end: LinkEnd): boolean {
  return end.origin === 'peer' && finalCodes.has(end.code);
}

/** Dials and introduces the worker. Whatever else happens, a relay that did not connect is closed again. */
export async function connectRuntime(
  deps: { readonly clock: Clock; readonly dial: DialRuntime },
  request: ConnectRequest,
): Promise<ConnectOutcome> {
  const { worker, app, context, responseTimeoutMs } = request;
  const { runtimeEndpoint: endpoint, token } = app.assignment;
  const answered = createDeferred<ConnectOutcome>();
  const refuse = (status: number, reason: string): ConnectOutcome => {
    const details = { endpoint, workerId: context.workerId, status, reason };
    return { kind: 'refused', error: sidecarErrors.create('SIDECAR_RUNTIME_REFUSED', details) };
  };
  const onControl = (content: MessageContent, requestId: string): void => {
    if (content.$case === 'workerConnectResponse') answered.resolve(toOutcome(content.value, relay, refuse));
    else request.relay.onControl(content, requestId);
  };
  const relay = new Relay(worker, deps.dial(endpoint, token), { ...request.relay, onControl });
  const timer = deps.clock.schedule(responseTimeoutMs, () =>
    answered.resolve({ kind: 'unreachable', reason: `no WorkerConnectResponse came within ${responseTimeoutMs} ms` }),
  );
  void relay.runtime.closed.then((end) =>
    answered.resolve(isFinal(end) ? refuse(end.code, end.message) : { kind: 'unreachable', reason: describeEnd(end) }),
  );
  relay.send({ $case: 'workerConnect', value: toWorkerConnect(app, context) });
  relay.open();
  request.onOpen(relay);
  const outcome = await answered.promise;
  timer.cancel();
  if (outcome.kind !== 'connected') relay.close();
  return outcome;
}

/** Capabilities, metadata and functions are the customer's, never the placeholder's. */
export function toWorkerConnect(app: SpecializedWorker, context: WorkerContext): WorkerConnect {
  const { metadata } = app;
  const properties = [...(metadata?.customProperties ?? []), ...toContextProperties(context)];
  return {
    workerId: context.workerId,
    language: context.language,
    languageVersion: context.languageVersion,
    workerCapabilities: new Map(app.capabilities),
    workerMetadata: {
      runtimeName: metadata?.runtimeName ?? '',
      runtimeVersion: metadata?.runtimeVersion ?? '',
      workerVersion: metadata?.workerVersion ?? '',
      workerBitness: metadata?.workerBitness ?? '',
      customProperties: new Map(properties),
    },
    functionMetadata: [...app.functions],
    useDefaultMetadataIndexing: app.useDefaultIndexing,
    applicationId: app.assignment.application.applicationId,
    codeVersion: app.assignment.application.codeVersion,
    scriptRoot: app.scriptRoot,
    metadataVersion: app.assignment.application.metadataVersion,
  };
}

function toOutcome(
  { result }: WorkerConnectResponse,
  relay: Relay,
  refuse: (status: number, reason: string) => ConnectOutcome,
): ConnectOutcome {
  if (result?.status === StatusResult_Status.Success) return { kind: 'connected', relay };
  return refuse(grpcStatus.failedPrecondition, result?.exception?.message || result?.result || 'no reason was given');
}

/** Why a stream ended, in words. */
export function describeEnd({ code, message }: LinkEnd): string {
  return message === '' ? `the stream ended with gRPC status ${code}` : message;
}
