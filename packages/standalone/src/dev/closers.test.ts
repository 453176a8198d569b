import { createMemoryLog } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { Closers } from './closers.ts';

function open() {
  const log = createMemoryLog();
  const closed: string[] = [];
  const closers = new Closers(log);
  const add = (name: string): void =>
    closers.add(name, async () => {
      await Promise.resolve();
      closed.push(name);
    });
  return { log, closed, closers, add };
}

describe('Closers', () => {
  it('I1: closes what was opened last first', async () => {
    const { closers, closed, add } = open();
    for (const name of ['one', 'two', 'three']) add(name);
    await closers.close();
    expect(closed).toEqual(['three', 'two', 'one']);
  });

  it('I2: goes on after a part that fails, and logs it', async () => {
    const { closers, closed, add, log } = open();
    add('one');
    closers.add('bad', () => Promise.reject(new Error('stuck')));
    await closers.close();
    expect(closed).toEqual(['one']);
    expect(log.records).toMatchObject([{ level: 'error', fields: { part: 'bad', error: 'stuck' } }]);
  });

  it('I3: closes once, and what comes later at once', async () => {
    const { closers, closed, add } = open();
    add('one');
    await Promise.all([closers.close(), closers.close()]);
    add('late');
    await closers.close();
    expect(closed).toEqual(['one', 'late']);
  });
});
