import { describe, expect, it } from 'vitest';
import { findOwnGroup, readGroup } from './control-group.ts';

const root = '/sys/fs/cgroup';
const stat = (parent: number) => `1 (node) S ${parent} 1 1 0`;

const v2 = {
  [`${root}/cgroup.procs`]: '1\n7\n',
  [`${root}/cpu.stat`]: 'usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\n',
  [`${root}/cpu.max`]: '150000 100000\n',
  [`${root}/memory.current`]: '50000000\n',
  [`${root}/memory.stat`]: 'anon 30000000\ninactive_file 15000000\nactive_file 5000000\n',
};
const v1 = {
  [`${root}/cpuacct/cgroup.procs`]: '1\n7\n',
  [`${root}/cpuacct/cpuacct.usage`]: '2500000000\n',
  [`${root}/cpu/cpu.cfs_quota_us`]: '50000\n',
  [`${root}/cpu/cpu.cfs_period_us`]: '100000\n',
  [`${root}/memory/memory.usage_in_bytes`]: '50000000\n',
  [`${root}/memory/memory.stat`]: 'cache 20000000\ninactive_file 1\ntotal_inactive_file 15000000\n',
};
const processes = { '/proc/7/stat': stat(1), '/proc/1/stat': stat(0) };

const open = (texts: Readonly<Record<string, string | undefined>>) => ({
  readText: (path: string) => texts[path],
  pids: () => [],
});

describe('the control group of a container', () => {
  it.each([
    ['v2', v2, 1.5],
    ['v1', v1, 0.5],
  ] as const)('tells in %s what it uses, and its limit', (version, files, cpuLimit) => {
    expect(findOwnGroup(open({ ...processes, ...files }), 7)).toBe(version);
    expect(readGroup(open(files), version)).toEqual({ cpuMs: 2_500, memoryBytes: 35_000_000, cpuLimit });
  });

  it.each([
    ['v2', { ...v2, [`${root}/cpu.max`]: 'max 100000\n' }],
    ['v2', { ...v2, [`${root}/cpu.max`]: undefined }],
    ['v1', { ...v1, [`${root}/cpu/cpu.cfs_quota_us`]: '-1\n' }],
  ] as const)('has no limit in %s where none is set', (version, files) => {
    expect(readGroup(open(files), version)).toMatchObject({ cpuMs: 2_500, cpuLimit: undefined });
  });

  it('counts all memory as used where caches are not told', () => {
    expect(readGroup(open({ ...v2, [`${root}/memory.stat`]: undefined }), 'v2')?.memoryBytes).toBe(50_000_000);
  });

  it.each([
    ['another process is in it', { [`${root}/cgroup.procs`]: '1\n7\n8\n' }],
    ['a process of outside is in it', { [`${root}/cgroup.procs`]: '0\n7\n' }],
    ['this process is not in it', { [`${root}/cgroup.procs`]: '1\n' }],
    ['its memory is not told', { [`${root}/memory.current`]: undefined }],
    ['its processors are not told', { [`${root}/cpu.stat`]: 'nr_periods 1\n' }],
    ['there is none', { [`${root}/cgroup.procs`]: undefined }],
  ])('is not taken for the worker’s own when %s', (_, texts) => {
    expect(findOwnGroup(open({ ...processes, ...v2, ...texts }), 7)).toBeUndefined();
  });
});
