import type { LoadedApplication } from '../application/load-application.ts';

/**
 * The environment of an app's workers on a developer's machine: the machine's own, the app's settings, and what the
 * official tools add. Folders and versions are added when the worker is known.
 */
export function workerEnvironment(
  application: Pick<LoadedApplication, 'values' | 'runtime'>,
  hostName: string,
): Readonly<Record<string, string>> {
  return {
    AZURE_FUNCTIONS_ENVIRONMENT: 'Development',
    ...Object.fromEntries(application.values),
    FUNCTIONS_WORKER_RUNTIME: application.runtime,
    WEBSITE_HOSTNAME: hostName,
  };
}
