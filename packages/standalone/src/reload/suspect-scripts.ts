import { join } from 'node:path';
import type { FolderPort } from './folder-port.ts';
import { type AppFile, listFiles } from './list-files.ts';
import type { WatchRules } from './watch-rules.ts';

/** What Node can check. */
const scriptPattern = /\.[mc]?[jt]s$/;

/** The app's own scripts, as absolute paths, those that were written last first. */
export async function findSuspectScripts(
  folders: Pick<FolderPort, 'list' | 'stamp'>,
  directory: string,
  rules: WatchRules,
): Promise<readonly string[]> {
  const scripts: AppFile[] = [];
  for await (const file of listFiles(folders, directory, rules)) if (isScript(file.path, rules)) scripts.push(file);
  return scripts.sort((a, b) => b.stamp.writtenMs - a.stamp.writtenMs).map(({ path }) => join(directory, path));
}

/** True for scripts that run as they are. */
export function isScript(path: string, rules: WatchRules): boolean {
  return scriptPattern.test(path) && rules.kindOf(path) === 'version';
}
