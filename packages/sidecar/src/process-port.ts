/** Operating system processes as a port, so that the supervision of workers can be tested on virtual time. */

/** What is to be started. */
export interface ProcessLaunch {
  readonly executable: string;
  readonly arguments: readonly string[];
  readonly directory: string;
  /** The whole environment; nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>;
  /** Keeps its stdin open for as long as this process lives, so that it can notice the end. Otherwise it has none. */
  readonly lifeline?: boolean;
  /** The operating system user that it runs as; this process's own when left out. Only root may name another. */
  readonly user?: ProcessUser;
}

export interface ProcessUser {
  readonly uid: number;
  readonly gid: number;
}

/** What becomes of a process. Either `failed` or `exited` comes, once, and never before `spawn` has returned. */
export interface ProcessObserver {
  output(stream: ConsoleStream, chunk: Uint8Array): void;
  /** Nothing more comes from this stream. May come after `exited`: a child of the process can hold the stream open. */
  outputEnded(stream: ConsoleStream): void;
  /** The process is gone, and so is what is left of its group. */
  exited(exitCode: number | null, signal: string | null): void;
  /** It could not be started; nothing else follows. */
  failed(reason: string): void;
}

export type ConsoleStream = 'stdout' | 'stderr';

/** A process that was started, with everything that it starts itself. */
export interface ProcessHandle {
  /** For log lines; undefined when it could not be started. */
  readonly pid: number | undefined;
  /** Signals the process and its children. Harmless once it is gone. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
}

export interface ProcessPort {
  spawn(launch: ProcessLaunch, observer: ProcessObserver): ProcessHandle;
}
