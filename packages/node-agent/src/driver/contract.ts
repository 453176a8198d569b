/**
 * How tasks are run: the port that the executor drives, with one implementation per engine. A task is one container of
 * one job; its id is the job's.
 *
 * Every implementation passes `testing/driver-contract.ts`. Methods reject with a PlatformError when the engine itself
 * fails or cannot be reached; what becomes of a task is a return value.
 */
import type { JobBuild, JobError, ResolvedImage } from '@switchyard/protocol/job-api';

export interface TaskDriver {
  readonly name: string;
  /** What the engine is and whether it answers. Never rejects. */
  fingerprint(signal: AbortSignal): Promise<Fingerprint>;
  /**
   * Gets the image ready, makes the container and starts it. An abort before the start leaves nothing behind but the
   * container, which `destroy` removes.
   */
  start(spec: TaskSpec, events: TaskEvents, signal: AbortSignal): Promise<StartOutcome>;
  /** Takes over a task that an earlier run of the agent started; its output comes again from the beginning. */
  recover(spec: TaskSpec, events: TaskEvents, signal: AbortSignal): Promise<RecoverOutcome>;
  /** Resolves when the task has ended and all of its output has been delivered. An abort ends the wait, not the task. */
  wait(taskId: string, signal: AbortSignal): Promise<TaskExit>;
  /** Asks a task to end, and kills it after `graceMs`. Harmless when it has ended or does not exist. */
  stop(taskId: string, graceMs: number): Promise<void>;
  /** Removes whatever is left of a task, also a running one. Harmless when there is nothing. */
  destroy(taskId: string): Promise<void>;
  /** Ids of the tasks of this agent that the engine knows, in whatever state. */
  list(): Promise<readonly string[]>;
  /** Lets go of everything in this process; tasks go on. */
  close(): void;
}

export interface Fingerprint {
  readonly available: boolean;
  readonly version: string | null;
  /** Why it is not available. */
  readonly reason: string | null;
}

/** What to run, and within which bounds. */
export interface TaskSpec {
  readonly taskId: string;
  readonly source: TaskSource;
  readonly cmd: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What the program reads from stdin; undefined gives it none. */
  readonly stdin: string | undefined;
  /** A folder of the host that the task sees as `workspaceMount`. */
  readonly workspacePath: string;
  readonly memoryMb: number;
  readonly cpus: number;
  readonly pids: number;
  /** Of `/tmp`, which is memory. */
  readonly temporaryMb: number;
  /** How much of each output stream the engine itself keeps for a recovery. */
  readonly outputBytes: number;
  readonly network: string;
  readonly readOnlyRoot: boolean;
  /** Undefined: the image's own. */
  readonly user: string | undefined;
  readonly ports: readonly number[];
  readonly health: TaskHealthCheck | undefined;
}

export type TaskSource =
  | { readonly kind: 'image'; readonly reference: string; readonly pull: 'always' | 'missing' | 'never' }
  /** `network` is what the commands of the Dockerfile may reach. */
  | { readonly kind: 'build'; readonly build: JobBuild; readonly network: string };

export interface TaskHealthCheck {
  readonly cmd: readonly string[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly startPeriodMs: number;
}

/** Where a task sees its workspace. */
export const workspaceMount = '/workspace';

/** What a driver tells while a task lives. Calls come in order, and none after `wait` has resolved. */
export interface TaskEvents {
  output(stream: OutputStream, bytes: Uint8Array): void;
  /** What has been written so far comes again, because the connection to the engine was lost. */
  outputRestarts(): void;
  /** From now on the program may have begun to run. Called before it does. */
  launching(): void;
  image(image: ResolvedImage): void;
  health(health: 'starting' | 'healthy' | 'unhealthy'): void;
}

export type OutputStream = 'stdout' | 'stderr';

export type StartOutcome =
  | {
      readonly kind: 'started';
      /** The task's own address, when it has one. */
      readonly address: string | null;
      /** Ports of the host by ports of the task. */
      readonly ports: Readonly<Record<string, number>>;
    }
  | { readonly kind: 'failed'; readonly error: JobError };

export type RecoverOutcome =
  /** It runs, or has ended in the meantime: `wait` tells. */
  | Extract<StartOutcome, { kind: 'started' }>
  /** It was made and never started. */
  | { readonly kind: 'unstarted' }
  | { readonly kind: 'gone' };

export type TaskExit =
  | {
      readonly kind: 'exited';
      readonly exitCode: number;
      readonly outOfMemory: boolean;
      /** True when the engine went away while the task ran, so that the exit code may be the engine's doing. */
      readonly engineFailed: boolean;
    }
  /** The engine does not know it any more, or did not come back in time. */
  | { readonly kind: 'lost'; readonly reason: string };
