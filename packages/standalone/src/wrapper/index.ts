/** `switchyard wrapper`: a worker's process, supervised, with a Unix socket to ask for restarts. */
export { wrapperProcessErrors } from './errors.ts';
export { runWrapper, type WrapperOptions } from './run-wrapper.ts';
export { createUnixTransport } from './unix-transport.ts';
