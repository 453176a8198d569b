import { posix } from 'node:path';
import type { CatalogueFiles } from '../catalogue-files.ts';

export interface MemoryFiles extends CatalogueFiles {
  /** Every path that was asked for, in order. */
  readonly asked: readonly string[];
  /** From now on this path can be seen and not read. */
  lock(path: string): void;
}

/** A file system of texts by absolute path; folders are there because files are in them. */
export function createMemoryFiles(texts: Readonly<Record<string, string>>): MemoryFiles {
  const files = new Map(Object.entries(texts));
  const locked = new Set<string>();
  const asked: string[] = [];
  const open = (path: string): string => {
    asked.push(path);
    const normal = posix.normalize(path).replace(/(.)\/$/, '$1');
    if (locked.has(normal))
      throw Object.assign(new Error(`EACCES: permission denied, open '${path}'`), { code: 'EACCES' });
    return normal;
  };
  return {
    asked,
    lock: (path) => locked.add(path),
    readText: async (path) => files.get(open(path)),
    async listFolders(path) {
      const prefix = `${open(path)}/`.replace('//', '/');
      const inside = [...files.keys()].filter((name) => name.startsWith(prefix));
      if (inside.length === 0) return undefined;
      const names = inside.map((name) => name.slice(prefix.length).split('/')).filter((parts) => parts.length > 1);
      return [...new Set(names.map((parts) => parts[0] ?? ''))].sort();
    },
    hasFile: async (path) => files.has(open(path)),
  };
}
