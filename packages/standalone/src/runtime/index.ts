/** `switchyard runtime`: a Runtime in a process of its own. */
export type { JoinOptions } from '../fleet/member/join-options.ts';
export { startMember } from '../fleet/member/start-member.ts';
export { runtimeProcessErrors } from './errors.ts';
export type { CertificateFiles } from './read-files.ts';
export { type RuntimeProcessOptions, runtimeDefaults } from './runtime-options.ts';
export { type RuntimeProcess, startRuntime } from './start-runtime.ts';
