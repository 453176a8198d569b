/** `switchyard control-plane`: workers of the control plane in a process of their own. */
export type { RemoteControl } from './remote-target.ts';
export { type RunningWorkers, type StartWorkersOptions, startWorkers } from './start-workers.ts';
