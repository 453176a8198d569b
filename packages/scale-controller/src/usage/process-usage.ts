import type { Clock } from '@switchyard/kernel';
import type { WorkerUsage } from '../loop/observation.ts';

export interface ProcessUsageDeps {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** The text of a file of the process file system; undefined when the process is gone. */
  readonly readText: (path: string) => string | undefined;
  /** The process of a worker; undefined when it is not one of this machine. */
  readonly pidOf: (workerId: string) => number | undefined;
}

export interface ProcessUsageOptions {
  /** Processors that one worker may use; 1 unless named, as JavaScript and Python run on one. */
  readonly cpuLimit?: number;
}

/** Linux counts processor time in hundredths of a second (USER_HZ), whatever the clock of the machine. */
const tickMs = 10;
const pageBytes = 4_096;

/** A process is read no more often. */
const freshMs = 1_000;

/** Workers whose last reading is kept. */
const maxKept = 10_000;

/**
 * Reads what the workers of this machine use from `/proc/<pid>/stat` (proc(5): fields 14 and 15 are the time in user mode and
 * in the kernel, 24 the resident pages). Undefined where that cannot be read: then nothing is decided by it.
 */
export function createProcessUsage(
  { clock, readText, pidOf }: ProcessUsageDeps,
  { cpuLimit = 1 }: ProcessUsageOptions = {},
): (workerId: string) => WorkerUsage | undefined {
  const kept = new Map<string, { readonly atMs: number; readonly usage: WorkerUsage | undefined }>();
  return (workerId) => {
    const nowMs = clock.monotonic();
    const known = kept.get(workerId);
    if (known !== undefined && nowMs - known.atMs < freshMs) return known.usage;
    const pid = pidOf(workerId);
    const usage = pid === undefined ? undefined : parseStat(readText(`/proc/${pid}/stat`), cpuLimit);
    kept.delete(workerId);
    if (usage !== undefined) kept.set(workerId, { atMs: nowMs, usage });
    if (kept.size > maxKept) kept.delete(kept.keys().next().value ?? '');
    return usage;
  };
}

/** The name of the program stands in parentheses and may hold anything, so fields are counted from the last one on. */
function parseStat(text: string | undefined, cpuLimit: number): WorkerUsage | undefined {
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [user, system, pages] = [fields[11], fields[12], fields[21]].map(Number);
  if (user === undefined || system === undefined || pages === undefined) return undefined;
  if (![user, system, pages].every((value) => Number.isSafeInteger(value) && value >= 0)) return undefined;
  return { cpuMs: (user + system) * tickMs, memoryBytes: pages * pageBytes, cpuLimit };
}
