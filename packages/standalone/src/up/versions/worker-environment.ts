import type { DeployedVersion } from './deployed-version.ts';

/** Variables of the machine without which programs do not run well. None of them is a secret. */
const machineNames: ReadonlySet<string> = new Set([
  'PATH',
  'HOME',
  'LANG',
  'LC_ALL',
  'TZ',
  'TMPDIR',
  'SystemRoot',
  'ComSpec',
  'PATHEXT',
  'TEMP',
  'TMP',
  'windir',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NODE_EXTRA_CA_CERTS',
]);

/** What every worker process may see of the machine that it runs on. */
export function machineEnvironment(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const known = Object.entries(environment).filter(
    (entry): entry is [string, string] => machineNames.has(entry[0]) && entry[1] !== undefined,
  );
  return Object.fromEntries(known);
}

export interface WorkerEnvironmentOptions {
  readonly machine: Readonly<Record<string, string>>;
  /** The name and port under which callers reach the app. */
  readonly hostName: string;
}

/** The whole environment of a worker that serves a deployed version. It holds the customer's secrets. */
export function deployedEnvironment(
  { definition, stack, values, directory }: Pick<DeployedVersion, 'definition' | 'stack' | 'values' | 'directory'>,
  { machine, hostName }: WorkerEnvironmentOptions,
): ReadonlyMap<string, string> {
  return new Map([
    ...Object.entries({ AZURE_FUNCTIONS_ENVIRONMENT: 'Production', ...machine }),
    ...values,
    ...Object.entries({
      FUNCTIONS_WORKER_RUNTIME: stack.runtime,
      ...(stack.version === '' ? {} : { FUNCTIONS_WORKER_RUNTIME_VERSION: stack.version }),
      FUNCTIONS_EXTENSION_VERSION: '~4',
      AzureWebJobsScriptRoot: directory,
      FUNCTIONS_APPLICATION_DIRECTORY: directory,
      WEBSITE_HOSTNAME: hostName,
      WEBSITE_SITE_NAME: definition.applicationId,
    }),
  ]);
}
