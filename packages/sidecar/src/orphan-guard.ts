/**
 * Ends process groups when the process that started them is killed outright and can run no code any more: Python workers
 * live on without their host, and so does any worker whose code never yields.
 *
 * A shell holds the list of groups and reads changes of it from a pipe; when the pipe's other end is gone, so is the
 * host, and the shell kills what still stands on the list. It costs about a megabyte.
 *
 * Ownership: the process port has one, and tells it of every group that begins and ends.
 *
 * I1 A group that is watched does not outlive the host.
 * I2 A group that ended is forgotten: its number may belong to another one by then.
 * I3 The guard does not keep the host alive.
 */
import { type ChildProcess, spawn } from 'node:child_process';

const script = `
groups=
while read -r change group; do
  kept=
  for one in $groups; do
    [ "$one" = "$group" ] || kept="$kept $one"
  done
  groups=$kept
  [ "$change" = + ] && groups="$groups $group"
done
for one in $groups; do
  kill -s KILL -- "-$one"
done
`;

export class OrphanGuard {
  #shell: ChildProcess | undefined;

  watch(group: number): void {
    this.#shell ??= startShell();
    this.#shell.stdin?.write(`+ ${group}\n`);
  }

  forget(group: number): void {
    this.#shell?.stdin?.write(`- ${group}\n`);
  }
}

function startShell(): ChildProcess {
  // In a group of its own, so that Ctrl-C in the terminal does not end it before the host.
  const shell = spawn('/bin/sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  // A machine without a shell has no guard; workers that watch their stream end by themselves.
  shell.on('error', () => {});
  shell.stdin?.on('error', () => {});
  shell.unref();
  return shell;
}
