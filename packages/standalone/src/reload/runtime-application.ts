import { hostname } from 'node:os';
import { systemClock } from '@switchyard/kernel';
import { type ApplicationDefinition, createHostId } from '@switchyard/model';
import type { FunctionKeys, RuntimeApplication } from '@switchyard/runtime';
import type { ResolvedWorker } from '@switchyard/sidecar';
import { createFunctionFiles } from '../application/function-files.ts';
import { createFunctionFolders } from '../application/function-folders.ts';
import type { LoadedApplication } from '../application/load-application.ts';
import { createOfflinePage } from '../application/offline-page.ts';
import { type PackFolder, packDownload } from '../application/pack-download.ts';

/** One machine, one user. */
const tenantId = 'local';

/** The id under which the app keeps its state in storage. */
export function hostIdOf({ directory, settings }: LoadedApplication): string {
  const configured = settings.get('AzureFunctionsWebHost__hostid');
  return createHostId({ configured, machineName: hostname(), scriptPath: directory });
}

/** What the admin API may do with the files of an app; what is left out it may not. */
export interface FileAccess {
  /** Packs apps for administrators who want their files. */
  readonly pack?: PackFolder | undefined;
  /** Hears which path an administrator has changed. */
  readonly onEdit?: ((path: string) => void) | undefined;
}

/** A version of an app in a folder as the Runtime wants it. */
export function toRuntimeApplication(
  application: LoadedApplication,
  definition: ApplicationDefinition,
  worker: ResolvedWorker,
  keys: FunctionKeys | undefined,
  { pack, onEdit }: FileAccess = {},
): RuntimeApplication {
  const { directory, runtime, settings } = application;
  const runsFromPackage = !['', '0'].includes(settings.get('WEBSITE_RUN_FROM_PACKAGE') ?? '');
  return {
    definition,
    tenantId,
    stack: { runtime: application.runtime, version: worker.runtimeVersion, architecture: process.arch },
    worker: {
      workerDirectory: worker.launch.environment.FUNCTIONS_WORKER_DIRECTORY ?? '',
      workerIndexing: worker.traits.workerIndexing,
      initializationTimeoutMs: worker.traits.initializationTimeoutMs,
      stderrIsError: worker.traits.stderrIsError,
      ignoresTermination: worker.traits.ignoresTermination,
    },
    scriptRoot: directory,
    hostJson: application.hostJson,
    settings: application.values,
    hostId: hostIdOf(application),
    functionFiles: createFunctionFiles(directory),
    hostNames: [],
    keys,
    development: true,
    offlinePage: createOfflinePage(systemClock, directory),
    ...(pack && { download: () => packDownload(pack, directory) }),
    ...(onEdit && {
      functionFolders: createFunctionFolders({ directory, runtime, runsFromPackage, onChange: onEdit }),
    }),
  };
}
