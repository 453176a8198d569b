/** The language workers that a machine has: one folder each, with a worker.config.json in it. */
import { join } from 'node:path';
import { isPlatformError, messageOf, type PlatformError } from '@switchyard/kernel';
import type { CatalogueFiles } from './catalogue-files.ts';
import { catalogueErrors } from './errors.ts';
import { catalogueLimits } from './limits.ts';
import { parseWorkerConfig, type WorkerConfig } from './worker-config.ts';

export const workerConfigName = 'worker.config.json';

export interface WorkerCatalogue {
  /** By language, in lower case; those that are switched off included. */
  readonly workers: ReadonlyMap<string, WorkerConfig>;
  /** What could not be used. It harms nothing else. */
  readonly rejected: readonly RejectedWorker[];
}

export interface RejectedWorker {
  /** The folder's name, which is usually the language. */
  readonly name: string;
  readonly directory: string;
  readonly error: PlatformError;
}

/** A folder to look in, and who named it. */
export interface WorkersDirectory {
  readonly path: string;
  readonly source: string;
}

/**
 * Reads every `<directory>/<folder>/worker.config.json`. Of two workers for one language the first holds, in the order
 * of the directories and of the folders' names. Never rejects: what cannot be used stands in `rejected`.
 */
export async function readWorkerCatalogue(
  files: CatalogueFiles,
  directories: readonly WorkersDirectory[],
): Promise<WorkerCatalogue> {
  const workers = new Map<string, WorkerConfig>();
  const rejected: RejectedWorker[] = [];
  const found = await Promise.all(directories.map((directory) => readDirectory(files, directory)));
  for (const outcome of found.flat()) {
    if (outcome.kind === 'rejected') {
      rejected.push(outcome.worker);
      continue;
    }
    const { config, name } = outcome;
    const { language } = config.description;
    const first = workers.get(language);
    if (first === undefined) workers.set(language, config);
    else {
      const details = { language, file: config.file, used: first.file };
      const error = catalogueErrors.create('WORKER_CONFIG_SHADOWED', details);
      rejected.push({ name, directory: config.directory, error });
    }
  }
  return { workers, rejected };
}

/**
 * Reads the worker of one folder; undefined when it holds no worker.config.json.
 * @throws PlatformError WORKER_CONFIG_UNREADABLE, WORKER_CONFIG_INVALID
 */
export async function readWorkerFolder(files: CatalogueFiles, directory: string): Promise<WorkerConfig | undefined> {
  const file = join(directory, workerConfigName);
  const text = await files.readText(file).catch((thrown: unknown) => {
    throw catalogueErrors.create('WORKER_CONFIG_UNREADABLE', { file, reason: messageOf(thrown) }, thrown);
  });
  return text === undefined ? undefined : parseWorkerConfig(text, file);
}

type Outcome =
  | { readonly kind: 'read'; readonly name: string; readonly config: WorkerConfig }
  | { readonly kind: 'rejected'; readonly worker: RejectedWorker };

async function readDirectory(files: CatalogueFiles, { path, source }: WorkersDirectory): Promise<readonly Outcome[]> {
  const missing = (reason: string): Outcome[] => {
    const error = catalogueErrors.create('WORKER_DIRECTORY_MISSING', { directory: path, source, reason });
    return [{ kind: 'rejected', worker: { name: '', directory: path, error } }];
  };
  try {
    const folders = await files.listFolders(path);
    if (folders === undefined) return missing('there is no such folder');
    if (folders.length > catalogueLimits.folders) return missing(`it has more than ${catalogueLimits.folders} folders`);
    const read = await Promise.all(folders.map((name) => readFolder(files, name, join(path, name))));
    return read.filter((outcome) => outcome !== undefined);
  } catch (thrown) {
    return missing(messageOf(thrown));
  }
}

async function readFolder(files: CatalogueFiles, name: string, directory: string): Promise<Outcome | undefined> {
  try {
    const config = await readWorkerFolder(files, directory);
    return config && { kind: 'read', name, config };
  } catch (thrown) {
    if (!isPlatformError(thrown)) throw thrown;
    return { kind: 'rejected', worker: { name, directory, error: thrown } };
  }
}
