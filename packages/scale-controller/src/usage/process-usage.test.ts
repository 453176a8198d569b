import { readFileSync } from 'node:fs';
import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { createProcessUsage } from './process-usage.ts';

const stat = (program: string, user: string, system: string, pages = '2048') =>
  `42 (${program}) S 1 42 42 0 -1 4194560 100 0 0 0 ${user} ${system} 0 0 20 0 11 0 300 900000 ${pages} 18446744073709551615\n`;

function open(text: string | undefined) {
  const clock = new VirtualClock();
  const files = new Map([['/proc/42/stat', text]]);
  let reads = 0;
  const usage = createProcessUsage(
    {
      clock,
      readText: (path) => {
        reads += 1;
        return files.get(path);
      },
      pidOf: (workerId) => (workerId === 'w1' ? 42 : undefined),
    },
    { cpuLimit: 2 },
  );
  return { clock, files, usage, reads: () => reads };
}

describe('createProcessUsage', () => {
  it('reads processor time and memory, once a second at most', async () => {
    const { clock, files, usage, reads } = open(stat('node', '150', '50'));
    expect(usage('w1')).toEqual({ cpuMs: 2_000, memoryBytes: 2_048 * 4_096, cpuLimit: 2 });
    files.set('/proc/42/stat', stat('node', '300', '100'));
    await clock.advance(999);
    expect([usage('w1')?.cpuMs, reads()]).toEqual([2_000, 1]);
    await clock.advance(1);
    expect(usage('w1')?.cpuMs).toBe(4_000);
  });

  it.each([
    ['a name with spaces and parentheses', stat('my (odd) worker) S 9', '7', '3'), 100],
    ['a text that is cut off', '42 (node) S 1', undefined],
    ['fields that are no numbers', stat('node', 'x', '1'), undefined],
    ['negative ones', stat('node', '-5', '1'), undefined],
    ['a process that is gone', undefined, undefined],
  ])('understands %s', (_, text, cpuMs) => {
    expect(open(text).usage('w1')?.cpuMs).toBe(cpuMs);
  });

  it('says nothing of workers of other machines', () => {
    expect(open(stat('node', '1', '1')).usage('w2')).toBeUndefined();
  });

  it.skipIf(process.platform !== 'linux')('agrees with what this process knows of itself', () => {
    const usage = createProcessUsage({
      clock: new VirtualClock(),
      readText: (path) => readFileSync(path, 'utf8'),
      pidOf: () => process.pid,
    });
    const { user, system } = process.cpuUsage();
    const found = usage('self');
    // The kernel counts in hundredths of a second.
    expect(Math.abs((found?.cpuMs ?? 0) - (user + system) / 1_000)).toBeLessThan(200);
    expect(found?.memoryBytes).toBeGreaterThan(10_000_000);
  });
});
