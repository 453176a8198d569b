/** Gateway, worker registry, JobHostManager, JobHost and dispatch: the process that every app shares. */
export type {
  AddOptions,
  FunctionFile,
  FunctionFiles,
  FunctionKeys,
  FunctionStatus,
  JobHostStatus,
  Runtime,
  RuntimeApplication,
  UnloadedFunction,
  VerifyWorker,
  WorkerProfile,
  WorkerStatus,
  WorkerVerdict,
} from './contract.ts';
export { type DispatchStrategy, dispatchStrategies } from './dispatch/strategies.ts';
export { runtimeErrors } from './errors.ts';
export type { WorkerHttp, WorkerHttpRequest } from './http-stream/worker-http.ts';
export { defaultLimits, type RuntimeLimits } from './limits.ts';
export { createRuntime, type RuntimeDeps, type RuntimeOptions } from './runtime.ts';
