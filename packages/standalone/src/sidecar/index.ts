/** `switchyard sidecar`: a sidecar in a process of its own. */
export { sidecarProcessErrors } from './errors.ts';
export { type SidecarProcessOptions, sidecarDefaults } from './sidecar-options.ts';
export { type SidecarProcess, startSidecar } from './start-sidecar.ts';
