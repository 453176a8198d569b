import { resolveConnection } from '@switchyard/model';
import type { AppFacts } from '../app-facts.ts';
import type { Finding } from '../finding.ts';

/** These work without any storage account. */
const freeTriggers = new Set(['httptrigger', 'timertrigger', 'eventgridtrigger', 'warmuptrigger']);

/** Storage that is not set, or does not answer. */
export function checkStorage({ settings, bindings, storage }: AppFacts): readonly Finding[] {
  const needy = bindings.find(({ type, role }) => role === 'trigger' && !freeTriggers.has(type.toLowerCase()));
  const isMissing = resolveConnection(settings, undefined).kind === 'missing';
  return [
    ...(isMissing && needy !== undefined
      ? [
          {
            severity: 'error',
            code: 'storage-missing',
            subject: 'AzureWebJobsStorage',
            problem: `'${needy.where}' has the trigger '${needy.type}', for which the host keeps state in AzureWebJobsStorage, and that is not set.`,
            fix: 'Set it to "UseDevelopmentStorage=true" for the local emulator, or to a connection string.',
          } satisfies Finding,
        ]
      : []),
    ...(storage !== undefined && !storage.isReached
      ? [
          {
            severity: 'error',
            code: 'storage-unreachable',
            subject: 'AzureWebJobsStorage',
            problem: `Nothing answers at ${storage.address}.`,
            fix: 'Look at the network and at the name of the account; for the local emulator write "UseDevelopmentStorage=true".',
          } satisfies Finding,
        ]
      : []),
  ];
}
