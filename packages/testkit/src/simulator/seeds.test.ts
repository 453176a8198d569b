import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../virtual-clock.ts';
import { createEventLog } from './event-log.ts';
import { chooseSeeds, describeFailedSeed } from './seeds.ts';

describe('chooseSeeds', () => {
  test('counts from 1 on, or takes the one that was named', () => {
    expect(chooseSeeds({}, 3)).toEqual([1, 2, 3]);
    expect(chooseSeeds({ SWITCHYARD_SEED: '' }, 2)).toEqual([1, 2]);
    expect(chooseSeeds({ SWITCHYARD_SEED: '417' }, 3)).toEqual([417]);
  });

  test.each(['x', '-1', '1.5', '1e3', '12345678901'])('refuses %s', (value) => {
    expect(() => chooseSeeds({ SWITCHYARD_SEED: value }, 3)).toThrow(`SWITCHYARD_SEED is '${value}'`);
  });
});

describe('describeFailedSeed', () => {
  test('names the violations, the end of the log and the way to see it again', async () => {
    const clock = new VirtualClock();
    const events = createEventLog(clock);
    for (let line = 0; line < 100; line += 1) events.note(`event ${line}`);
    await clock.advance(1_234);
    events.note('the last one');
    const text = describeFailedSeed({ seed: 7, violations: ['a was lost'], events: events.lines }, 'x.test.ts');
    expect(text).toContain('Seed 7 failed:\n  - a was lost');
    expect(text).toContain('   1234 ms  the last one');
    expect(text).not.toContain('event 40\n');
    expect(text).toContain('SWITCHYARD_SEED=7 node node_modules/vitest/vitest.mjs run x.test.ts');
    expect(events.tail(1)).toEqual(['   1234 ms  the last one']);
  });
});
