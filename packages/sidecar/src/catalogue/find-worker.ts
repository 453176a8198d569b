import { isAbsolute, resolve } from 'node:path';
import type { CatalogueFiles } from './catalogue-files.ts';
import { catalogueErrors } from './errors.ts';
import { readWorkerCatalogue, readWorkerFolder, type WorkerCatalogue } from './worker-catalogue.ts';
import type { WorkerConfig } from './worker-config.ts';
import type { WorkerSettings } from './worker-settings.ts';

/**
 * Finds the worker of a language for one app. The nearest wins: the folder that the app's settings name, the
 * worker.config.json in the app's own folder (.NET isolated and native apps bring theirs), the app's
 * `workersDirectory`, the machine's catalogue.
 * @throws PlatformError WORKER_LANGUAGE_UNKNOWN, WORKER_LANGUAGE_DISABLED, WORKER_DIRECTORY_MISSING, WORKER_CONFIG_*
 */
export async function findWorker(
  files: CatalogueFiles,
  catalogue: WorkerCatalogue,
  app: { readonly language: string; readonly scriptRoot: string; readonly settings: WorkerSettings },
): Promise<WorkerConfig> {
  const { language, scriptRoot, settings } = app;
  const config =
    (await fromSetting(files, app)) ??
    (await fromApp(files, language, scriptRoot)) ??
    (await fromCatalogue(
      files,
      catalogue,
      language,
      settings.workersDirectory && inApp(settings.workersDirectory, scriptRoot),
    ));
  if (config.description.isDisabled) {
    throw catalogueErrors.create('WORKER_LANGUAGE_DISABLED', { language, file: config.file });
  }
  return config;
}

async function fromSetting(
  files: CatalogueFiles,
  { language, scriptRoot, settings }: { language: string; scriptRoot: string; settings: WorkerSettings },
): Promise<WorkerConfig | undefined> {
  if (settings.workerDirectory === undefined) return undefined;
  const directory = inApp(settings.workerDirectory, scriptRoot);
  const source = `the setting 'languageWorkers__${language}__workerDirectory'`;
  const missing = (reason: string): never => {
    throw catalogueErrors.create('WORKER_DIRECTORY_MISSING', { directory, source, reason });
  };
  const config = (await readWorkerFolder(files, directory)) ?? missing('it has no worker.config.json');
  const found = config.description.language;
  return found === language ? config : missing(`its worker.config.json is for '${found}', not for '${language}'`);
}

async function fromApp(files: CatalogueFiles, language: string, scriptRoot: string): Promise<WorkerConfig | undefined> {
  const config = await readWorkerFolder(files, scriptRoot);
  return config?.description.language === language ? config : undefined;
}

async function fromCatalogue(
  files: CatalogueFiles,
  machine: WorkerCatalogue,
  language: string,
  workersDirectory: string | undefined,
): Promise<WorkerConfig> {
  const own = workersDirectory === undefined ? undefined : await readOwn(files, workersDirectory);
  const catalogues = own === undefined ? [machine] : [own, machine];
  for (const { workers, rejected } of catalogues) {
    const config = workers.get(language);
    if (config !== undefined) return config;
    // The folder with the language's name explains best why there is no worker.
    const reason = rejected.find(({ name }) => name === language);
    if (reason !== undefined) throw reason.error;
  }
  const known = [...new Set(catalogues.flatMap(({ workers }) => [...workers.keys()]))].sort().join(', ');
  throw catalogueErrors.create('WORKER_LANGUAGE_UNKNOWN', {
    language,
    known: known === '' ? 'no language' : known,
    variable: `languageWorkers__${language}__workerDirectory`,
  });
}

async function readOwn(files: CatalogueFiles, path: string): Promise<WorkerCatalogue> {
  const own = await readWorkerCatalogue(files, [{ path, source: "the setting 'languageWorkers__workersDirectory'" }]);
  const unreadable = own.rejected.find(({ name }) => name === '');
  if (unreadable !== undefined) throw unreadable.error;
  return own;
}

/** Relative folders in an app's settings start from the app. */
function inApp(path: string, scriptRoot: string): string {
  return isAbsolute(path) ? path : resolve(scriptRoot, path);
}
