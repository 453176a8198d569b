/** The two conversations of a sidecar in the host's place: warming a placeholder up, and giving it an app. */
import type { PlatformError } from '@switchyard/kernel';
import {
  type Assignment,
  type RpcFunctionMetadata,
  type StatusResult,
  StatusResult_Status,
  FunctionEnvironmentReloadResponse_CapabilitiesUpdateStrategy as Strategy,
  tokenVariable,
  type WorkerMetadata,
} from '@switchyard/protocol';
import { sidecarErrors } from './errors.ts';
import type { SidecarLimits } from './limits.ts';
import type { LocalWorker } from './local-worker.ts';
import type { IndexOutcome, SidecarOptions } from './sidecar-contract.ts';

/** What a worker says of itself. */
export interface WorkerDescription {
  readonly capabilities: ReadonlyMap<string, string>;
  readonly metadata: WorkerMetadata | undefined;
}

/** A worker with its app. */
export interface SpecializedWorker extends WorkerDescription, AssignedApp {
  readonly functions: readonly RpcFunctionMetadata[];
  /** The worker leaves it to the Runtime to read function.json. */
  readonly useDefaultIndexing: boolean;
  /** The text of its host.json, where the Runtime is told of it. */
  readonly hostJson?: string;
}

/** An app, and where its files are. */
export interface AssignedApp {
  readonly assignment: Assignment;
  readonly scriptRoot: string;
}

/** What the sidecar can do as a host: workers may open several streams over one connection. */
const hostCapabilities = [['MultiStream', '10']] as const;

/** The capability of workers that understand WorkerWarmupRequest. */
const warmupCapability = 'HandlesWorkerWarmupMessage';

/**
 * Brings a worker that has introduced itself to the point where it waits for an app: init, index (where asked for), warm-up.
 * @throws PlatformError SIDECAR_WORKER_TIMEOUT, SIDECAR_WORKER_REFUSED, SIDECAR_WORKER_LOST
 */
export async function warmUp(
  worker: LocalWorker,
  options: SidecarOptions,
  limits: SidecarLimits,
): Promise<WorkerDescription> {
  const { traits, hostVersion, workerDirectory, workerId } = options;
  const initRequest = {
    hostVersion,
    capabilities: new Map(hostCapabilities),
    logCategories: new Map(),
    workerDirectory,
    functionAppDirectory: '',
  };
  const init = await worker.ask(
    { $case: 'workerInitRequest', value: initRequest },
    'workerInitResponse',
    traits.initializationTimeoutMs,
  );
  requireSuccess(workerId, 'WorkerInitResponse', init.result);
  if (traits.placeholderIndexing === true) await index(worker, '', limits.metadataMs);
  if ((init.capabilities.get(warmupCapability) ?? '') !== '') {
    // A warm-up that fails costs time later, nothing else.
    await worker.ask(
      { $case: 'workerWarmupRequest', value: { workerDirectory } },
      'workerWarmupResponse',
      limits.warmUpMs,
    );
  }
  return { capabilities: init.capabilities, metadata: init.workerMetadata };
}

/**
 * Gives a warm worker its app: environment and folder first, then the question for its functions.
 * @throws PlatformError SIDECAR_WORKER_TIMEOUT, SIDECAR_WORKER_REFUSED, SIDECAR_WORKER_LOST
 */
export async function specialize(
  worker: LocalWorker,
  placeholder: WorkerDescription,
  app: AssignedApp,
  options: SidecarOptions,
  limits: SidecarLimits,
): Promise<SpecializedWorker> {
  const { traits, workerId } = options;
  const description = await reload(worker, placeholder, app, options);
  if (!traits.workerIndexing) return { ...app, ...description, functions: [], useDefaultIndexing: true };
  const indexed = await index(worker, app.scriptRoot, limits.metadataMs);
  if (!indexed.useDefaultMetadataIndexing) requireSuccess(workerId, 'FunctionMetadataResponse', indexed.result);
  return {
    ...app,
    ...description,
    functions: indexed.functionMetadataResults,
    useDefaultIndexing: indexed.useDefaultMetadataIndexing,
  };
}

/**
 * Gives a warm worker the environment and the folder of its app; the token stays here.
 * @throws PlatformError SIDECAR_WORKER_TIMEOUT, SIDECAR_WORKER_REFUSED, SIDECAR_WORKER_LOST
 */
export async function reload(
  worker: LocalWorker,
  placeholder: WorkerDescription,
  { assignment, scriptRoot }: AssignedApp,
  { traits, workerId }: SidecarOptions,
): Promise<WorkerDescription> {
  const environmentVariables = new Map(assignment.environment);
  environmentVariables.delete(tokenVariable);
  const answer = await worker.ask(
    {
      $case: 'functionEnvironmentReloadRequest',
      value: { environmentVariables, functionAppDirectory: scriptRoot },
    },
    'functionEnvironmentReloadResponse',
    traits.environmentReloadTimeoutMs,
  );
  requireSuccess(workerId, 'FunctionEnvironmentReloadResponse', answer.result);
  const isReplaced = answer.capabilitiesUpdateStrategy === Strategy.replace;
  return {
    capabilities: new Map([...(isReplaced ? [] : placeholder.capabilities), ...answer.capabilities]),
    metadata: answer.workerMetadata ?? placeholder.metadata,
  };
}

async function index(worker: LocalWorker, functionAppDirectory: string, timeoutMs: number) {
  const value = { functionAppDirectory };
  return await worker.ask({ $case: 'functionsMetadataRequest', value }, 'functionMetadataResponse', timeoutMs);
}

/** @throws PlatformError SIDECAR_WORKER_REFUSED */
export function requireSuccess(workerId: string, answer: string, result: StatusResult | undefined): void {
  if (result?.status === StatusResult_Status.Success) return;
  const reason = result?.exception?.message || result?.result || 'the worker gave no reason';
  throw refused(workerId, answer, reason);
}

function refused(workerId: string, answer: string, reason: string): PlatformError {
  return sidecarErrors.create('SIDECAR_WORKER_REFUSED', { workerId, answer, reason });
}

/** What is told of an app that was only listed. */
export function toIndexOutcome({ capabilities, functions, useDefaultIndexing }: SpecializedWorker): IndexOutcome {
  return { kind: 'indexed', functions, useDefaultIndexing, capabilities };
}
