import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { isProcessAlive } from './is-process-alive.ts';

describe('isProcessAlive', () => {
  it('tells a process that runs from one that has ended', async () => {
    const child = spawn(process.execPath, ['--eval', 'process.stdin.resume()'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const pid = child.pid ?? 0;
    expect([isProcessAlive(process.pid), isProcessAlive(pid)]).toEqual([true, true]);
    child.stdin.end();
    await once(child, 'exit');
    expect(isProcessAlive(pid)).toBe(false);
  });

  it.skipIf(process.platform !== 'linux')('counts one that nobody waits for as ended', async () => {
    // The shell becomes a program that never waits for the child which the shell had started.
    const child = spawn('/bin/sh', ['-c', 'true & echo $!; exec cat'], { stdio: ['pipe', 'pipe', 'ignore'] });
    const [line] = (await once(child.stdout, 'data')) as [Uint8Array];
    await expect.poll(() => isProcessAlive(Number(Buffer.from(line).toString()))).toBe(false);
    child.stdin.end();
    await once(child, 'exit');
  });
});
