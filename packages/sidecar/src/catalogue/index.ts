/** The language workers of a machine, and how an app's worker is started. */
export type { CatalogueFiles } from './catalogue-files.ts';
export { catalogueErrors } from './errors.ts';
export type { Interpreter } from './interpreter.ts';
export { describeMachine, type Machine } from './machine.ts';
export { nodeCatalogueFiles } from './node-catalogue-files.ts';
export type { ResolveWorkerDeps, WorkerRequest } from './resolution.ts';
export { type ResolvedWorker, resolveWorker } from './resolve-worker.ts';
export {
  type RejectedWorker,
  readWorkerCatalogue,
  type WorkerCatalogue,
  type WorkersDirectory,
} from './worker-catalogue.ts';
export type { WorkerConfig, WorkerDescription } from './worker-config.ts';
export type { WorkerTraits } from './worker-traits.ts';
