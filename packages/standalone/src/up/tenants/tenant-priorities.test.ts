import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { getPriority } from 'node:os';

import { silentLog } from '@switchyard/kernel';
import type { ProcessObserver, ProcessPort } from '@switchyard/sidecar';
import { requirePart, VirtualClock } from '@switchyard/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { linuxFamilies } from './process-family.ts';
import { TenantPriorities } from './tenant-priorities.ts';

const launch = { executable: 'node', arguments: [], directory: '/', environment: {} };
const quiet = { output: () => {}, outputEnded: () => {}, exited: () => {}, failed: () => {} };

/** Workers that use what a test says. */
function createRun() {
  const clock = new VirtualClock();
  const used = new Map<number, number>();
  const nice = new Map<number, number>();
  const observers = new Map<number, ProcessObserver>();
  const reads: number[] = [];
  const families = {
    usedMs: async (pid: number) => {
      reads.push(pid);
      return used.get(pid) ?? 0;
    },
    setNice: async (pid: number, value: number) => void nice.set(pid, value),
  };
  const processes: ProcessPort = {
    spawn: (_launch, observer) => {
      const pid = observers.size + 1;
      observers.set(pid, observer);
      return { pid, kill: () => {} };
    },
  };
  const priorities = new TenantPriorities({ clock, log: silentLog, families });
  const start = (tenantId: string): number => priorities.follow(tenantId, processes).spawn(launch, quiet).pid ?? 0;
  /** So many looks, while each of these uses so much between two of them. */
  const pass = async (looks: number, uses: ReadonlyMap<number, number>): Promise<void> => {
    for (let look = 0; look < looks; look += 1) {
      for (const [pid, ms] of uses) used.set(pid, (used.get(pid) ?? 0) + ms);
      await clock.advance(500);
    }
  };
  return { clock, nice, reads, observers, priorities, start, pass };
}

describe('TenantPriorities', () => {
  it('I1, I2: workers of a flood come second, new ones too, until it has been calm', async () => {
    const { nice, priorities, start, pass } = createRun();
    const [loud, other] = [start('a'), start('b')];
    await pass(
      2,
      new Map([
        [loud, 480],
        [other, 20],
      ]),
    );
    expect([nice.get(loud), nice.get(other), priorities.low]).toEqual([10, undefined, ['a']]);
    const late = start('a');
    expect(nice.get(late)).toBe(10);
    await pass(
      1,
      new Map([
        [loud, 480],
        [other, 20],
      ]),
    );
    expect(nice.get(late)).toBe(10);
    await pass(
      3,
      new Map([
        [loud, 20],
        [other, 20],
      ]),
    );
    expect(nice.get(loud)).toBe(10);
    await pass(
      1,
      new Map([
        [loud, 20],
        [other, 20],
      ]),
    );
    expect([nice.get(loud), nice.get(late), priorities.low]).toEqual([0, 0, []]);
  });

  it('I2: nobody comes second to a tenant that is not at work', async () => {
    const { nice, start, pass } = createRun();
    const [loud, other] = [start('a'), start('b')];
    await pass(
      3,
      new Map([
        [loud, 480],
        [other, 20],
      ]),
    );
    await pass(1, new Map([[loud, 480]]));
    expect(nice.get(loud)).toBe(0);
  });

  it('I3: reads nothing for one tenant, and nothing after the end', async () => {
    const { reads, observers, priorities, start, pass } = createRun();
    const [loud] = [start('a'), start('a')];
    await pass(3, new Map([[loud, 480]]));
    expect(reads).toEqual([]);
    const other = start('b');
    await pass(1, new Map());
    expect(reads.length).toBe(3);
    observers.get(other)?.exited(0, null);
    await pass(1, new Map());
    expect(reads.length).toBe(3);
    start('b');
    await priorities.close();
    await pass(3, new Map());
    expect(reads.length).toBe(3);
  });
});

describe('linuxFamilies', () => {
  const parts: (() => void)[] = [];
  afterEach(() => {
    for (const end of parts.splice(0)) end();
  });

  it.runIf(!requirePart('Linux', process.platform === 'linux', 'Priorities are set on Linux alone.').skip)(
    'counts and slows a process with all of its threads and children',
    async () => {
      const script = `const child = require('child_process').spawn('sleep', ['60']); console.log(child.pid);`;
      const parent = spawn(process.execPath, ['-e', `${script} for (let i = 0; i < 3e8; i++); console.log('done');`]);
      parts.push(() => parent.kill('SIGKILL'));
      let printed = '';
      while (!printed.includes('done')) printed += String((await once(parent.stdout, 'data'))[0]);
      const child = Number.parseInt(printed, 10);
      parts.push(() => process.kill(child, 'SIGKILL'));
      const pid = parent.pid ?? 0;
      expect(await linuxFamilies.usedMs(pid)).toBeGreaterThan(0);
      await linuxFamilies.setNice(pid, 10);
      const slow = Math.min(getPriority() + 10, 19);
      const threads = await readdir(`/proc/${pid}/task`);
      expect(threads.length).toBeGreaterThan(1);
      expect(new Set([child, ...threads].map((one) => getPriority(Number(one))))).toEqual(new Set([slow]));
    },
  );

  it('says 0 of a process that is gone', async () => {
    expect(await linuxFamilies.usedMs(2 ** 22 + 1)).toBe(0);
    await linuxFamilies.setNice(2 ** 22 + 1, 5);
  });
});
