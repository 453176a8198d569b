/** The Node.js language worker: where its program lies, and what it is. */
export { workerCapabilities } from './capabilities.ts';
export { workerErrors } from './errors.ts';
export { defaultModelVersion } from './model/default-model.ts';
export { workerVersion } from './version.ts';
