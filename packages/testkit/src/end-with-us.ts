import type { ChildProcess } from 'node:child_process';

/** Kills a server when the process of the tests ends before it. */
export function endWithUs(child: ChildProcess): void {
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
}
