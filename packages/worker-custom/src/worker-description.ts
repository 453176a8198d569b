import { arch } from 'node:process';
import type { WorkerMetadata } from '@switchyard/protocol';
import { workerVersion } from './version.ts';

/**
 * What the worker can do. HTTP requests come as they are, because handlers get them so: the
 * body as bytes, empty and missing values told apart.
 */
const capabilities: readonly string[] = [
  'RpcHttpBodyOnly',
  'RawHttpBodyBytes',
  'RpcHttpTriggerMetadataRemoved',
  'UseNullableValueDictionaryForHttp',
  'TypedDataCollection',
  'WorkerStatus',
  'SupportsLoadResponseCollection',
  'HandlesWorkerTerminateMessage',
  'HandlesInvocationCancelMessage',
];

/** The capabilities that the worker announces. */
export function workerCapabilities(): Map<string, string> {
  return new Map(capabilities.map((name) => [name, 'true']));
}

/** What the worker says of itself. */
export function toWorkerMetadata(): WorkerMetadata {
  return {
    runtimeName: 'custom',
    runtimeVersion: '',
    workerVersion,
    workerBitness: arch,
    customProperties: new Map(),
  };
}
