/**
 * What a pod uses, measured from inside of it: by the control group of its container, or, where it has none of its own, by the
 * processes of its worker.
 *
 * I1 The group counts only when nobody but us was in it at first: that is before the worker is started.
 * I2 It is read once in `freshMs` at most, however often somebody asks.
 */
import type { Clock } from '@switchyard/kernel';
import type { WorkerUsage } from '@switchyard/protocol';
import { findOwnGroup, readGroup } from './control-group.ts';
import { createProcessUsage } from './process-usage.ts';
import type { UsageFiles } from './usage-files.ts';

export interface PodUsageDeps {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly files: UsageFiles;
}

export interface PodUsageOptions {
  /** The process that measures. */
  readonly pid: number;
  /** The language of the worker; empty when it is not known. */
  readonly runtime: string;
  /** Processors of the machine. */
  readonly cpus: number;
}

/** Tells what the pod uses, given the worker's process at the moment; undefined where nobody can tell. */
export type PodUsage = (workerPid: number | undefined) => WorkerUsage | undefined;

/** Functions of these languages run on one processor, however many there are. */
const onOneProcessor: ReadonlySet<string> = new Set(['node', 'python']);

const freshMs = 500;

/** Processors of a machine that a worker for a language can use at once. */
export function usableProcessors(runtime: string, cpus: number): number {
  return onOneProcessor.has(runtime.toLowerCase()) ? Math.min(1, cpus) : cpus;
}

/** To be called before the worker is started. */
export function createPodUsage({ clock, files }: PodUsageDeps, { pid, runtime, cpus }: PodUsageOptions): PodUsage {
  const group = findOwnGroup(files, pid);
  const most = usableProcessors(runtime, cpus);
  if (group === undefined) {
    const usageOf = createProcessUsage({ clock, files }, { cpuLimit: most });
    return (workerPid) => (workerPid === undefined ? undefined : usageOf(workerPid));
  }
  let kept: WorkerUsage | undefined;
  return () => {
    const atMs = clock.monotonic();
    if (kept !== undefined && atMs - kept.atMs < freshMs) return kept;
    const read = readGroup(files, group);
    kept = read && { ...read, atMs, cpuLimit: Math.min(most, read.cpuLimit ?? most) };
    return kept;
  };
}
