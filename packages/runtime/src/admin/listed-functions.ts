/** The functions that the admin API shows. */
import { type FunctionMetadata, isFunctionDisabled, readKey } from '@switchyard/model';
import type { FunctionEntry } from '../job-host/function-entry.ts';
import { indexFromFiles } from '../job-host/index-functions.ts';
import type { AdminCall } from './admin-call.ts';

export interface ListedFunction {
  readonly metadata: FunctionMetadata;
  readonly isDisabled: boolean;
  /** Of an HTTP function, without its prefix. */
  readonly route: string | undefined;
}

/** Files on a disk are there sooner, or not at all. */
const filesMs = 10_000;

/**
 * What runs; where administrators change the files of functions, what the files say, so that a change is seen before the version that
 * runs it (the official host reads them anew, too).
 */
export async function listFunctions({ jobHost, host: { clock } }: AdminCall): Promise<readonly ListedFunction[]> {
  const { application, catalog } = jobHost;
  if (application.functionFolders === undefined || catalog?.isListed === true)
    return (catalog?.entries ?? []).map(toListed);
  const { functions } = await indexFromFiles({ application, allowed: application.host.functions }, clock, filesMs);
  const refused = new Set(catalog?.rejected.map(({ name }) => name));
  return functions
    .filter(({ name }) => !refused.has(name))
    .map((metadata) => {
      const entry = catalog?.find(metadata.name);
      return entry !== undefined && isSame(entry.metadata, metadata)
        ? toListed(entry)
        : fromFile(metadata, isFunctionDisabled(application.settingsView, metadata.name));
    });
}

/** A function of which a file tells, and that does not run yet. */
export function fromFile(metadata: FunctionMetadata, isDisabled: boolean): ListedFunction {
  const { name, trigger } = metadata;
  if (trigger.type.toLowerCase() !== 'httptrigger') return { metadata, isDisabled, route: undefined };
  const route = readKey(trigger.raw, 'route');
  return { metadata, isDisabled, route: typeof route === 'string' && route !== '' ? route : name };
}

function toListed({ metadata, isDisabled, trigger }: FunctionEntry): ListedFunction {
  return { metadata, isDisabled, route: trigger.kind === 'route' ? trigger.options.route : undefined };
}

function isSame(one: FunctionMetadata, other: FunctionMetadata): boolean {
  const shown = ({ scriptFile, bindings }: FunctionMetadata) => [scriptFile, bindings.map(({ raw }) => raw)];
  return JSON.stringify(shown(one)) === JSON.stringify(shown(other));
}
