import type { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createDeferred } from '@switchyard/kernel';
import type { HandlerExit, HandlerLaunch, HandlerProcesses } from './ports.ts';

/**
 * The port on the operating system; `start` is `spawn` of node:child_process. A handler writes to the worker's own
 * stdout and stderr, and stays in the worker's process group: whoever kills the group of a worker reaches its handler,
 * and the handler's children, even when the worker itself can do nothing any more.
 */
export function createNodeProcesses(start: typeof spawn): HandlerProcesses {
  return {
    start(launch) {
      const exited = createDeferred<HandlerExit>();
      const fail = (error: unknown): void => exited.resolve({ kind: 'not-started', reason: reasonOf(error, launch) });
      try {
        const child = start(launch.executable, launch.arguments, {
          cwd: launch.directory,
          env: launch.environment,
          stdio: ['ignore', 'inherit', 'inherit'],
          windowsHide: true,
        });
        child.once('exit', (exitCode, signal) => exited.resolve({ kind: 'exited', exitCode, signal }));
        child.once('error', (error) => child.pid === undefined && fail(error));
        return { exited: exited.promise, kill: (signal) => void child.kill(signal) };
      } catch (error) {
        // What no process can be given, such as a null character in an argument, is thrown at once.
        fail(error);
        return { exited: exited.promise, kill: () => {} };
      }
    },
  };
}

function reasonOf(error: unknown, { directory, executable }: HandlerLaunch): string {
  const { code, message } = error as NodeJS.ErrnoException;
  // Node reports a missing working directory as a missing program.
  if (code === 'ENOENT') {
    return existsSync(directory) ? 'there is no such program' : `its working directory '${directory}' does not exist`;
  }
  if (code === 'EACCES') return `it may not be executed (chmod +x ${executable})`;
  return message;
}
