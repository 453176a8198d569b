import type { Dirent } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FunctionFile, FunctionFiles } from '@switchyard/runtime';

const fileName = 'function.json';

/** Folders that the official host does not look into either, and our own. */
export const skippedFolders: ReadonlySet<string> = new Set(['node_modules', '.git', '.switchyard', '.vscode']);

/** The function.json files of an app in a folder: one level deep, as the official host reads them. */
export function createFunctionFiles(directory: string): FunctionFiles {
  return {
    async list() {
      const entries = await readdir(directory, { withFileTypes: true });
      const folders = entries.filter(isCandidate).map(({ name }) => name);
      const found = await Promise.all(folders.sort().map((name) => readFunction(join(directory, name), name)));
      return found.filter((entry) => entry !== undefined);
    },
  };
}

/** True when the folder holds at least one function.json where the host looks for it. */
export async function hasFunctionFiles(directory: string): Promise<boolean> {
  return (await createFunctionFiles(directory).list()).length > 0;
}

function isCandidate(entry: Dirent): boolean {
  // A link to a folder counts: its target is read like the folder itself.
  return (entry.isDirectory() || entry.isSymbolicLink()) && !skippedFolders.has(entry.name);
}

async function readFunction(directory: string, name: string): Promise<FunctionFile | undefined> {
  try {
    const text = await readFile(join(directory, fileName), 'utf8');
    const entries = await readdir(directory, { withFileTypes: true });
    const files = entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
    return { name, directory, text, files: files.sort() };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // No function.json: just a folder. Anything else (no right to read it) is told by an empty text, which is no JSON.
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    return { name, directory, text: '', files: [] };
  }
}
