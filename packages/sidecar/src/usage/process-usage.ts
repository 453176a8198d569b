/**
 * What worker processes use, each with the processes that it has started: a custom handler, or what a function runs.
 *
 * I1 All processes are read together, once in `freshMs` at most, and only when somebody asks.
 * I2 What a child has used stays counted when it has ended and its parent has asked for its end.
 * I3 What cannot be read is not guessed: nothing is said of that worker.
 */
import type { Clock } from '@switchyard/kernel';
import type { WorkerUsage } from '@switchyard/protocol';
import type { UsageFiles } from './usage-files.ts';

export interface ProcessUsageDeps {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly files: UsageFiles;
}

export interface ProcessUsageOptions {
  /** Processors that one worker can use; 1 unless named, as JavaScript and Python run on one. */
  readonly cpuLimit?: number;
}

/** Linux counts processor time in hundredths of a second (USER_HZ), whatever the clock of the machine. */
const tickMs = 10;
const pageBytes = 4_096;
const freshMs = 1_000;

/** One process, as `/proc/<pid>/stat` tells. */
interface ProcessStat {
  readonly parentPid: number;
  /** Its own time, and that of its children that have ended. */
  readonly cpuMs: number;
  readonly memoryBytes: number;
}

/** Returns what the process of this id uses, with its descendants; undefined when it is gone, or nobody can tell. */
export function createProcessUsage(
  { clock, files }: ProcessUsageDeps,
  { cpuLimit = 1 }: ProcessUsageOptions = {},
): (pid: number) => WorkerUsage | undefined {
  let atMs = Number.NEGATIVE_INFINITY;
  let processes: ReadonlyMap<number, ProcessStat> = new Map();
  let children: ReadonlyMap<number, readonly number[]> = new Map();
  const read = (): void => {
    const nowMs = clock.monotonic();
    if (nowMs - atMs < freshMs) return;
    atMs = nowMs;
    processes = readProcesses(files);
    children = Map.groupBy(processes.keys(), (pid) => processes.get(pid)?.parentPid ?? 0);
  };
  return (pid) => {
    read();
    if (!processes.has(pid)) return undefined;
    let [cpuMs, memoryBytes] = [0, 0];
    for (const one of familyOf(pid, children)) {
      cpuMs += processes.get(one)?.cpuMs ?? 0;
      memoryBytes += processes.get(one)?.memoryBytes ?? 0;
    }
    return { atMs, cpuMs, memoryBytes, cpuLimit };
  };
}

function readProcesses(files: UsageFiles): Map<number, ProcessStat> {
  const found = new Map<number, ProcessStat>();
  for (const pid of files.pids()) {
    const stat = parseStat(files.readText(`/proc/${pid}/stat`));
    if (stat !== undefined) found.set(pid, stat);
  }
  return found;
}

/** A process and all that come from it. Numbers that were read at different moments may form a ring: each counts once. */
function familyOf(pid: number, children: ReadonlyMap<number, readonly number[]>): ReadonlySet<number> {
  const family = new Set([pid]);
  for (const one of family) for (const child of children.get(one) ?? []) family.add(child);
  return family;
}

/**
 * proc(5): field 4 is the parent, 14 and 15 the time in user mode and in the kernel, 16 and 17 those of children that were waited
 * for, 24 the resident pages. The name in parentheses may hold anything, so fields are counted from behind it.
 */
function parseStat(text: string | undefined): ProcessStat | undefined {
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [parentPid, user, system, ofUser, ofSystem, pages] = [1, 11, 12, 13, 14, 21].map((at) => Number(fields[at]));
  const numbers = [parentPid, user, system, ofUser, ofSystem, pages];
  if (!numbers.every((value) => Number.isSafeInteger(value) && Number(value) >= 0)) return undefined;
  const [parent = 0, ...rest] = numbers;
  const ticks = rest.slice(0, 4).reduce<number>((sum, value = 0) => sum + value, 0);
  return { parentPid: parent, cpuMs: ticks * tickMs, memoryBytes: (pages ?? 0) * pageBytes };
}
