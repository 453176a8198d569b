import type { SettingsView } from '@switchyard/model';

/** What an app's settings say of a language's worker. Empty texts count as not set. */
export interface WorkerSettings {
  /** `languageWorkers:workersDirectory`: a folder with one folder per worker. */
  readonly workersDirectory: string | undefined;
  /** `languageWorkers:<language>:workerDirectory`: the folder of this language's worker. */
  readonly workerDirectory: string | undefined;
  readonly defaultExecutablePath: string | undefined;
  readonly defaultRuntimeVersion: string | undefined;
  /** Texts of words, to go behind the worker's own arguments. */
  readonly arguments: readonly string[];
}

/** Reads `languageWorkers:...`, also written `languageWorkers__...`, in any case. */
export function readWorkerSettings(settings: SettingsView, language: string): WorkerSettings {
  const get = (name: string): string | undefined => settings.get(`languageWorkers:${name}`)?.trim() || undefined;
  return {
    workersDirectory: get('workersDirectory'),
    workerDirectory: get(`${language}:workerDirectory`),
    defaultExecutablePath: get(`${language}:defaultExecutablePath`),
    defaultRuntimeVersion: get(`${language}:defaultRuntimeVersion`),
    arguments: [get(`${language}:arguments`) ?? ''],
  };
}
