import { type Catalog, computeMetadataVersion } from '@switchyard/control-plane';
import { isJsonObject } from '@switchyard/model';
import type { RpcFunctionMetadata } from '@switchyard/protocol';
import type { StoredIndex } from '@switchyard/runtime';
import { createFunctionFiles } from '../../application/function-files.ts';

/** What two versions of an app must have in common to share a JobHost. */
export interface MetadataInput {
  readonly index: StoredIndex;
  /** The folder with the app's files. */
  readonly directory: string;
  /** The text of host.json; undefined when the app has none. */
  readonly hostJson: string | undefined;
  readonly values: ReadonlyMap<string, string>;
}

export type MetadataVersions = (input: MetadataInput) => Promise<string>;

/** Functions that their worker leaves to function.json count with what stands there. */
export function createMetadataVersions(catalog: Pick<Catalog, 'digest'>): MetadataVersions {
  return async ({ index, directory, hostJson, values }) => {
    const functions = index.useDefaultIndexing ? await readFunctionFiles(directory) : index.functions;
    const digest = (text: string): string => catalog.digest(text);
    return computeMetadataVersion({ index: { ...index, functions }, hostJson, values, digest });
  };
}

async function readFunctionFiles(directory: string): Promise<RpcFunctionMetadata[]> {
  const files = await createFunctionFiles(directory).list();
  return files.map(({ name, text }) => ({
    name,
    directory: '',
    scriptFile: '',
    entryPoint: '',
    bindings: new Map(),
    isProxy: false,
    status: undefined,
    language: '',
    rawBindings: [text, ...bindingsIn(text)],
    functionId: '',
    managedDependencyEnabled: false,
    retryOptions: undefined,
    properties: new Map(),
  }));
}

/** Each binding for itself, so that the settings that it names are found. What is wrong with the file the Runtime tells. */
function bindingsIn(text: string): string[] {
  try {
    const parsed: unknown = JSON.parse(text);
    const bindings = isJsonObject(parsed) ? parsed.bindings : undefined;
    return Array.isArray(bindings) ? bindings.map((binding) => JSON.stringify(binding)) : [];
  } catch {
    return [];
  }
}
