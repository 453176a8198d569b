import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openProcessTable } from './node-processes-table.ts';
import { ownerInEnvironment, parseOwnerMark, parseProcessStat, toOwnerMark } from './process-owner.ts';

const owner = { namespace: '4026531836', pid: 123, startTicks: '4567' };

describe('marks', () => {
  it('come back as they were', () => {
    const digits = fc.bigInt({ min: 0n, max: 10n ** 19n }).map(String);
    const owners = fc.record({ namespace: digits, pid: fc.nat(), startTicks: digits });
    fc.assert(
      fc.property(owners, (given) => {
        expect(parseOwnerMark(toOwnerMark(given))).toEqual(given);
      }),
    );
  });

  it.each(['', '1:2:3', '1:2:3;x', 'a:2:3;', '1:-2:3;', '1:2;', ' 1:2:3;'])('are not %j', (text) => {
    expect(parseOwnerMark(text)).toBeUndefined();
  });

  it('are found among other variables, by their whole name', () => {
    const mark = toOwnerMark(owner);
    expect(ownerInEnvironment(`PATH=/bin\0SWITCHYARD_OWNER=${mark}\0X=1\0`)).toEqual(owner);
    expect(ownerInEnvironment(`MY_SWITCHYARD_OWNER=${mark}\0`)).toBeUndefined();
    expect(ownerInEnvironment('')).toBeUndefined();
  });
});

describe('parseProcessStat', () => {
  const stat = (name: string, state: string): string =>
    `42 (${name}) ${state} ${Array.from({ length: 18 }, (_, index) => index).join(' ')} 777 1 2 3`;

  it.each(['node', 'a b', ') R 1 2 (', 'x\ny'])('reads the start of a process named %j', (name) => {
    expect(parseProcessStat(42, stat(name, 'S'))).toEqual({ pid: 42, startTicks: '777' });
  });

  it('takes a process that has ended for none', () => {
    expect(parseProcessStat(42, stat('node', 'Z'))).toBeUndefined();
    expect(parseProcessStat(42, '')).toBeUndefined();
    expect(parseProcessStat(42, '42 (node) S 1')).toBeUndefined();
  });
});

describe.skipIf(process.platform !== 'linux')('openProcessTable', () => {
  it('knows this process, and what others carry', async () => {
    const table = openProcessTable();
    const self = table.self();
    expect(self).toMatchObject({ pid: process.pid, namespace: expect.stringMatching(/^\d+$/) });
    expect(table.identityOf(process.pid)?.startTicks).toBe(self?.startTicks);
    const child = spawn(process.execPath, ['-e', "console.log('up'); process.stdin.resume()"], {
      env: { SWITCHYARD_OWNER: toOwnerMark(owner) },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    const pid = child.pid ?? 0;
    expect(table.ownerOf(pid)).toEqual(owner);
    expect(table.pids()).toContain(pid);
    table.kill(pid);
    expect((await once(child, 'exit'))[1]).toBe('SIGKILL');
    expect(table.identityOf(pid)).toBeUndefined();
    expect(table.ownerOf(pid)).toBeUndefined();
    table.kill(pid);
  });
});
