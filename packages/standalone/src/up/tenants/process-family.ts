/** What Linux says of a process and of everything that it has started. */
import { readdir, readFile } from 'node:fs/promises';
import { getPriority, setPriority } from 'node:os';

/** Processes of this machine, as far as their use of the processors goes. */
export interface ProcessFamilies {
  /** The processor time of the process and what it has started, in milliseconds; 0 once it is gone. */
  usedMs(pid: number): Promise<number>;
  /** Sets how much nicer than this process every thread of them is, from 0 to 19. */
  setNice(pid: number, nice: number): Promise<void>;
}

/** The length of a tick of the counters in /proc/<pid>/stat, the same on every Linux that runs Node.js. */
const tickMs = 10;
/** Fields of /proc/<pid>/stat after the name: time in the program, and in the kernel for it. */
const [userField, systemField] = [11, 12];
const lowestPriority = 19;
/** A program that starts more than this is counted in part. */
const maxMembers = 200;

export const linuxFamilies: ProcessFamilies = {
  async usedMs(pid) {
    const times = await Promise.all((await membersOf(pid)).map(timeOf));
    return times.reduce((sum, one) => sum + one, 0);
  },
  async setNice(pid, nice) {
    const priority = Math.min(getPriority() + nice, lowestPriority);
    for (const member of await membersOf(pid)) {
      for (const thread of await readdir(`/proc/${member}/task`).catch(() => []))
        setThreadPriority(Number(thread), priority);
    }
  },
};

/** The process and its descendants. */
async function membersOf(pid: number): Promise<number[]> {
  const members = [pid];
  for (const member of members) {
    if (members.length >= maxMembers) break;
    for (const thread of await readdir(`/proc/${member}/task`).catch(() => [])) {
      const children = await readFile(`/proc/${member}/task/${thread}/children`, 'utf8').catch(() => '');
      members.push(...children.split(' ').filter(Boolean).map(Number));
    }
  }
  return members;
}

async function timeOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[userField] ?? 0) + Number(fields[systemField] ?? 0)) * tickMs;
}

function setThreadPriority(thread: number, priority: number): void {
  try {
    setPriority(thread, priority);
  } catch {
    // It has ended meanwhile.
  }
}
