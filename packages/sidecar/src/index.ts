/** Sidecar, wrapper and pod host: how workers come to life and how they end. */
export * from './catalogue/index.ts';
export { connectionArguments, type WorkerConnection } from './connection-arguments.ts';
export type { LaunchSource, WorkerLaunch } from './contract.ts';
export { podErrors } from './errors.ts';
export { defaultPodHostLimits, type PodHostLimits } from './limits.ts';
export { createNodeProcesses } from './node-processes.ts';
export { createPodHost, type PodHost, type PodHostDeps, type PodHostOptions } from './pod-host.ts';
export type { ConsoleStream, ProcessHandle, ProcessLaunch, ProcessObserver, ProcessPort } from './process-port.ts';
