/**
 * By what a pod knows its own worker. The command line of a process, and so a worker's id, is for every user of the machine to
 * read, and a loopback port for every user to dial. The environment of a process is its own user's alone: a worker that shows
 * the key from there was started by the pod.
 */

/** Where a worker finds its key. Nothing inherits it: a worker takes it out before any code of an app runs. */
export const workerKeyVariable = 'SWITCHYARD_WORKER_KEY';

/** Under this name the key goes with the call that opens the worker's stream. */
export const workerKeyMetadata = 'switchyard-worker-key';

/** Takes the key out of an environment; what the worker's stream is opened with. Empty where no key was given. */
export function takeWorkerKey(environment: Record<string, string | undefined>): ReadonlyMap<string, string> {
  const key = environment[workerKeyVariable];
  delete environment[workerKeyVariable];
  return key === undefined || key === '' ? new Map() : new Map([[workerKeyMetadata, key]]);
}
