/** Sidecar, wrapper and pod host: what stands beside a worker process. */
export type { LaunchSource, WorkerLaunch } from './contract.ts';
