import { watch } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { FolderEntry, FolderPort } from './folder-port.ts';

/** The adapter on node:fs. */
export const nodeFolders: FolderPort = {
  watch(path, observer) {
    const watcher = watch(path, { persistent: false }, (event, name) => {
      if (name !== null) observer.changed(event === 'rename' ? 'listed' : 'content', name);
    });
    watcher.on('error', (error) => observer.failed(error));
    return { close: () => watcher.close() };
  },
  async list(path) {
    const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
    const listed = entries.map(async (entry): Promise<FolderEntry | undefined> => {
      if (entry.isDirectory()) return { name: entry.name, kind: 'folder' };
      if (entry.isSymbolicLink()) return followLink(join(path, entry.name), entry.name);
      return entry.isFile() ? { name: entry.name, kind: 'file' } : undefined;
    });
    return (await Promise.all(listed)).filter((entry) => entry !== undefined);
  },
  async kindOf(path) {
    const found = await stat(path).catch(() => undefined);
    return found === undefined ? undefined : found.isDirectory() ? 'folder' : 'file';
  },
  async stamp(path) {
    const found = await stat(path).catch(() => undefined);
    if (found === undefined || !found.isFile()) return undefined;
    return { writtenMs: found.mtimeMs, sizeBytes: found.size, identity: found.ino };
  },
  realPath: (path) => realpath(path).catch(() => path),
};

async function followLink(path: string, name: string): Promise<FolderEntry | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isDirectory()) return found === undefined ? undefined : { name, kind: 'file' };
  return { name, kind: 'folder', realPath: await realpath(path).catch(() => path) };
}
