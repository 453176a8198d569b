import { hostJsonVariable, tokenVariable, type WorkerSpecialized } from '@switchyard/protocol';
import type { SidecarOptions } from './sidecar-contract.ts';
import type { SpecializedWorker } from './specialize.ts';

/** The prefixes by which a connection string is known among the variables of an environment. */
const connectionPrefix =
  /^(SQL|SQLAZURE|MYSQL|POSTGRESQL|CUSTOM|REDISCACHE|DOCDB|EVENTHUB|SERVICEBUS|NOTIFICATIONHUB|APIHUB)CONNSTR_/i;

/** Says whose worker this is from now on. The settings are the environment; the token is one of them. */
export function toWorkerSpecialized(
  { assignment, scriptRoot, hostJson }: SpecializedWorker,
  { workerId, stack }: SidecarOptions,
  correlationId: string,
): WorkerSpecialized {
  const { application, environment, token } = assignment;
  const appSettings = new Map<string, string>();
  const connectionStrings = new Map<string, string>();
  for (const [name, value] of environment)
    (connectionPrefix.test(name) ? connectionStrings : appSettings).set(name, value);
  appSettings.delete(tokenVariable);
  if (token !== undefined) appSettings.set(tokenVariable, token.reveal());
  if (hostJson !== undefined) appSettings.set(hostJsonVariable, hostJson);
  return {
    applicationId: application.applicationId,
    metadataVersion: application.metadataVersion,
    codeVersion: application.codeVersion,
    appSettings,
    connectionStrings,
    functionsPath: scriptRoot,
    workerId,
    language: stack.runtime,
    languageVersion: stack.version,
    correlationId,
  };
}
