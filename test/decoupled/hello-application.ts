import { fileURLToPath } from 'node:url';
import type { ApplicationDefinition } from '@switchyard/model';
import type { RuntimeApplication } from '@switchyard/runtime';

/** The app of the benchmarks: one HTTP function, `hello`. */
export const helloFolder = fileURLToPath(new URL('../bench/fixtures/hello-app', import.meta.url));

export const helloDefinition = { applicationId: 'hello', metadataVersion: 'm1', codeVersion: 'c1' } as const;

export const nodeStack = { runtime: 'node', version: '', architecture: 'x64' } as const;

/** The app as a Runtime takes it. */
export function createHelloApplication(
  definition: ApplicationDefinition = helloDefinition,
  folder = helloFolder,
): RuntimeApplication {
  return {
    definition,
    tenantId: 'contoso',
    stack: nodeStack,
    worker: {
      workerDirectory: folder,
      workerIndexing: true,
      initializationTimeoutMs: 30_000,
      stderrIsError: false,
      ignoresTermination: false,
    },
    scriptRoot: folder,
    hostJson: { version: '2.0' },
    settings: new Map(),
    hostId: definition.applicationId,
    functionFiles: { list: async () => [] },
    hostNames: [],
    keys: undefined,
    development: true,
  };
}
