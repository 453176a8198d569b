/** Function metadata between the app's registration, the wire and the shape that programming models see. */
import {
  type BindingInfo,
  BindingInfo_DataType,
  BindingInfo_Direction,
  type RpcFunctionMetadata,
  type RpcRetryOptions,
  RpcRetryOptions_RetryStrategy,
} from '@switchyard/protocol';
import type {
  CoreBindingDataType,
  CoreBindingDirection,
  CoreBindingInfo,
  CoreFunctionMetadata,
  CoreRpcFunctionMetadata,
} from '../core/core-types.ts';
import { workerErrors } from '../errors.ts';
import { recordFromMap } from './record-from-map.ts';
import { toSpan } from './to-wire.ts';
import {
  readInteger,
  readMap,
  readMembers,
  readOptional,
  readText,
  readWord,
  WireValueError,
} from './wire-value-reader.ts';

/** The file that was loading when a function was registered. */
export interface RegistrationPlace {
  readonly directory: string;
  readonly scriptFile: string;
}

const directions: readonly CoreBindingDirection[] = ['in', 'out', 'inout'];
const dataTypes: readonly CoreBindingDataType[] = ['undefined', 'string', 'binary', 'stream'];

const retryStrategies = {
  exponentialBackoff: RpcRetryOptions_RetryStrategy.exponential_backoff,
  fixedDelay: RpcRetryOptions_RetryStrategy.fixed_delay,
} as const;

/** A registered function: for the model, and for the host. */
export interface Registration {
  readonly metadata: CoreRpcFunctionMetadata;
  readonly rpc: RpcFunctionMetadata;
}

/** Checks what an app registers and fills in the rest. Throws FUNCTION_METADATA_INVALID. */
export function parseRegistration(value: unknown, place: RegistrationPlace): Registration {
  try {
    const metadata = readRegistration(value, place);
    return { metadata, rpc: toRpcFunctionMetadata(metadata) };
  } catch (thrown) {
    if (!(thrown instanceof WireValueError)) throw thrown;
    const { path, found, expected } = thrown;
    throw workerErrors.create('FUNCTION_METADATA_INVALID', { name: nameOf(value), path, found, expected }, thrown);
  }
}

function readRegistration(value: unknown, place: RegistrationPlace): CoreRpcFunctionMetadata {
  const members = readMembers(value, 'the metadata');
  const name = readText(members.name, 'name');
  if (name === '') throw new WireValueError('name', members.name, 'a name');
  const bindings: Record<string, CoreBindingInfo> = Object.create(null);
  for (const [key, binding] of Object.entries(readMembers(members.bindings, 'bindings')))
    bindings[key] = readMembers(binding, `bindings.${key}`);
  return {
    ...(members as unknown as CoreFunctionMetadata),
    name,
    functionId: readText(members.functionId, 'functionId') || name,
    bindings,
    ...place,
    rawBindings: Object.entries(bindings).map(([key, binding]) => JSON.stringify({ ...binding, name: key })),
    entryPoint: '',
    isProxy: false,
    language: '',
    managedDependencyEnabled: false,
    properties: {},
  };
}

/** A registered function as the host wants to know it. */
function toRpcFunctionMetadata(metadata: CoreRpcFunctionMetadata): RpcFunctionMetadata {
  return {
    name: metadata.name,
    directory: metadata.directory,
    scriptFile: metadata.scriptFile,
    entryPoint: metadata.entryPoint,
    bindings: readMap(metadata.bindings, 'bindings', toBindingInfo),
    isProxy: metadata.isProxy,
    status: undefined,
    language: metadata.language,
    rawBindings: metadata.rawBindings,
    functionId: metadata.functionId,
    managedDependencyEnabled: metadata.managedDependencyEnabled,
    retryOptions: readOptional(metadata.retryOptions, 'retryOptions', toRpcRetryOptions),
    properties: readMap(metadata.properties, 'properties', readText),
  };
}

/** A function of function.json, as its load request describes it. */
export function toCoreFunctionMetadata(functionId: string, metadata: RpcFunctionMetadata): CoreRpcFunctionMetadata {
  return {
    name: metadata.name,
    directory: metadata.directory,
    scriptFile: metadata.scriptFile,
    entryPoint: metadata.entryPoint,
    bindings: recordFromMap(metadata.bindings, toCoreBinding),
    isProxy: metadata.isProxy,
    language: metadata.language,
    rawBindings: metadata.rawBindings,
    functionId,
    managedDependencyEnabled: metadata.managedDependencyEnabled,
    properties: recordFromMap(metadata.properties, (value) => value),
  };
}

function toCoreBinding(binding: BindingInfo): CoreBindingInfo {
  return {
    type: binding.type,
    direction: directions[binding.direction],
    dataType: dataTypes[binding.dataType],
    properties: recordFromMap(binding.properties, (value) => value),
  };
}

/** The four things of a binding that the wire has; every other option travels in the raw binding. */
function toBindingInfo(value: unknown, path: string): BindingInfo {
  const { type, direction, dataType, properties } = readMembers(value, path);
  return {
    type: readText(type, `${path}.type`),
    direction:
      readOptional(direction, `${path}.direction`, (word, at) => readWord(BindingInfo_Direction, word, at)) ??
      BindingInfo_Direction.in,
    dataType:
      readOptional(dataType, `${path}.dataType`, (word, at) => readWord(BindingInfo_DataType, word, at)) ??
      BindingInfo_DataType.undefined,
    properties: readMap(properties, `${path}.properties`, readText),
  };
}

function toRpcRetryOptions(value: unknown, path: string): RpcRetryOptions {
  const retry = readMembers(value, path);
  const span = (name: string): RpcRetryOptions['delayInterval'] =>
    readOptional(retry[name], `${path}.${name}`, (interval, at) => toSpan(readMembers(interval, at), at));
  return {
    maxRetryCount: Number(readOptional(retry.maxRetryCount, `${path}.maxRetryCount`, readInteger) ?? 0n),
    delayInterval: span('delayInterval'),
    minimumInterval: span('minimumInterval'),
    maximumInterval: span('maximumInterval'),
    retryStrategy:
      readOptional(retry.retryStrategy, `${path}.retryStrategy`, (word, at) => readWord(retryStrategies, word, at)) ??
      RpcRetryOptions_RetryStrategy.exponential_backoff,
  };
}

/** The name to use in the error about a registration that may have none. */
function nameOf(value: unknown): string {
  const name = typeof value === 'object' && value !== null && 'name' in value ? value.name : undefined;
  return typeof name === 'string' ? name : '(unnamed)';
}
