/**
 * The adapter of the process port on node:child_process.
 *
 * Each process leads a group of its own, so that a signal reaches its children too and Ctrl-C in the terminal reaches
 * none of them: whoever owns the port decides when they end. When this process exits, for whatever reason it can still
 * run code, every group is killed; when it is killed itself, the guard does that. Each process carries the mark of this
 * one, by which orphans are found when the guard is gone too.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { openProcessTable } from './node-processes-table.ts';
import { OrphanGuard } from './orphan-guard.ts';
import { ownerVariable, toOwnerMark } from './process-owner.ts';
import type { ProcessLaunch, ProcessObserver, ProcessPort } from './process-port.ts';

/** Windows has no process groups: there a signal reaches the process alone, and nobody guards it. */
const hasGroups = process.platform !== 'win32';

/** Opens the port. Call it once per process. */
export function createNodeProcesses(): ProcessPort {
  const living = new Set<ChildProcess>();
  const table = openProcessTable();
  const self = table.self();
  const mark = self === undefined ? {} : { [ownerVariable]: toOwnerMark(self) };
  const guard = new OrphanGuard(mark[ownerVariable]);
  process.on('exit', () => {
    for (const child of living) killGroup(child, 'SIGKILL');
  });
  return {
    spawn(launch, observer) {
      const child = start(launch, mark, observer);
      if (child === undefined) return { pid: undefined, kill: () => {} };
      const { pid } = child;
      living.add(child);
      if (hasGroups && pid !== undefined) guard.watch(pid, self && table.identityOf(pid)?.startTicks);
      child.once('error', () => living.delete(child));
      child.once('exit', () => {
        living.delete(child);
        if (hasGroups && pid !== undefined) guard.forget(pid);
      });
      observe(child, launch, observer);
      return { pid, kill: (signal) => living.has(child) && killGroup(child, signal) };
    },
  };
}

function start(
  launch: ProcessLaunch,
  mark: Readonly<Record<string, string>>,
  observer: ProcessObserver,
): ChildProcess | undefined {
  try {
    return spawn(launch.executable, launch.arguments, {
      cwd: launch.directory,
      env: { ...launch.environment, ...mark },
      stdio: [launch.lifeline === true ? 'pipe' : 'ignore', 'pipe', 'pipe'],
      detached: hasGroups,
      windowsHide: true,
      ...launch.user,
    });
  } catch (error) {
    // Arguments that no process can have (a null byte) are thrown at once; the observer hears it later all the same.
    process.nextTick(() => observer.failed(reasonOf(error, launch)));
    return undefined;
  }
}

function observe(child: ChildProcess, launch: ProcessLaunch, observer: ProcessObserver): void {
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.on('data', (chunk: Uint8Array) => observer.output(stream, chunk));
    child[stream]?.once('close', () => observer.outputEnded(stream));
    // A broken pipe ends the stream; there is nothing else to do about it.
    child[stream]?.on('error', () => {});
  }
  child.stdin?.on('error', () => {});
  child.once('exit', (exitCode, signal) => {
    killGroup(child, 'SIGKILL');
    observer.exited(exitCode, signal);
  });
  child.once('error', (error) => {
    if (child.pid === undefined) observer.failed(reasonOf(error, launch));
  });
}

function killGroup(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (child.pid === undefined) return;
  try {
    process.kill(hasGroups ? -child.pid : child.pid, signal);
  } catch {
    // Nobody is left in the group.
  }
}

/** Node reports a missing working directory as a missing program; tell them apart. */
function reasonOf(error: unknown, launch: ProcessLaunch): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== 'ENOENT') return message;
  return existsSync(launch.directory)
    ? 'there is no such program'
    : `its working directory '${launch.directory}' does not exist`;
}
