import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createMemoryLog, VirtualClock } from '@switchyard/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { openProcessTable, type ProcessTable } from './node-processes-table.ts';
import { OrphanSweep } from './orphan-sweep.ts';
import type { ProcessOwner } from './process-owner.ts';

const self: ProcessOwner = { namespace: '7', pid: 1, startTicks: '10' };

interface FakeProcess {
  startTicks: string;
  owner?: ProcessOwner | undefined;
}

/** Processes by number; `reads` counts how often a mark was looked for. */
function open(processes: Record<number, FakeProcess>, own: ProcessOwner | undefined = self) {
  const table = new Map(Object.entries(processes).map(([pid, found]) => [Number(pid), found]));
  table.set(self.pid, { startTicks: self.startTicks });
  const killed: number[] = [];
  const reads: number[] = [];
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const fake: ProcessTable = {
    self: () => own,
    pids: () => [...table.keys()],
    identityOf: (pid) => {
      const found = table.get(pid);
      return found === undefined ? undefined : { pid, startTicks: found.startTicks };
    },
    ownerOf(pid) {
      reads.push(pid);
      return table.get(pid)?.owner;
    },
    kill(pid) {
      killed.push(pid);
      table.delete(pid);
    },
  };
  const sweep = new OrphanSweep({ clock, log, table: fake });
  return { sweep, clock, log, table, killed, reads, fake };
}

const ownedBy = (pid: number, startTicks: string, namespace = '7') => ({ namespace, pid, startTicks });

describe('OrphanSweep', () => {
  it('I1: ends what carries the mark of an owner that is gone, or was another process', () => {
    const { sweep, killed, log } = open({
      2: { startTicks: '20' },
      3: { startTicks: '30', owner: ownedBy(99, '5') },
      4: { startTicks: '40', owner: ownedBy(2, '19') },
    });
    expect(sweep.sweep()).toBe(2);
    expect(killed).toEqual([3, 4]);
    expect(log.withMessage('A worker whose host is gone was ended.')).toHaveLength(2);
  });

  it('I1: leaves alone what has no mark, a living owner, or an owner in another namespace', () => {
    const { sweep, killed } = open({
      2: { startTicks: '20' },
      3: { startTicks: '30', owner: ownedBy(2, '20') },
      4: { startTicks: '40', owner: ownedBy(99, '5', '8') },
      5: { startTicks: '50', owner: self },
    });
    expect(sweep.sweep()).toBe(0);
    expect(killed).toEqual([]);
  });

  it('I2: leaves a number alone that was given away while it was looked at', () => {
    const { sweep, killed, table, fake } = open({ 3: { startTicks: '30', owner: ownedBy(99, '5') } });
    const { ownerOf } = fake;
    fake.ownerOf = (pid) => {
      const owner = ownerOf(pid);
      if (pid === 3) table.set(3, { startTicks: '31' });
      return owner;
    };
    expect(sweep.sweep()).toBe(0);
    expect(killed).toEqual([]);
  });

  it('I3: looks at once, again after ten seconds, and not after its close', async () => {
    const { sweep, clock, table, killed } = open({ 3: { startTicks: '30', owner: ownedBy(99, '5') } });
    sweep.start();
    sweep.start();
    expect(killed).toEqual([3]);
    table.set(4, { startTicks: '40', owner: ownedBy(99, '5') });
    await clock.advance(9_999);
    expect(killed).toEqual([3]);
    await clock.advance(1);
    expect(killed).toEqual([3, 4]);
    sweep.close();
    expect(clock.pendingTimers).toBe(0);
    sweep.start();
    expect(clock.pendingTimers).toBe(0);
  });

  it('I3: does nothing where processes cannot be told apart', () => {
    const { fake, clock, log, killed } = open({ 3: { startTicks: '30', owner: ownedBy(99, '5') } });
    const blind = new OrphanSweep({ clock, log, table: { ...fake, self: () => undefined } });
    blind.start();
    expect(blind.sweep()).toBe(0);
    expect(killed).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('I4: looks at strangers twice, and at a new process of the same number again', () => {
    const { sweep, table, reads, killed } = open({ 2: { startTicks: '20' } });
    for (let round = 0; round < 4; round += 1) sweep.sweep();
    expect(reads.filter((pid) => pid === 2)).toHaveLength(2);
    table.set(2, { startTicks: '21', owner: ownedBy(99, '5') });
    sweep.sweep();
    expect(killed).toEqual([2]);
  });

  it('I4: finds the mark of a process that ran its own program only after the first look', () => {
    const { sweep, table, killed } = open({ 2: { startTicks: '20' } });
    sweep.sweep();
    table.set(2, { startTicks: '20', owner: ownedBy(99, '5') });
    sweep.sweep();
    expect(killed).toEqual([2]);
  });
});

describe.skipIf(process.platform !== 'linux')('OrphanSweep among real processes', () => {
  const started: ChildProcess[] = [];
  afterEach(() => {
    for (const child of started.splice(0)) child.kill('SIGKILL');
  });

  const urlOf = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href);

  /** A host without a guard, and its worker, which answers to nothing; resolves with the worker's number. */
  async function startHost(): Promise<{ host: ChildProcess; worker: number }> {
    const program = `const { openProcessTable } = await import(${urlOf('./node-processes-table.ts')});
      const { toOwnerMark } = await import(${urlOf('./process-owner.ts')});
      const { spawn } = await import('node:child_process');
      const env = { ...process.env, SWITCHYARD_OWNER: toOwnerMark(openProcessTable().self()) };
      const worker = spawn(process.execPath, ['-e', "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('up')"],
        { env, detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
      worker.stdout.once('data', () => console.log(worker.pid));
      setInterval(() => {}, 1000);`;
    const host = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    started.push(host);
    const [line] = (await once(host.stdout ?? host, 'data')) as [Uint8Array];
    return { host, worker: Number(Buffer.from(line).toString()) };
  }

  it('I1: ends the worker of a host that was killed, and not that of one that lives', async () => {
    const [killed, living] = await Promise.all([startHost(), startHost()]);
    const table = openProcessTable();
    const clock = new VirtualClock();
    // Only these two workers are looked at: other tests run on this machine.
    const pids = (): readonly number[] => [killed.worker, living.worker];
    const sweep = new OrphanSweep({ clock, log: createMemoryLog(clock), table: { ...table, pids } });
    try {
      expect(sweep.sweep()).toBe(0);
      const gone = once(killed.host, 'exit');
      killed.host.kill('SIGKILL');
      await gone;
      expect(sweep.sweep()).toBe(1);
      expect(table.identityOf(living.worker)).toBeDefined();
      await expect.poll(() => table.identityOf(killed.worker)).toBeUndefined();
    } finally {
      for (const pid of pids()) table.kill(pid);
    }
  });
});
