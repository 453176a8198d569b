import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Debian puts servers where the path of a plain user may not reach. */
const serverFolders = ['/usr/sbin', '/usr/local/sbin'];

/** Where a program of this machine is; undefined when it has none of that name. */
export function findProgram(name: string, folders: readonly string[] = []): string | undefined {
  const all = [...folders, ...(process.env.PATH ?? '').split(delimiter), ...serverFolders];
  return all.map((folder) => join(folder, name)).find((file) => existsSync(file));
}
