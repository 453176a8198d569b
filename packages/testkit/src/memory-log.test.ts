import { describe, expect, it } from 'vitest';
import { createMemoryLog } from './memory-log.ts';
import { VirtualClock } from './virtual-clock.ts';

describe('createMemoryLog', () => {
  it('keeps every line with its time', async () => {
    const clock = new VirtualClock(5_000);
    const log = createMemoryLog(clock);
    log.write('information', 'started');
    await clock.advance(10);
    log.write('error', 'failed', { code: 'X' });
    expect(log.records).toEqual([
      { timeMs: 5_000, level: 'information', message: 'started', fields: {} },
      { timeMs: 5_010, level: 'error', message: 'failed', fields: { code: 'X' } },
    ]);
  });

  it('merges the fields of children into one list of records', () => {
    const log = createMemoryLog();
    const child = log.child({ app: 'a', part: 'outer' }).child({ part: 'inner' });
    child.write('debug', 'seen', { id: 1 });
    child.write('debug', 'seen', { app: 'b' });
    expect(log.withMessage('seen').map(({ fields }) => fields)).toEqual([
      { app: 'a', part: 'inner', id: 1 },
      { app: 'b', part: 'inner' },
    ]);
  });
});
