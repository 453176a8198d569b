/** Sidecar, wrapper and pod host: how workers come to life and how they end. */
export * from './catalogue/index.ts';
export { connectionArguments, type WorkerConnection } from './connection-arguments.ts';
export type { LaunchSource, WorkerLaunch } from './contract.ts';
export { podErrors } from './errors.ts';
export {
  answerSidecarRequest,
  createSidecarListener,
  type SidecarFace,
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
export {
  createPlaceholderPods,
  type PlaceholderPods,
  type PlaceholderPodsDeps,
  type PlaceholderPodsOptions,
} from './pod/placeholder-pods.ts';
export type { PlaceholderLaunch } from './pod/pod.ts';
export { createRuntimeDialer, type RuntimeDialer } from './pod/runtime-dialer.ts';
export { createPodHost, type PodHost, type PodHostDeps, type PodHostOptions } from './pod-host.ts';
export type { ConsoleStream, ProcessHandle, ProcessLaunch, ProcessObserver, ProcessPort } from './process-port.ts';
export { sidecarErrors } from './sidecar/errors.ts';
export { defaultSidecarLimits, type SidecarLimits } from './sidecar/limits.ts';
export { createSidecar } from './sidecar/sidecar.ts';
export type {
  DialRuntime,
  OpenPackage,
  RelayCounts,
  Sidecar,
  SidecarDeps,
  SidecarEnd,
  SidecarOptions,
  SidecarStateKind,
  SidecarStatus,
  SidecarTraits,
} from './sidecar/sidecar-contract.ts';
