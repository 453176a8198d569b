/** The fixed words of the control API, for whoever needs no more than those: nothing here loads zod. */
export { type ControlScope, controlScopes } from './control-scopes.ts';
export { type Collection, collections } from './domain/collections.ts';
export { type WorkerName, workerNames } from './worker-names.ts';
