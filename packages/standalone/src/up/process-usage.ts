import { readFileSync } from 'node:fs';

/** What a process has used so far. */
export interface ProcessUsage {
  /** Processor time since it started, in milliseconds. */
  readonly cpuMs: number;
  readonly memoryBytes: number;
}

/** `/proc` counts time in ticks of a hundredth of a second, whatever the machine's own clock does. */
const tickMs = 10;

/** Places of a process's numbers in `/proc/<pid>/stat`, counted behind its name, which may hold anything. */
const userTicksAt = 11;
const systemTicksAt = 12;
const residentPagesAt = 21;

/** Reads the numbers of a process out of the text of its `stat`; undefined when it is something else. */
export function parseProcessUsage(stat: string, pageBytes: number): ProcessUsage | undefined {
  const words = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const numberAt = (index: number): number => Number(words[index] ?? Number.NaN);
  const cpuMs = (numberAt(userTicksAt) + numberAt(systemTicksAt)) * tickMs;
  const memoryBytes = numberAt(residentPagesAt) * pageBytes;
  return Number.isFinite(cpuMs) && Number.isFinite(memoryBytes) ? { cpuMs, memoryBytes } : undefined;
}

/** Answers what processes of this machine have used; undefined for one that is gone, and elsewhere than on Linux. */
export function openProcessUsage(): (pid: number) => ProcessUsage | undefined {
  const pageBytes = findPageBytes();
  return (pid) => {
    const stat = readStat(String(pid));
    return stat === undefined ? undefined : parseProcessUsage(stat, pageBytes);
  };
}

/** The size of a page, found out by this process itself: pages are powers of two, and memory is counted in both. */
function findPageBytes(): number {
  const pages = parseProcessUsage(readStat('self') ?? '', 1)?.memoryBytes ?? 0;
  return pages === 0 ? 4_096 : 2 ** Math.round(Math.log2(process.memoryUsage.rss() / pages));
}

function readStat(process: string): string | undefined {
  try {
    return readFileSync(`/proc/${process}/stat`, 'latin1');
  } catch {
    return undefined;
  }
}
