/** What `require('@azure/functions-core')` answers: exactly the eight members that libraries know. */
import type { App } from '../app/app.ts';
import { registrationPlace } from '../app/app-starter.ts';
import type { ProgrammingModels } from '../app/programming-models.ts';
import { asSystemError, workerErrors } from '../errors.ts';
import type { WorkerLog } from '../worker-log.ts';
import type { CoreLogCategory, CoreLogLevel, ProgrammingModel } from './core-types.ts';
import { Disposable } from './disposable.ts';

export interface CoreModuleDeps {
  readonly workerVersion: string;
  /** The host's version, once it is known. */
  readonly hostVersion: () => string | undefined;
  /** The app that is loaded now. */
  readonly app: () => App;
  readonly models: ProgrammingModels;
  readonly log: WorkerLog;
}

/** The surface of `@azure/functions-core`. */
export interface CoreModule {
  readonly version: string;
  /** Throws HOST_VERSION_UNKNOWN before the host's first message. */
  readonly hostVersion: string;
  registerFunction(metadata: unknown, callback: unknown): Disposable;
  registerHook(name: unknown, callback: unknown): Disposable;
  setProgrammingModel(model: unknown): void;
  getProgrammingModel(): ProgrammingModel;
  log(level: CoreLogLevel, category: CoreLogCategory, message: string): void;
  readonly Disposable: typeof Disposable;
}

export function createCoreModule(deps: CoreModuleDeps): CoreModule {
  const { models, log } = deps;
  return {
    version: deps.workerVersion,
    get hostVersion() {
      const version = deps.hostVersion();
      if (version === undefined) throw asSystemError(workerErrors.create('HOST_VERSION_UNKNOWN'));
      return version;
    },
    registerFunction(metadata, callback) {
      const app = deps.app();
      return new Disposable(app.functions.register(metadata, callback, registrationPlace(app)));
    },
    registerHook: (name, callback) => deps.app().hooks.register(name, callback),
    setProgrammingModel(model) {
      const before = models.current;
      models.set(model);
      const { name, version } = models.current;
      if (models.current !== before)
        log.system('information', `Setting Node.js programming model to "${name}" version "${version}"`);
    },
    getProgrammingModel: () => models.current,
    log: (level, category, message) => log.write(level, category, String(message)),
    Disposable,
  };
}
