/**
 * Starts an app: reads its package.json, loads the entry files in order, runs the appStart hooks. What the app gets
 * wrong is kept as its `startError`, which fails everything that it is asked later; a throwing hook fails the start.
 */
import { basename, dirname, join, resolve } from 'node:path';
import { messageOf } from '@switchyard/kernel';
import { describeThrown, explain } from '../data/failure.ts';
import type { RegistrationPlace } from '../data/function-metadata.ts';
import { workerErrors } from '../errors.ts';
import type { WorkerLog } from '../worker-log.ts';
import type { App } from './app.ts';
import { findEntryFiles, hasFunctionJson } from './entry-files.ts';
import type { ModuleLoader } from './module-loader.ts';
import { type PackageJsonFile, readPackageJson } from './package-json.ts';

export interface AppStarterDeps {
  readonly loader: ModuleLoader;
  readonly log: WorkerLog;
  /** Where the user looks for errors: the process's stderr. */
  readonly complain: (text: string) => void;
}

/** Resolves when the app has started or noted why not; rejects when an appStart hook throws. */
export async function startApp(deps: AppStarterDeps, app: App): Promise<void> {
  try {
    await loadEntryFiles(deps, app);
  } catch (thrown) {
    app.startError = thrown instanceof Error ? thrown : new Error(messageOf(thrown));
    const { message, stackTrace } = describeThrown(app.startError);
    deps.log.system('error', message);
    deps.complain(stackTrace.includes(message) ? stackTrace : `${message}\n${stackTrace}`);
  }
  await app.start((text) => deps.log.system('debug', text));
}

/** Where a function stands that is registered now. */
export function registrationPlace(app: App): RegistrationPlace | undefined {
  return app.entryFile === undefined
    ? undefined
    : { directory: dirname(app.entryFile), scriptFile: basename(app.entryFile) };
}

async function loadEntryFiles(deps: AppStarterDeps, app: App): Promise<void> {
  const manifest: PackageJsonFile = readPackageJson(app.directory);
  if (manifest.kind === 'missing') {
    // An app of function.json files needs none.
    const level = hasFunctionJson(app.directory) ? 'debug' : 'warning';
    deps.log.system(level, `There is no package.json in ${app.directory}, so no entry file is loaded.`);
    return;
  }
  if (manifest.main === undefined) return;
  const files = findEntryFiles(app.directory, manifest.main);
  if (files.length === 0) {
    const path = join(app.directory, 'package.json');
    const missing = workerErrors.create('ENTRY_POINT_MISSING', { pattern: manifest.main, path });
    // `npm init` writes a "main" into every package.json; an app of function.json files has no use for it.
    if (!hasFunctionJson(app.directory)) throw missing;
    deps.log.system('warning', missing.message);
  }
  for (const file of files) await loadEntryFile(deps, app, file);
}

async function loadEntryFile(deps: AppStarterDeps, app: App, file: string): Promise<void> {
  deps.log.system('debug', `Loading entry point file "${file}"`);
  app.entryFile = resolve(app.directory, file);
  try {
    await deps.loader.load(app.entryFile);
  } catch (thrown) {
    const reason = describeThrown(thrown).message;
    throw explain(workerErrors.create('ENTRY_POINT_FAILED', { file, reason }, thrown), thrown);
  } finally {
    app.entryFile = undefined;
  }
  deps.log.system('debug', `Loaded entry point file "${file}"`);
}
