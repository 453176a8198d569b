import { hostname } from 'node:os';
import { systemClock } from '@switchyard/kernel';
import { createHostId } from '@switchyard/model';
import type { FunctionKeys, KeyStore, RuntimeApplication, ScaleRules } from '@switchyard/runtime';
import type { ResolvedWorker } from '@switchyard/sidecar';
import { createFunctionFiles } from '../../application/function-files.ts';
import { createOfflinePage } from '../../application/offline-page.ts';
import type { DeployedVersion } from './deployed-version.ts';

export interface RuntimeApplicationParts {
  readonly worker: ResolvedWorker;
  readonly keys: FunctionKeys;
  /** Lets administrators of the app look after its keys. */
  readonly keyStore: KeyStore;
  readonly scale: ScaleRules;
}

/** A deployed version as the Runtime wants it. */
export function toRuntimeApplication(version: DeployedVersion, parts: RuntimeApplicationParts): RuntimeApplication {
  const { definition, directory, settings } = version;
  const { traits, launch } = parts.worker;
  return {
    definition,
    tenantId: version.tenantId,
    stack: version.stack,
    worker: {
      workerDirectory: launch.environment.FUNCTIONS_WORKER_DIRECTORY ?? '',
      workerIndexing: traits.workerIndexing,
      initializationTimeoutMs: traits.initializationTimeoutMs,
      stderrIsError: traits.stderrIsError,
      ignoresTermination: traits.ignoresTermination,
    },
    scriptRoot: directory,
    hostJson: version.hostJson,
    settings: version.values,
    hostId: createHostId({
      configured: settings.get('AzureFunctionsWebHost__hostid'),
      siteName: definition.applicationId,
      machineName: hostname(),
      scriptPath: directory,
    }),
    functionFiles: createFunctionFiles(directory),
    hostNames: version.hostNames,
    keys: parts.keys,
    keyStore: parts.keyStore,
    development: false,
    offlinePage: createOfflinePage(systemClock, directory),
    index: version.index,
    scale: parts.scale,
  };
}
