import type { FunctionFile, RuntimeApplication, WorkerProfile } from '../contract.ts';
import { sampleDefinition } from './sample-worker.ts';

/** A function.json with its folder, from its JSON or its text. */
export function functionFile(name: string, content: unknown, files: readonly string[] = ['index.js']): FunctionFile {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  return { name, directory: `/app/${name}`, text, files };
}

/** The bindings of a function that everybody may call over HTTP. */
export function httpBindings(
  trigger: Readonly<Record<string, unknown>> = {},
  output = '$return',
): readonly Readonly<Record<string, unknown>>[] {
  return [
    { type: 'httpTrigger', direction: 'in', name: 'req', authLevel: 'anonymous', ...trigger },
    { type: 'http', direction: 'out', name: output },
  ];
}

/** A worker that lists its app's functions and ends when it is told to. */
export const sampleProfile: WorkerProfile = {
  workerDirectory: '/worker',
  workerIndexing: true,
  initializationTimeoutMs: 120_000,
  stderrIsError: false,
  ignoresTermination: false,
};

/** An app with what a test asks for; its worker lists its functions. */
export function createApplication(
  given: Partial<Omit<RuntimeApplication, 'settings'>> & {
    readonly settings?: Readonly<Record<string, string>>;
    readonly files?: readonly FunctionFile[];
  } = {},
): RuntimeApplication {
  const { settings = {}, files = [], ...rest } = given;
  return {
    definition: sampleDefinition,
    tenantId: 'default',
    stack: { runtime: 'node', version: '', architecture: 'x64' },
    worker: sampleProfile,
    scriptRoot: '/app',
    hostId: 'sample-host',
    hostJson: undefined,
    functionFiles: { list: async () => files },
    hostNames: [],
    keys: undefined,
    development: true,
    ...rest,
    settings: new Map(Object.entries(settings)),
  };
}
