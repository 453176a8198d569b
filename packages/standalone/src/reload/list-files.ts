import { join } from 'node:path';
import type { FileStamp, FolderPort } from './folder-port.ts';
import type { WatchRules } from './watch-rules.ts';

/** A file of an app. */
export interface AppFile {
  /** Relative to the app's folder, with slashes. */
  readonly path: string;
  readonly stamp: FileStamp;
}

/** More files of its own than an app has. */
export const maxFiles = 10_000;

/** The files of an app that matter to a development host, folder by folder. Links to folders are not followed. */
export async function* listFiles(
  folders: Pick<FolderPort, 'list' | 'stamp'>,
  directory: string,
  rules: WatchRules,
): AsyncGenerator<AppFile> {
  let count = 0;
  const waiting = [''];
  for (let folder = waiting.shift(); folder !== undefined; folder = waiting.shift()) {
    for (const { name, kind, realPath } of await folders.list(join(directory, folder))) {
      const path = folder === '' ? name : `${folder}/${name}`;
      if (kind === 'folder' && realPath === undefined && rules.entersFolder(path)) waiting.push(path);
      if (kind !== 'file' || rules.kindOf(path) === 'nothing') continue;
      count += 1;
      if (count > maxFiles) return;
      const stamp = await folders.stamp(join(directory, path));
      if (stamp !== undefined) yield { path, stamp };
    }
  }
}
