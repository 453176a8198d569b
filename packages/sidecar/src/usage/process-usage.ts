/**
 * What worker processes use, each with the processes that it has started: a custom handler, or what a function runs.
 *
 * I1 A worker is read once in `freshMs` at most, and only when somebody asks. Who comes from whom is looked up among all
 *    processes of the machine, once in `familyMs` at most.
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
const familyMs = 10_000;

/** Workers whose last reading is kept. */
const maxKept = 10_000;

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
  const kept = new Map<number, WorkerUsage>();
  let children: ReadonlyMap<number, readonly number[]> = new Map();
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  const read = (pid: number, atMs: number): WorkerUsage | undefined => {
    const own = readStat(files, pid);
    if (own === undefined) return undefined;
    let { cpuMs, memoryBytes } = own;
    for (const one of familyOf(pid, children)) {
      const stat = one === pid ? undefined : readStat(files, one);
      cpuMs += stat?.cpuMs ?? 0;
      memoryBytes += stat?.memoryBytes ?? 0;
    }
    return { atMs, cpuMs, memoryBytes, cpuLimit };
  };
  return (pid) => {
    const nowMs = clock.monotonic();
    if (nowMs - lookedAtMs >= familyMs) {
      lookedAtMs = nowMs;
      children = readChildren(files);
    }
    const known = kept.get(pid);
    if (known !== undefined && nowMs - known.atMs < freshMs) return known;
    const usage = read(pid, nowMs);
    kept.delete(pid);
    if (usage !== undefined) kept.set(pid, usage);
    if (kept.size > maxKept) kept.delete(kept.keys().next().value ?? 0);
    return usage;
  };
}

function readStat(files: UsageFiles, pid: number): ProcessStat | undefined {
  return parseStat(files.readText(`/proc/${pid}/stat`));
}

function readChildren(files: UsageFiles): ReadonlyMap<number, readonly number[]> {
  const children = new Map<number, number[]>();
  for (const pid of files.pids()) {
    const parentPid = readStat(files, pid)?.parentPid;
    if (parentPid !== undefined) children.set(parentPid, [...(children.get(parentPid) ?? []), pid]);
  }
  return children;
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
