/** Gateway, worker registry, JobHostManager, JobHost and dispatch: the process that every app shares. */
export type {
  FunctionFile,
  FunctionFiles,
  FunctionKeys,
  FunctionStatus,
  JobHostStatus,
  Runtime,
  RuntimeApplication,
  WorkerStatus,
} from './contract.ts';
