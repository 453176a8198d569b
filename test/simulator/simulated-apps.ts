/** The apps of a simulated world: each has a function for requests and one for messages. */
import type { RuntimeApplication } from '@switchyard/runtime';
import type { Chance } from '@switchyard/testkit';
import { queueTriggerType } from './simulated-kinds.ts';

export const stack = { runtime: 'node', version: '', architecture: 'x64' } as const;

/** What an invocation may take in a simulated world. */
export const functionTimeoutMs = 15_000;

/** The app setting by which a simulated worker knows whose it is. */
export const applicationSetting = 'SIMULATED_APPLICATION';

export const simulatedFunctions = [
  { name: 'ask' },
  { name: 'work', bindings: [{ type: queueTriggerType, direction: 'in', name: 'message' }] },
] as const;

/** Two to four apps of two tenants, with one to three workers each. */
export function createSimulatedApps(chance: Chance): readonly RuntimeApplication[] {
  return Array.from({ length: chance.between(2, 4) }, (_, index) =>
    createSimulatedApp(`app-${index + 1}`, index % 2 === 0 ? 'contoso' : 'fabrikam', chance.between(1, 3)),
  );
}

function createSimulatedApp(applicationId: string, tenantId: string, workerCount: number): RuntimeApplication {
  return {
    definition: { applicationId, metadataVersion: 'm1', codeVersion: 'c1' },
    tenantId,
    stack,
    worker: {
      workerDirectory: '/worker',
      workerIndexing: true,
      initializationTimeoutMs: 30_000,
      stderrIsError: false,
      ignoresTermination: false,
    },
    scriptRoot: `/apps/${applicationId}`,
    hostJson: { version: '2.0', functionTimeout: `00:00:${functionTimeoutMs / 1_000}` },
    settings: new Map([
      ['FUNCTIONS_WORKER_PROCESS_COUNT', String(workerCount)],
      [applicationSetting, applicationId],
    ]),
    hostId: applicationId,
    functionFiles: { list: async () => [] },
    hostNames: [],
    keys: undefined,
    development: false,
  };
}
