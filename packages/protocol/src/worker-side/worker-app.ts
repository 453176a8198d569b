import type {
  FunctionEnvironmentReloadRequest,
  FunctionEnvironmentReloadResponse,
  FunctionLoadRequest,
  FunctionLoadResponse,
  FunctionMetadataResponse,
  FunctionsMetadataRequest,
  InvocationRequest,
  InvocationResponse,
  WorkerInitRequest,
  WorkerInitResponse,
} from '../gen/function-rpc.ts';

/**
 * What a language worker does when its host asks. The session calls `init`, `reload` and `index` one at a time, in the
 * order of the messages, and everything else after those that came before. What an app gets wrong is an answer with a
 * failed result; a rejection is a defect of the worker and is logged.
 */
export interface WorkerApp {
  init(request: WorkerInitRequest): Promise<WorkerInitResponse>;
  /** The process becomes the worker of an app, or of another version of it. */
  reload(request: FunctionEnvironmentReloadRequest): Promise<FunctionEnvironmentReloadResponse>;
  index(request: FunctionsMetadataRequest): Promise<FunctionMetadataResponse>;
  /** Called in the order of the requests; resolves when the function can be called. */
  load(request: FunctionLoadRequest): Promise<FunctionLoadResponse>;
  /** Undefined: nobody knows how far it came, and no answer is sent. */
  invoke(request: InvocationRequest): Promise<InvocationResponse | undefined>;
  /** The host waits for the invocation no longer. Unknown ids are harmless. */
  cancel(invocationId: string): void;
  /** Makes the first invocation fast, in a worker without an app. The host is told of a rejection. */
  warmUp(): Promise<void>;
  /** Ends what the worker runs, within `graceMs`: it is not waited for any longer. */
  terminate(graceMs: number): Promise<void>;
}
