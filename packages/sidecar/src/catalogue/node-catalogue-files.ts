import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CatalogueFiles } from './catalogue-files.ts';

/** What the system says when a path leads to nothing, or to something of another kind. */
const absent: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG']);

/** The machine's own files. */
export const nodeCatalogueFiles: CatalogueFiles = {
  readText: (path) => orUndefined(readFile(path, 'utf8')),
  async listFolders(path) {
    const entries = await orUndefined(readdir(path, { withFileTypes: true }));
    const folders = entries?.map(async (entry) => {
      if (entry.isDirectory()) return entry.name;
      // A worker's folder is often a link into an installation.
      const linked = entry.isSymbolicLink() && (await orUndefined(stat(join(path, entry.name))))?.isDirectory();
      return linked === true ? entry.name : undefined;
    });
    return folders && (await Promise.all(folders)).filter((name) => name !== undefined).sort();
  },
  hasFile: async (path) => (await orUndefined(stat(path)))?.isFile() ?? false,
};

async function orUndefined<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (thrown) {
    if (absent.has((thrown as NodeJS.ErrnoException).code)) return undefined;
    throw thrown;
  }
}
