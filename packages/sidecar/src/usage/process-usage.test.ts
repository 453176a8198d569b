import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { createProcessUsage } from './process-usage.ts';
import { openUsageFiles } from './usage-files.ts';

interface Stat {
  readonly program?: string;
  readonly parent?: number;
  /** User, kernel, and both of children that have ended, in ticks. */
  readonly ticks?: readonly (number | string)[];
  readonly pages?: number | string;
}

const stat = ({ program = 'node', parent = 1, ticks = [0, 0, 0, 0], pages = 2_048 }: Stat) =>
  `42 (${program}) S ${parent} 42 42 0 -1 4194560 100 0 0 0 ${ticks.join(' ')} 20 0 11 0 300 900000 ${pages} 18446744073709551615\n`;

function open(given: Readonly<Record<number, string>>) {
  const clock = new VirtualClock();
  const processes = new Map(Object.entries(given).map(([pid, text]) => [Number(pid), text]));
  let reads = 0;
  const files = {
    pids: () => [...processes.keys(), 777],
    readText(path: string) {
      reads += 1;
      return processes.get(Number(path.split('/')[2]));
    },
  };
  const usage = createProcessUsage({ clock, files }, { cpuLimit: 2 });
  return { clock, processes, usage, reads: () => reads };
}

describe('createProcessUsage', () => {
  it('I1: reads processor time and memory of a worker, once a second at most', async () => {
    const { clock, processes, usage, reads } = open({ 42: stat({ ticks: [150, 50, 0, 0] }) });
    expect(reads()).toBe(0);
    expect(usage(42)).toEqual({ atMs: clock.monotonic(), cpuMs: 2_000, memoryBytes: 2_048 * 4_096, cpuLimit: 2 });
    const before = reads();
    processes.set(42, stat({ ticks: [300, 100, 0, 0] }));
    await clock.advance(999);
    expect([usage(42)?.cpuMs, reads() - before]).toEqual([2_000, 0]);
    await clock.advance(1);
    expect([usage(42)?.cpuMs, usage(42)?.atMs, reads() - before]).toEqual([4_000, clock.monotonic(), 1]);
  });

  it('I1: looks at all processes every ten seconds at most', async () => {
    const others = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [1_000 + at, stat({})]));
    const { clock, processes, usage, reads } = open({ ...others, 42: stat({ ticks: [1, 0, 0, 0] }) });
    usage(42);
    const before = reads();
    processes.set(50, stat({ parent: 42, ticks: [20, 0, 0, 0] }));
    for (let second = 1; second < 10; second += 1) {
      await clock.advance(1_000);
      expect(usage(42)?.cpuMs).toBe(10);
    }
    expect(reads() - before).toBe(9);
    await clock.advance(1_000);
    expect(usage(42)?.cpuMs).toBe(210);
  });

  it('I2: counts what it has started as well, also what has ended since', async () => {
    const { clock, processes, usage } = open({
      42: stat({ ticks: [10, 0, 0, 0], pages: 1 }),
      50: stat({ parent: 42, ticks: [20, 5, 0, 0], pages: 2 }),
      51: stat({ parent: 50, ticks: [5, 0, 0, 0], pages: 4 }),
      60: stat({ parent: 1, ticks: [900, 0, 0, 0], pages: 900 }),
    });
    expect(usage(42)).toMatchObject({ cpuMs: 400, memoryBytes: 7 * 4_096 });
    processes.delete(51);
    processes.delete(50);
    processes.set(42, stat({ ticks: [12, 0, 25, 5], pages: 1 }));
    await clock.advance(1_000);
    expect(usage(42)).toMatchObject({ cpuMs: 420, memoryBytes: 4_096 });
  });

  it('counts each process of a ring once', () => {
    const { usage } = open({
      42: stat({ parent: 43, ticks: [1, 0, 0, 0] }),
      43: stat({ parent: 42, ticks: [1, 0, 0, 0] }),
    });
    expect(usage(42)?.cpuMs).toBe(20);
  });

  it.each([
    ['a name with spaces and parentheses', stat({ program: 'my (odd) worker) S 9', ticks: [7, 3, 0, 0] }), 100],
    ['a text that is cut off', '42 (node) S 1', undefined],
    ['fields that are no numbers', stat({ ticks: ['x', 1, 0, 0] }), undefined],
    ['negative ones', stat({ ticks: [-5, 1, 0, 0] }), undefined],
  ])('I3: understands %s', (_, text, cpuMs) => {
    expect(open({ 42: text }).usage(42)?.cpuMs).toBe(cpuMs);
  });

  it('I3: says nothing of a process that is gone', () => {
    const { usage } = open({ 42: stat({}) });
    expect([usage(43), usage(777)]).toEqual([undefined, undefined]);
  });

  it.skipIf(process.platform !== 'linux')(
    'agrees with what this process knows of itself and its children',
    async () => {
      const burn =
        'const end = process.cpuUsage().user + 3e5; while (process.cpuUsage().user < end); process.stdin.resume();';
      const child = spawn(process.execPath, ['-e', `${burn} console.log("burnt")`], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      await once(child.stdout, 'data');
      const usage = createProcessUsage({ clock: new VirtualClock(), files: openUsageFiles() });
      const { user, system } = process.cpuUsage();
      const [own, theirs] = [usage(process.pid), usage(child.pid ?? 0)];
      child.stdin.end();
      await once(child, 'exit');
      // The kernel counts in hundredths of a second.
      expect(theirs?.cpuMs).toBeGreaterThanOrEqual(290);
      expect((own?.cpuMs ?? 0) - (theirs?.cpuMs ?? 0)).toBeGreaterThan((user + system) / 1_000 - 200);
      expect(own?.memoryBytes).toBeGreaterThan(10_000_000 + (theirs?.memoryBytes ?? 0));
    },
  );
});
