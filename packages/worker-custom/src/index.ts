/** The worker of custom handlers: an app that is a web server becomes a language worker. Its program is `main.ts`. */
export { CustomApp, type CustomAppDeps, type CustomAppOptions } from './custom-app.ts';
export { customWorkerErrors } from './errors.ts';
export { type CustomWorkerLimits, defaultCustomWorkerLimits } from './limits.ts';
export { workerVersion } from './version.ts';
