/** A wrapper as a process: its worker, its socket, its search for orphans, and the exit code in the end. */
import { availableParallelism, constants } from 'node:os';
import { type Log, systemClock, systemRandom } from '@switchyard/kernel';
import {
  type CrashPolicy,
  createNodeProcesses,
  createPodUsage,
  createWrapperListener,
  OrphanSweep,
  openProcessTable,
  openUsageFiles,
  Supervisor,
  type SupervisorEnd,
  type WrapperFace,
} from '@switchyard/sidecar';
import { wrapperProcessErrors } from './errors.ts';
import { openUnixServer } from './unix-server.ts';
import { toWrapperLaunch, type WrapperCommand } from './wrapper-launch.ts';

export interface WrapperOptions extends WrapperCommand {
  /** Where to listen for the sidecar; nowhere unless named. */
  readonly socketPath: string | undefined;
  readonly onCrash: CrashPolicy;
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number;
  /** Lines of the worker go to the stream that they came from. */
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly log: Log;
  /** Calls back when the wrapper is asked to end. */
  readonly onStopRequest: (callback: () => void) => void;
}

/**
 * Runs the worker until it has ended, and answers its exit code; a signal counts as 128 and its number, as in a shell.
 * Rejects with a PlatformError when the worker or the socket could not be started; nothing is left then.
 */
export async function runWrapper(options: WrapperOptions): Promise<number> {
  const { log, graceMs, onCrash, socketPath } = options;
  const launch = toWrapperLaunch(options);
  const supervisor = new Supervisor(
    { clock: systemClock, random: systemRandom, log, processes: createNodeProcesses() },
    {
      launch,
      onCrash,
      limits: { terminationGraceMs: graceMs },
      observer: { line: (stream, line) => options[stream].write(`${line}\n`) },
    },
  );
  const usageOf = createPodUsage(
    { clock: systemClock, files: openUsageFiles() },
    { pid: process.pid, runtime: '', cpus: availableParallelism() },
  );
  const face: WrapperFace = {
    restart: (reason, change) => supervisor.restart(reason, change),
    shutdown: (byMs) => supervisor.shutdown(byMs),
    status: () => ({ ...supervisor.status(), usage: usageOf(supervisor.status().pid) }),
  };
  // The socket comes first: a worker whose wrapper cannot be asked would have to be ended again.
  const server = socketPath === undefined ? undefined : await openUnixServer(createWrapperListener(face), socketPath);
  const sweep = new OrphanSweep({ clock: systemClock, log, table: openProcessTable() });
  sweep.start();
  options.onStopRequest(() => void supervisor.shutdown());
  supervisor.start();
  const end = await supervisor.ended;
  sweep.close();
  await server?.close();
  return toExitCode(end, supervisor.status().launch.executable);
}

function toExitCode(end: SupervisorEnd, executable: string): number {
  // Asked to end before there was a worker.
  if (end === undefined) return 0;
  if (end.kind === 'failed') {
    throw wrapperProcessErrors.create('WRAPPER_COMMAND_FAILED', { executable, reason: end.reason });
  }
  if (end.exitCode !== null) return end.exitCode;
  const signals: Readonly<Record<string, number>> = constants.signals;
  return 128 + (signals[end.signal ?? ''] ?? 0);
}
