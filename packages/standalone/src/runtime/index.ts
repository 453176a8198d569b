/** `switchyard runtime`: a Runtime in a process of its own. */
export { runtimeProcessErrors } from './errors.ts';
export type { CertificateFiles } from './read-files.ts';
export { type RuntimeProcessOptions, runtimeDefaults } from './runtime-options.ts';
export { type RuntimeProcess, startRuntime } from './start-runtime.ts';
