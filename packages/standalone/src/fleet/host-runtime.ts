import type { Runtime } from '@switchyard/runtime';

/** What is asked of a Runtime wherever it runs: everything but the sockets. */
export type HostRuntime = Pick<
  Runtime,
  | 'addApplication'
  | 'promoteApplication'
  | 'removeApplication'
  | 'setTraffic'
  | 'removeVersion'
  | 'restartWorker'
  | 'updateEnvironment'
  | 'load'
  | 'backlogs'
  | 'listeningApps'
  | 'scaleTo'
  | 'watchWakes'
  | 'status'
  | 'watch'
>;
