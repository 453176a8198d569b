/** What the control group of a container uses, as its files tell inside of it, in version 2 and in version 1 of the kernel's interface. */
import type { UsageFiles } from './usage-files.ts';

export interface GroupUsage {
  readonly cpuMs: number;
  readonly memoryBytes: number;
  /** How many processors it may use; undefined when it has no limit. */
  readonly cpuLimit: number | undefined;
}

export type GroupVersion = 'v1' | 'v2';

type ReadText = UsageFiles['readText'];

interface GroupFiles {
  readonly members: string;
  readonly read: (readText: ReadText) => GroupUsage | undefined;
}

const mount = '/sys/fs/cgroup';

const versions: Readonly<Record<GroupVersion, GroupFiles>> = {
  v2: { members: `${mount}/cgroup.procs`, read: readV2 },
  v1: { members: `${mount}/cpuacct/cgroup.procs`, read: readV1 },
};

/**
 * The group that holds this process and what it comes from, and nothing else: a container of its own. Undefined where others
 * are in it as well, as on a machine without containers; what that group uses says nothing of one worker.
 */
export function findOwnGroup(files: UsageFiles, pid: number): GroupVersion | undefined {
  const ours = lineageOf(files, pid);
  for (const version of ['v2', 'v1'] as const) {
    const members = files.readText(versions[version].members)?.split('\n').filter(Boolean).map(Number) ?? [];
    const isOurs = members.includes(pid) && members.every((member) => ours.has(member));
    if (isOurs && readGroup(files, version) !== undefined) return version;
  }
  return undefined;
}

/** Undefined when one of its files cannot be read. */
export function readGroup(files: UsageFiles, version: GroupVersion): GroupUsage | undefined {
  return versions[version].read((path) => files.readText(`${mount}/${path}`));
}

/** A process, its parent, and so on. */
function lineageOf(files: UsageFiles, pid: number): ReadonlySet<number> {
  const lineage = new Set<number>();
  for (let next = pid; next > 0 && !lineage.has(next); ) {
    lineage.add(next);
    const stat = files.readText(`/proc/${next}/stat`) ?? '';
    next = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) || 0;
  }
  return lineage;
}

function readV2(readText: ReadText): GroupUsage | undefined {
  const cpuUs = fieldOf(readText('cpu.stat'), 'usage_usec');
  const bytes = toNumber(readText('memory.current'));
  if (cpuUs === undefined || bytes === undefined) return undefined;
  const [quota, period] = (readText('cpu.max') ?? 'max').split(' ');
  return {
    cpuMs: cpuUs / 1_000,
    memoryBytes: Math.max(0, bytes - (fieldOf(readText('memory.stat'), 'inactive_file') ?? 0)),
    cpuLimit: toLimit(quota, period),
  };
}

function readV1(readText: ReadText): GroupUsage | undefined {
  const cpuNs = toNumber(readText('cpuacct/cpuacct.usage'));
  const bytes = toNumber(readText('memory/memory.usage_in_bytes'));
  if (cpuNs === undefined || bytes === undefined) return undefined;
  return {
    cpuMs: cpuNs / 1_000_000,
    memoryBytes: Math.max(0, bytes - (fieldOf(readText('memory/memory.stat'), 'total_inactive_file') ?? 0)),
    cpuLimit: toLimit(readText('cpu/cpu.cfs_quota_us'), readText('cpu/cpu.cfs_period_us')),
  };
}

/** `max` and -1 are no limit. */
function toLimit(quota: string | undefined, period: string | undefined): number | undefined {
  const [ofQuota = 0, ofPeriod = 0] = [toNumber(quota), toNumber(period)];
  return ofQuota > 0 && ofPeriod > 0 ? ofQuota / ofPeriod : undefined;
}

/** The number behind a name, in a file of lines `name number`. */
function fieldOf(text: string | undefined, name: string): number | undefined {
  const line = text?.split('\n').find((one) => one.startsWith(`${name} `));
  return toNumber(line?.slice(name.length + 1));
}

function toNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,20}$/.test(text.trim()) ? Number(text) : undefined;
}
