import type { JobHostStatus } from '@switchyard/runtime';
import { createFunctionFiles } from './function-files.ts';

/** Folders that a note names; of more it says how many. */
const maxNamed = 5;

/**
 * What to tell of an app that registers functions in code and has function.json files as well, which nobody reads then, as with
 * the official host. Undefined where there is nothing to tell.
 */
export async function unreadFunctionsNote(
  directory: string,
  { functions, rejected }: Pick<JobHostStatus, 'functions' | 'rejected'>,
): Promise<string | undefined> {
  if (functions.length === 0) return undefined;
  const known = new Set([...functions, ...rejected].map(({ name }) => name.toLowerCase()));
  const folders = (await createFunctionFiles(directory).list()).map(({ name }) => name);
  // Where files are read, at least one of them is known.
  if (folders.length === 0 || folders.some((name) => known.has(name.toLowerCase()))) return undefined;
  const named = folders.slice(0, maxNamed).join(', ');
  const more = folders.length > maxNamed ? ` and ${folders.length - maxNamed} more` : '';
  return `The app registers its functions in code, so no function.json is read. Not running: ${named}${more}.`;
}
