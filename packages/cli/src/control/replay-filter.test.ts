import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createReplayFilter } from './replay-filter.ts';

describe('createReplayFilter', () => {
  it('shows each line once, wherever connections break', () => {
    const steps = fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 20 });
    const breaks = fc.array(fc.nat({ max: 20 }), { maxLength: 4 });
    fc.assert(
      fc.property(steps, breaks, (gaps, cuts) => {
        let time = 100;
        const lines = gaps.map((gap, index) => {
          time += gap;
          return { at: `t${time}`, index };
        });
        const filter = createReplayFilter();
        const shown: number[] = [];
        const ends = [...cuts.map((cut) => Math.min(cut, lines.length)).sort((a, b) => a - b), lines.length];
        for (const [connection, end] of ends.entries()) {
          filter.restart(connection > 0);
          for (const { at, index } of lines.slice(0, end)) if (filter.isNew(at)) shown.push(index);
        }
        expect(shown).toEqual(lines.map(({ index }) => index));
      }),
    );
  });

  it('shows a line of now even when a clock went back', () => {
    const filter = createReplayFilter();
    filter.restart(false);
    expect(['t5', 't3', 't3'].map((at) => filter.isNew(at))).toEqual([true, true, true]);
  });

  it('goes on when the platform has forgotten the old lines', () => {
    const filter = createReplayFilter();
    filter.restart(false);
    filter.isNew('t5');
    filter.restart(true);
    expect(['t6', 't6', 't7'].map((at) => filter.isNew(at))).toEqual([true, true, true]);
  });
});
