/**
 * Knows which process is which worker, and opens the inspector of one that runs on Node.js.
 *
 * Ownership: stands between the pods and the machine; whoever spawns owns the process.
 *
 * I1 Processes are spawned, signalled and observed as they would be without it.
 * I2 A process that is gone is forgotten.
 * I3 Opening the inspector of a worker again answers the same address; whoever waits is answered once.
 */
import { createDeferred, type Deferred } from '@switchyard/kernel';
import type { ProcessHandle, ProcessLaunch, ProcessObserver, ProcessPort } from '@switchyard/sidecar';

/** Has the inspector of a Node.js process take any free port when it is opened. */
export const inspectorArgument = '--inspect-port=127.0.0.1:0';

/** How Node.js tells where its inspector listens. */
const inspectorLine = /Debugger listening on (ws:\/\/[^\s]+)/;

/** More of a line than this is not looked at. */
const maxKeptCharacters = 2_000;

interface KnownProcess {
  readonly handle: ProcessHandle;
  readonly inspector: Deferred<string>;
  isOpening: boolean;
  tail: string;
}

export class WorkerProcesses implements ProcessPort {
  readonly #processes: ProcessPort;
  /** Tells a process to open its inspector; false when it is gone. */
  readonly #knock: (pid: number) => boolean;
  readonly #known = new Map<string, KnownProcess>();

  constructor(processes: ProcessPort, knock: (pid: number) => boolean) {
    this.#processes = processes;
    this.#knock = knock;
  }

  spawn(launch: ProcessLaunch, observer: ProcessObserver): ProcessHandle {
    const workerId = workerIdOf(launch.arguments);
    if (workerId === undefined) return this.#processes.spawn(launch, observer);
    const handle = this.#processes.spawn(launch, {
      output: (stream, chunk) => {
        if (stream === 'stderr') this.#look(workerId, chunk);
        observer.output(stream, chunk);
      },
      outputEnded: (stream) => observer.outputEnded(stream),
      exited: (exitCode, signal) => {
        this.#known.delete(workerId);
        observer.exited(exitCode, signal);
      },
      failed: (reason) => {
        this.#known.delete(workerId);
        observer.failed(reason);
      },
    });
    this.#known.set(workerId, { handle, inspector: createDeferred(), isOpening: false, tail: '' });
    return handle;
  }

  /** The process of a worker; undefined when it is gone. */
  pidOf(workerId: string): number | undefined {
    return this.#known.get(workerId)?.handle.pid;
  }

  /**
   * Resolves with the address of the worker's inspector. Never settles for a program that has none: give up after a while.
   * Undefined when the worker is gone.
   */
  openInspector(workerId: string): Promise<string> | undefined {
    const known = this.#known.get(workerId);
    const pid = known?.handle.pid;
    if (known === undefined || pid === undefined) return undefined;
    if (!known.isOpening && !this.#knock(pid)) return undefined;
    known.isOpening = true;
    return known.inspector.promise;
  }

  #look(workerId: string, chunk: Uint8Array): void {
    const known = this.#known.get(workerId);
    if (known?.isOpening !== true) return;
    known.tail = `${known.tail}${Buffer.from(chunk).toString('latin1')}`.slice(-maxKeptCharacters);
    const url = inspectorLine.exec(known.tail)?.[1];
    if (url !== undefined) known.inspector.resolve(url);
  }
}

/** The id that the command line of a worker names, in either of the forms that hosts use. */
function workerIdOf(words: readonly string[]): string | undefined {
  for (const [index, word] of words.entries()) {
    const joined = /^--(?:functions-)?worker-?id=(.+)$/i.exec(word)?.[1];
    if (joined !== undefined) return joined;
    if (/^--(?:functions-)?worker-?id$/i.test(word)) return words[index + 1];
  }
  return undefined;
}
