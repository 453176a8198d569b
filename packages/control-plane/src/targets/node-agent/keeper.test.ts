import { createMemoryLog, VirtualClock } from '@switchyard/testkit';
import { expect, it } from 'vitest';
import { startKeeper } from './keeper.ts';

it('looks again and again, also after a look that failed, and never after it was stopped', async () => {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  let looks = 0;
  const keep = async (): Promise<void> => {
    looks += 1;
    if (looks === 2) throw new Error('nobody answers');
  };
  const keeper = startKeeper({ clock, log, keep }, 1_000);
  await clock.advance(2_500);
  expect(looks).toBe(3);
  expect(log.records).toMatchObject([{ fields: { reason: 'nobody answers' } }]);
  await keeper.stop();
  await clock.advance(10_000);
  expect(looks).toBe(3);
});
