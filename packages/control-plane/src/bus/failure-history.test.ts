import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appendFailure, clipNote, parseHistory, withLostLocks } from './failure-history.ts';
import { busLimits } from './limits.ts';

const failure = (deliveryCount: number) => ({
  deliveryCount,
  atMs: deliveryCount,
  outcome: 'retried' as const,
  reason: 'R',
  description: 'D',
});

describe('the history of failed deliveries', () => {
  it('keeps the newest within its limit', () => {
    let history: readonly ReturnType<typeof failure>[] = [];
    for (let count = 1; count <= 100; count += 1) history = appendFailure(history, failure(count)) as typeof history;
    expect(history).toHaveLength(busLimits.history);
    expect(history.at(-1)?.deliveryCount).toBe(100);
  });

  it('clips what is too long, without half a character at the end', () => {
    const note = clipNote({ reason: 'R'.repeat(500), description: `${'d'.repeat(1_023)}\u{1f600}` });
    expect(note.reason).toHaveLength(64);
    expect(note.description.isWellFormed()).toBe(true);
    expect(note.description).toHaveLength(1_024);
  });

  it('reads back what was written, and nothing from anything else', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 50 }), { maxLength: 10 }), (counts) => {
        const history = counts.map(failure);
        expect(parseHistory(JSON.stringify(history))).toEqual(history);
      }),
    );
    for (const text of [undefined, '', '{', '{}', '[1, null, {}]', '"x"']) expect(parseHistory(text)).toEqual([]);
  });

  it('names the deliveries that left no note as locks that ended', () => {
    const complete = withLostLocks([failure(2)], 4, 99);
    expect(complete.map(({ deliveryCount, outcome }) => [deliveryCount, outcome])).toEqual([
      [1, 'lockExpired'],
      [2, 'retried'],
      [3, 'lockExpired'],
    ]);
    expect(withLostLocks([], 1_000_000, 0).length).toBeLessThanOrEqual(busLimits.history);
  });
});
