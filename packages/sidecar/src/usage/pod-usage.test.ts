import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { createPodUsage } from './pod-usage.ts';

const root = '/sys/fs/cgroup';
const stat = (parent: number, ticks: number) =>
  `7 (node) S ${parent} 7 7 0 -1 4194560 100 0 0 0 ${ticks} 0 0 0 20 0 11 0 300 900000 1 18446744073709551615\n`;

function open({ runtime = 'node', cpuMax = '200000 100000', members = '7\n' } = {}) {
  const clock = new VirtualClock();
  const texts = new Map([
    ['/proc/7/stat', stat(0, 1)],
    ['/proc/9/stat', stat(7, 30)],
    [`${root}/cgroup.procs`, members],
    [`${root}/cpu.stat`, 'usage_usec 2500000\n'],
    [`${root}/cpu.max`, cpuMax],
    [`${root}/memory.current`, '1000\n'],
  ]);
  const files = { readText: (path: string) => texts.get(path), pids: () => [7, 9] };
  return { clock, texts, usage: createPodUsage({ clock, files }, { pid: 7, runtime, cpus: 8 }) };
}

describe('createPodUsage', () => {
  it('I1: counts the whole container where it is the pod’s own, also once the worker is in it', () => {
    const { clock, texts, usage } = open();
    texts.set(`${root}/cgroup.procs`, '7\n9\n');
    expect(usage(9)).toEqual({ atMs: clock.monotonic(), cpuMs: 2_500, memoryBytes: 1_000, cpuLimit: 1 });
  });

  it('I1: counts the worker’s processes where others were in the group at first', () => {
    const { usage } = open({ members: '7\n8\n' });
    expect(usage(9)).toMatchObject({ cpuMs: 300, memoryBytes: 4_096, cpuLimit: 1 });
    expect(usage(undefined)).toBeUndefined();
  });

  it('I2: reads no more often than twice a second', async () => {
    const { clock, texts, usage } = open();
    usage(9);
    texts.set(`${root}/cpu.stat`, 'usage_usec 3500000\n');
    await clock.advance(499);
    expect(usage(9)?.cpuMs).toBe(2_500);
    await clock.advance(1);
    expect(usage(9)?.cpuMs).toBe(3_500);
    texts.delete(`${root}/cpu.stat`);
    await clock.advance(500);
    expect(usage(9)).toBeUndefined();
  });

  it.each([
    ['java', '200000 100000', 2],
    ['java', 'max 100000', 8],
    ['python', '200000 100000', 1],
    ['Node', '50000 100000', 0.5],
  ])('knows how many processors a worker for %s can use with %s', (runtime, cpuMax, cpuLimit) => {
    expect(open({ runtime, cpuMax }).usage(9)?.cpuLimit).toBe(cpuLimit);
  });
});
