import { VirtualClock } from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Changes, QuietPeriod } from './quiet-period.ts';

const options = { quietMs: 80, longestMs: 300, maxPaths: 3 };

function open() {
  const clock = new VirtualClock();
  const reports: { readonly atMs: number; readonly changes: Changes }[] = [];
  const quiet = new QuietPeriod(clock, options, (changes) => reports.push({ atMs: clock.monotonic(), changes }));
  return { clock, quiet, reports };
}

describe('QuietPeriod', () => {
  it('I1: reports a save of many events once, a moment after the last one', async () => {
    const { clock, quiet, reports } = open();
    quiet.note('a.js');
    await clock.advance(50);
    quiet.note('b.js');
    quiet.note('a.js');
    await clock.advance(79);
    expect(reports).toEqual([]);
    await clock.advance(1);
    expect(reports).toEqual([{ atMs: 130, changes: { paths: ['a.js', 'b.js'], more: 0, sinceMs: 0 } }]);
  });

  it('I1: does not wait for ever while more and more changes', async () => {
    const { clock, quiet, reports } = open();
    for (let atMs = 0; atMs < 290; atMs += 29) {
      quiet.note('a.js');
      await clock.advance(29);
    }
    await clock.advance(10);
    expect(reports.map(({ atMs }) => atMs)).toEqual([300]);
  });

  it('I2: what changes after a report is in the next one', async () => {
    const { clock, quiet, reports } = open();
    quiet.note('a.js');
    await clock.advance(80);
    quiet.note('b.js');
    await clock.advance(80);
    expect(reports.map(({ changes }) => changes)).toEqual([
      { paths: ['a.js'], more: 0, sinceMs: 0 },
      { paths: ['b.js'], more: 0, sinceMs: 80 },
    ]);
  });

  it('I3: counts what it does not remember', async () => {
    const { clock, quiet, reports } = open();
    for (const path of ['a', 'b', 'c', 'd', 'e', 'a']) quiet.note(path);
    await clock.advance(80);
    expect(reports[0]?.changes).toMatchObject({ paths: ['a', 'b', 'c'], more: 2 });
  });

  it('I4: reports nothing after it was closed', async () => {
    const { clock, quiet, reports } = open();
    quiet.note('a.js');
    quiet.close();
    quiet.note('b.js');
    quiet.close();
    await clock.advance(1_000);
    expect([reports, clock.pendingTimers]).toEqual([[], 0]);
  });

  it('I1, I2: whatever the rhythm, everything is reported, in time and once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 200 }), { maxLength: 30 }), async (pauses) => {
        const { clock, quiet, reports } = open();
        const noted: number[] = [];
        for (const pauseMs of pauses) {
          noted.push(clock.monotonic());
          quiet.note('a');
          await clock.advance(pauseMs);
        }
        await clock.advance(1_000);
        for (const atMs of noted)
          expect(reports.filter((one) => one.changes.sinceMs <= atMs && atMs <= one.atMs).length).toBeGreaterThan(0);
        for (const { atMs, changes } of reports) expect(atMs - changes.sinceMs).toBeLessThanOrEqual(options.longestMs);
        expect(clock.pendingTimers).toBe(0);
      }),
      { numRuns: 50 },
    );
  });
});
