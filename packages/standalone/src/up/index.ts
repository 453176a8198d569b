/** `switchyard up`: an installation in one process. */
export { startUp, type Up } from './start-up.ts';
export { type UpOptions, upDefaults } from './up-options.ts';
