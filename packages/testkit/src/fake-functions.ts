/** Short ways to write the messages that a fake worker sends. */
import {
  InvocationResponse,
  RpcFunctionMetadata,
  StatusResult,
  StatusResult_Status,
  type TypedData,
} from '@switchyard/protocol';

/** A function as a test describes it. */
export interface FakeFunction {
  readonly name: string;
  /** function.json binding objects. An HTTP trigger with `$return` when left out. */
  readonly bindings?: readonly Readonly<Record<string, unknown>>[];
  /** The name when left out, as the Node worker has it. */
  readonly functionId?: string;
  readonly directory?: string;
  readonly scriptFile?: string;
  readonly entryPoint?: string;
  readonly language?: string;
  readonly properties?: Readonly<Record<string, string>>;
  readonly retryOptions?: RpcFunctionMetadata['retryOptions'];
}

const httpBindings = [
  { type: 'httpTrigger', direction: 'in', name: 'request', authLevel: 'anonymous' },
  { type: 'http', direction: 'out', name: '$return' },
] as const;

/** The metadata that a worker's index holds for it. */
export function toRpcFunctionMetadata(fake: FakeFunction): RpcFunctionMetadata {
  return {
    ...RpcFunctionMetadata.decode(new Uint8Array()),
    name: fake.name,
    functionId: fake.functionId ?? fake.name,
    directory: fake.directory ?? '/app/dist',
    scriptFile: fake.scriptFile ?? 'index.js',
    entryPoint: fake.entryPoint ?? '',
    language: fake.language ?? 'node',
    rawBindings: (fake.bindings ?? httpBindings).map((binding) => JSON.stringify(binding)),
    properties: new Map(Object.entries(fake.properties ?? {})),
    retryOptions: fake.retryOptions,
  };
}

/** The result of something that went well. */
export function successResult(): StatusResult {
  return { ...StatusResult.decode(new Uint8Array()), status: StatusResult_Status.Success };
}

/** The result of something that threw. */
export function failureResult(message: string): StatusResult {
  return {
    ...StatusResult.decode(new Uint8Array()),
    status: StatusResult_Status.Failure,
    exception: { source: '', stackTrace: `Error: ${message}`, message, isUserException: false, type: 'Error' },
  };
}

/** What a function that ran well answers; `invocationId` is filled in by the fake worker. */
export function invocationSuccess(
  answer: { readonly returnValue?: TypedData; readonly outputs?: Readonly<Record<string, TypedData>> } = {},
): InvocationResponse {
  return {
    ...InvocationResponse.decode(new Uint8Array()),
    result: successResult(),
    returnValue: answer.returnValue,
    outputData: Object.entries(answer.outputs ?? {}).map(([name, value]) => ({
      name,
      rpcData: { $case: 'data', value },
    })),
  };
}

/** What a function that threw answers. */
export function invocationFailure(message: string): InvocationResponse {
  return { ...InvocationResponse.decode(new Uint8Array()), result: failureResult(message) };
}
