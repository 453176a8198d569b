/** The composition roots: everything in one process. */
export type { DevOptions } from './dev/dev-options.ts';
export { type Dev, type DevOutcome, startDev } from './dev/start-dev.ts';
export { examineApp, type Finding, type Severity } from './doctor/index.ts';
export { standaloneErrors } from './errors.ts';
