import { readFileSync } from 'node:fs';

/**
 * True while the process runs. One that has ended and waits for its parent to notice does not count: in a container
 * nobody may ever notice.
 */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return !isZombie(pid);
}

/** The state stands behind the program's name, which is in brackets and may hold anything. */
function isZombie(pid: number): boolean {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return status.slice(status.lastIndexOf(')') + 2).startsWith('Z');
  } catch {
    return false;
  }
}
