import type { JobHostStatus } from '@switchyard/runtime';
import type { ResolvedWorker } from '@switchyard/sidecar';
import { createMemoryLog } from '@switchyard/testkit';
import type { LoadedApplication } from '../application/load-application.ts';
import type { Version } from '../reload/app-versions.ts';
import { HeldLog } from '../reload/held-log.ts';

/** A worker as the catalogue resolves it, with the Node of the tests. */
export const sampleWorker: ResolvedWorker = {
  language: 'node',
  runtimeVersion: '24',
  file: '/worker/worker.config.json',
  profile: undefined,
  launch: {
    executable: process.execPath,
    arguments: [],
    workerPath: '/worker/worker.js',
    workerArguments: [],
    directory: '/app',
    environment: { FUNCTIONS_WORKER_DIRECTORY: '/worker' },
  },
  traits: {
    workerIndexing: true,
    extensions: ['.js', '.mjs', '.cjs'],
    processCount: 1,
    maxProcessCount: 1,
    processStartupIntervalMs: 1,
    processStartupTimeoutMs: 1,
    initializationTimeoutMs: 120_000,
    environmentReloadTimeoutMs: 1,
    processRestartIntervalMs: 1,
    processShutdownTimeoutMs: 1,
    stderrIsError: false,
    ignoresTermination: false,
    canUsePlaceholder: true,
    presentsKey: false,
  },
  notes: ['a note about the worker'],
};

/** An app with what a test asks for. */
export function createLoaded(given: Partial<LoadedApplication> = {}): LoadedApplication {
  return {
    applicationId: 'shop',
    directory: '/app',
    runtime: 'node',
    values: new Map(),
    settings: { get: () => undefined } as unknown as LoadedApplication['settings'],
    localNames: [],
    localHost: { corsOrigins: [], corsCredentials: false },
    hostJson: { version: '2.0' },
    host: { functionTimeoutMs: 600_000 } as LoadedApplication['host'],
    notes: [],
    ...given,
  } as LoadedApplication;
}

/** A version of an app, numbered. */
export function createVersion(given: Partial<LoadedApplication> = {}, number = 1): Version {
  const application = createLoaded(given);
  const { applicationId } = application;
  const name = `dev-${number}`;
  return {
    definition: { applicationId, metadataVersion: name, codeVersion: name },
    key: `${applicationId}:${name}`,
    application,
    worker: sampleWorker,
    ready: new Promise(() => {}),
    held: new HeldLog(createMemoryLog(), new Set()),
  };
}

/** What the Runtime says of a version that is ready. */
export function createStatus(names: readonly string[], given: Partial<JobHostStatus> = {}): JobHostStatus {
  return {
    key: 'shop:dev-1',
    applicationId: 'shop',
    state: 'active',
    functions: names.map((name) => ({
      name,
      trigger: 'httpTrigger',
      disabled: false,
      route: { template: `api/${name}`, methods: [], authLevel: 'anonymous' },
    })),
    rejected: [],
    workers: [],
    versions: [],
    ...given,
  };
}
