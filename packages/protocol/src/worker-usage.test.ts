import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseUsage, toUsageJson } from './worker-usage.ts';

const amount = fc.double({ min: 0, max: 1e15, noNaN: true });
const good = { at_ms: 1, cpu_ms: 2, memory_bytes: 3, cpu_limit: 0.5 };

describe('what a worker uses', () => {
  it('comes back as it was written', () => {
    const usage = fc.record({
      ...{ atMs: amount, cpuMs: amount, memoryBytes: amount },
      cpuLimit: fc.double({ min: 0.001, max: 1_024, noNaN: true }),
    });
    fc.assert(
      fc.property(usage, (one) => {
        expect(parseUsage(JSON.parse(JSON.stringify(toUsageJson(one))))).toEqual(
          Object.fromEntries(Object.entries(one).map(([name, value]) => [name, value + 0])),
        );
      }),
    );
  });

  it.each([
    ['nothing', undefined],
    ['a text', 'usage'],
    ['no limit', { ...good, cpu_limit: undefined }],
    ['a limit of nothing', { ...good, cpu_limit: 0 }],
    ['a negative time', { ...good, cpu_ms: -1 }],
    ['a number in quotes', { ...good, memory_bytes: '3' }],
    ['a number that JSON has not', { ...good, at_ms: Number.POSITIVE_INFINITY }],
  ])('is not read from %s', (_, given) => {
    expect(parseUsage(given)).toBeUndefined();
  });
});
