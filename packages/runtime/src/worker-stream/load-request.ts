import type { FunctionMetadata } from '@switchyard/model';
import {
  BindingInfo_DataType,
  BindingInfo_Direction,
  type FunctionLoadRequest,
  type RpcFunctionMetadata,
} from '@switchyard/protocol';

/**
 * What a worker is told to load. Bindings carry type, direction and data type only, as the official host sends them; the
 * worker's own properties go back to it (Python loads nothing without its `worker_indexed`), with the function's id.
 */
export function toLoadRequest(metadata: FunctionMetadata, managedDependencies: boolean): FunctionLoadRequest {
  return {
    functionId: metadata.functionId,
    metadata: toRpcMetadata(metadata),
    managedDependencyEnabled: managedDependencies,
  };
}

function toRpcMetadata(metadata: FunctionMetadata): RpcFunctionMetadata {
  return {
    name: metadata.name,
    directory: metadata.directory,
    scriptFile: metadata.scriptFile,
    entryPoint: metadata.entryPoint,
    bindings: new Map(
      metadata.bindings.map((binding) => [
        binding.name,
        {
          type: binding.type,
          direction: BindingInfo_Direction[binding.direction],
          dataType: BindingInfo_DataType[binding.dataType ?? 'undefined'],
          properties: new Map(),
        },
      ]),
    ),
    isProxy: false,
    status: undefined,
    language: '',
    rawBindings: [],
    functionId: '',
    managedDependencyEnabled: false,
    retryOptions: undefined,
    properties: new Map([...Object.entries(metadata.properties), ['FunctionId', metadata.functionId]]),
  };
}
