/** The files by which Linux tells what processes and their groups use. Nothing here throws: a process may end at any moment. */
import { readdirSync, readFileSync } from 'node:fs';

export interface UsageFiles {
  /** Undefined when there is no such file, or not for us. */
  readText(path: string): string | undefined;
  /** The processes of this namespace; none elsewhere than on Linux. */
  pids(): readonly number[];
}

export function openUsageFiles(): UsageFiles {
  return {
    readText: (path) => attempt(() => readFileSync(path, 'latin1')),
    pids: () => (attempt(() => readdirSync('/proc')) ?? []).filter((name) => /^\d+$/.test(name)).map(Number),
  };
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
