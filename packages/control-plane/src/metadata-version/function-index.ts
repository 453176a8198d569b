/** What indexing an app gave, as the bytes that the catalog keeps. */
import { type RpcFunctionMetadata, WorkerConnect } from '@switchyard/protocol';

/** The functions that a worker listed, and what that worker can do. */
export interface FunctionListing {
  readonly functions: readonly RpcFunctionMetadata[];
  /** The functions are those of the app's function.json files; `functions` is empty. */
  readonly useDefaultIndexing: boolean;
  readonly capabilities?: ReadonlyMap<string, string>;
}

/** The bytes are those of a WorkerConnect that says nothing else. */
export function encodeIndex({ functions, useDefaultIndexing, capabilities }: FunctionListing): Uint8Array {
  const message: WorkerConnect = {
    workerId: '',
    language: '',
    languageVersion: '',
    workerCapabilities: new Map(capabilities),
    workerMetadata: undefined,
    functionMetadata: [...functions],
    useDefaultMetadataIndexing: useDefaultIndexing,
    applicationId: '',
    codeVersion: '',
    scriptRoot: '',
    metadataVersion: '',
  };
  return WorkerConnect.encode(message).finish();
}

/** The inverse of `encodeIndex`; without capabilities when there were none. */
export function decodeIndex(bytes: Uint8Array): FunctionListing {
  const { functionMetadata, useDefaultMetadataIndexing, workerCapabilities } = WorkerConnect.decode(bytes);
  return {
    functions: functionMetadata,
    useDefaultIndexing: useDefaultMetadataIndexing,
    ...(workerCapabilities.size === 0 ? {} : { capabilities: workerCapabilities }),
  };
}
