/** Sidecar, wrapper and pod host: how workers come to life and how they end. */
export * from './catalogue/index.ts';
export { connectionArguments, type WorkerConnection } from './connection-arguments.ts';
export type { LaunchSource, WorkerLaunch } from './contract.ts';
export { podErrors } from './errors.ts';
export type { AssignVerdict, AuthorizeAssign } from './http/authorize.ts';
export { type BodyLimits, type BodyReading, readBody } from './http/request-body.ts';
export {
  defaultSidecarServerLimits,
  type SidecarServerLimits,
  type SidecarTls,
  toSidecarServerOptions,
} from './http/server-options.ts';
export {
  answerSidecarRequest,
  createSidecarListener,
  defaultBodyLimits,
  type SidecarFace,
  type SidecarHttp,
  type SidecarReply,
  type SidecarRequest,
} from './http/sidecar-http.ts';
export {
  createWorkerHttpProxy,
  type HttpProxy,
  type ProxyRoute,
  type WorkerHttpProxy,
  type WorkerHttpProxyDeps,
  type WorkerHttpProxyOptions,
  type WorkerHttpRequester,
} from './http-proxy/worker-http-proxy.ts';
export { defaultPodHostLimits, type PodHostLimits } from './limits.ts';
export { createNodeProcesses } from './node-processes.ts';
export { openProcessTable, type ProcessTable } from './node-processes-table.ts';
export { defaultOrphanSweepOptions, OrphanSweep, type OrphanSweepOptions } from './orphan-sweep.ts';
export { packageErrors } from './packages/errors.ts';
export { defaultPackageLimits, type PackageLimits } from './packages/limits.ts';
export {
  createPackageFolders,
  type PackageFolders,
  type PackageFoldersDeps,
  type PackageFoldersOptions,
} from './packages/package-folders.ts';
export type { FetchPackage, PackageSource } from './packages/package-source.ts';
export { removeTree } from './packages/remove-tree.ts';
export {
  createPlaceholderPods,
  type PlaceholderPods,
  type PlaceholderPodsDeps,
  type PlaceholderPodsOptions,
  type PodDoor,
} from './pod/placeholder-pods.ts';
export type { LocalPod, PlaceholderLaunch, PodEndpoint } from './pod/pod.ts';
export { createRuntimeDialer, type RuntimeDialer } from './pod/runtime-dialer.ts';
export { type SinglePod, type SinglePodOptions, startSinglePod } from './pod/single-pod.ts';
export { createPodHost, type PodHost, type PodHostDeps, type PodHostOptions } from './pod-host.ts';
export type {
  ConsoleStream,
  ProcessHandle,
  ProcessLaunch,
  ProcessObserver,
  ProcessPort,
  ProcessUser,
} from './process-port.ts';
export { restartErrors } from './restart/errors.ts';
export { type CapturedLaunch, decideLaunch, type LaunchDecision, readWantedLaunch } from './restart/launch-check.ts';
export {
  type CreateLife,
  createRestartableSidecar,
  type FindLaunch,
  type RestartableSidecar,
  type RestartableSidecarDeps,
  type RestartableSidecarOptions,
} from './restart/restartable-sidecar.ts';
export { sidecarErrors } from './sidecar/errors.ts';
export { defaultSidecarLimits, type SidecarLimits } from './sidecar/limits.ts';
export { createSidecar } from './sidecar/sidecar.ts';
export type {
  CallRuntime,
  DialRuntime,
  IndexOutcome,
  OpenPackage,
  RelayCounts,
  RuntimeAttachment,
  Sidecar,
  SidecarDeps,
  SidecarEnd,
  SidecarOptions,
  SidecarStateKind,
  SidecarStatus,
  SidecarTraits,
} from './sidecar/sidecar-contract.ts';
export { readSidecarEnvironment, type SidecarEnvironment, type Variables } from './sidecar/sidecar-environment.ts';
export { createPodUsage, type PodUsage, usableProcessors } from './usage/pod-usage.ts';
export { createProcessUsage } from './usage/process-usage.ts';
export { openUsageFiles } from './usage/usage-files.ts';
export type {
  LaunchChange,
  LaunchConfiguration,
  RestartOutcome,
  SupervisorStateKind,
  SupervisorStatus,
  WorkerControl,
} from './wrapper/contract.ts';
export { wrapperErrors } from './wrapper/errors.ts';
export { defaultSupervisorLimits, type SupervisorLimits } from './wrapper/limits.ts';
export {
  type CrashPolicy,
  Supervisor,
  type SupervisorDeps,
  type SupervisorEnd,
  type SupervisorObserver,
  type SupervisorOptions,
} from './wrapper/supervisor.ts';
export { createWrapperClient, type WrapperClient, type WrapperTransport } from './wrapper/wrapper-client.ts';
export {
  answerWrapperRequest,
  createWrapperListener,
  type WrapperFace,
  type WrapperReply,
  type WrapperRequest,
} from './wrapper/wrapper-http.ts';
