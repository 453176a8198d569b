/** Gateway, worker registry, JobHostManager, JobHost and dispatch: the process that every app shares. */
export type {
  AddOptions,
  AnnouncedApplication,
  AnnouncedApplications,
  AppDownload,
  EnvironmentOutcome,
  FunctionContent,
  FunctionFile,
  FunctionFiles,
  FunctionFolders,
  FunctionKeys,
  FunctionStatus,
  JobHostStatus,
  KeyScope,
  KeyStore,
  ListenerGate,
  NamedKey,
  OpenAppTelemetry,
  RestartOutcome,
  RestartWish,
  Runtime,
  RuntimeApplication,
  ScaleRules,
  StoredIndex,
  TrafficOptions,
  TrafficShare,
  UnloadedFunction,
  VerifyWorker,
  VersionStatus,
  WorkerProfile,
  WorkerStatus,
  WorkerVerdict,
} from './contract.ts';
export type { LoopMeter } from './dispatch/loop-pace.ts';
export { type DispatchStrategy, dispatchStrategies } from './dispatch/strategies.ts';
export { runtimeErrors } from './errors.ts';
export type { ReadVitals, Vital } from './health/process-health.ts';
export { httpStreamErrors } from './http-stream/errors.ts';
export type { WorkerHttp, WorkerHttpRequest } from './http-stream/worker-http.ts';
export { defaultLimits, type RuntimeLimits } from './limits.ts';
export type { FunctionBacklog } from './load/function-backlog.ts';
export { durationClassesMs, type FunctionMeasure } from './load/function-measures.ts';
export type { VersionLoad, WorkerWish } from './load/version-load.ts';
export type { MemoryPort } from './memory/memory-guard.ts';
export { createRuntime, type RuntimeDeps, type RuntimeOptions } from './runtime.ts';
