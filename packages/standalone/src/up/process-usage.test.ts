import { describe, expect, it } from 'vitest';
import { openProcessUsage, parseProcessUsage } from './process-usage.ts';

const stat = (name: string): string =>
  `42 (${name}) S 1 42 42 0 -1 4194560 9 8 7 6 150 50 3 2 20 0 11 0 500 1000000 2500 18446744073709551615 1 1 0 0`;

describe('parseProcessUsage', () => {
  it.each(['node', 'a (strange) name', ') S 9 9'])('reads time and memory of a process named %j', (name) => {
    expect(parseProcessUsage(stat(name), 4_096)).toEqual({ cpuMs: 2_000, memoryBytes: 2_500 * 4_096 });
  });

  it.each(['', 'nothing', '42 (node) S 1'])('knows nothing of %j', (text) => {
    expect(parseProcessUsage(text, 4_096)).toBeUndefined();
  });
});

describe.skipIf(process.platform !== 'linux')('openProcessUsage', () => {
  it('tells what this process has used, within what it knows itself', () => {
    const usage = openProcessUsage()(process.pid);
    const { user, system } = process.cpuUsage();
    expect(usage?.cpuMs).toBeGreaterThan(((user + system) / 1_000) * 0.5);
    expect(usage?.cpuMs).toBeLessThan(((user + system) / 1_000) * 1.5 + 1_000);
    const ratio = (usage?.memoryBytes ?? 0) / process.memoryUsage.rss();
    expect(ratio).toBeGreaterThan(0.5);
    expect(ratio).toBeLessThan(2);
  });

  it('knows nothing of a process that is not there', () => {
    expect(openProcessUsage()(2 ** 30)).toBeUndefined();
  });
});
