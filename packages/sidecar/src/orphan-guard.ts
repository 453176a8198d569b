/**
 * Ends workers when the process that started them is killed outright and can run no code any more: Python workers live on
 * without their host, and so does any worker whose code never yields.
 *
 * A shell holds the list of groups and reads changes of it from a pipe; when the pipe's other end is gone, so is the
 * host, and the shell kills what still stands on the list, and then whatever carries the host's mark: a child of a worker
 * may have left its group. It costs about a megabyte.
 *
 * Ownership: the process port has one, and tells it of every group that begins and ends.
 *
 * I1 A group that is watched does not outlive the host.
 * I2 A group that ended is forgotten: its number may belong to another one by then.
 * I3 The guard does not keep the host alive.
 * I4 A group whose leader was started at another time than the watched one is another group, and left alone.
 * I5 A process with the host's mark does not outlive the host, whatever its group.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { ownerVariable } from './process-owner.ts';

/** The first argument is the mark, empty where there is none. A start of 0 is one that nobody knows. */
const script = `
mark=$1
groups=
while read -r change group start; do
  kept=
  for one in $groups; do
    [ "\${one%:*}" = "$group" ] || kept="$kept $one"
  done
  groups=$kept
  [ "$change" = + ] && groups="$groups $group:$start"
done
started() {
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  set -- \${stat##*) }
  echo "\${20}"
}
for one in $groups; do
  group=\${one%:*}
  start=\${one#*:}
  [ "$start" = 0 ] || [ "$(started "$group")" = "$start" ] || continue
  kill -s KILL -- "-$group"
done
[ -n "$mark" ] || exit 0
for round in 1 2 3; do
  found=$(grep -lF -- "${ownerVariable}=$mark" /proc/[0-9]*/environ 2>/dev/null)
  [ -n "$found" ] || break
  for file in $found; do
    pid=\${file#/proc/}
    kill -s KILL "\${pid%/environ}"
  done
  sleep 1
done
`;

/** The host may carry a mark of its own host; whoever ends the host by it must not end the guard too. */
const withoutMark = `unset ${ownerVariable}; exec /bin/sh -c "$0" sh "$1"`;

export class OrphanGuard {
  readonly #mark: string;
  #shell: ChildProcess | undefined;

  /** `mark` is what this host's workers carry, where the system shows it. */
  constructor(mark = '') {
    this.#mark = mark;
  }

  /** `startTicks` is when the leader was started; undefined where nobody knows. */
  watch(group: number, startTicks: string | undefined): void {
    this.#shell ??= startShell(this.#mark);
    this.#shell.stdin?.write(`+ ${group} ${startTicks ?? 0}\n`);
  }

  forget(group: number): void {
    this.#shell?.stdin?.write(`- ${group}\n`);
  }
}

function startShell(mark: string): ChildProcess {
  const shell = spawn('/bin/sh', ['-c', withoutMark, script, mark], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // In a group of its own, so that Ctrl-C in the terminal does not end it before the host.
    detached: true,
  });
  // A machine without a shell has no guard; workers that watch their stream end by themselves.
  shell.on('error', () => {});
  shell.stdin?.on('error', () => {});
  shell.unref();
  return shell;
}
