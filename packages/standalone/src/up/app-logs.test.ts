import { createMemoryLog } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { AppLogs } from './app-logs.ts';

function open() {
  const console = createMemoryLog();
  const logs = new AppLogs({ now: () => 7 }, { maxLines: 3, isWanted: (level) => level !== 'debug' });
  return { console, logs, log: logs.log(console) };
}

const messages = (logs: AppLogs, count = 10): string[] => logs.tail('shop', count).map(({ message }) => message);

describe('AppLogs', () => {
  it('I1: keeps the last lines of an app, oldest first', () => {
    const { logs, log } = open();
    const shop = log.child({ applicationId: 'shop' });
    for (let line = 1; line <= 20; line += 1) {
      shop.write('information', `line ${line}`);
      expect(messages(logs)).toEqual([line - 2, line - 1, line].filter((n) => n > 0).map((n) => `line ${n}`));
    }
    expect(messages(logs, 1)).toEqual(['line 20']);
    expect(messages(logs, 0)).toEqual([]);
    logs.forget('shop');
    expect(messages(logs)).toEqual([]);
  });

  it('I1: keeps no line that nobody wants, which goes to the console all the same', () => {
    const { logs, log, console } = open();
    log.write('debug', 'detail', { applicationId: 'shop' });
    expect([messages(logs), console.records.length]).toEqual([[], 1]);
  });

  it('I2: tells a follower every line of its app, until it leaves', () => {
    const { logs, log } = open();
    const seen: unknown[] = [];
    const leave = logs.follow('shop', ({ sequence, message, fields }) => seen.push([sequence, message, fields]));
    log.child({ applicationId: 'shop', category: 'Host' }).write('warning', 'one', { count: 1 });
    log.write('information', 'other', { applicationId: 'blog' });
    leave();
    log.write('information', 'late', { applicationId: 'shop' });
    expect(seen).toEqual([[1, 'one', { applicationId: 'shop', category: 'Host', count: 1 }]]);
    expect(logs.tail('shop', 5).map(({ sequence }) => sequence)).toEqual([1, 2]);
  });

  it('I3: keeps lines of nobody out, and survives a follower that throws', () => {
    const { logs, log, console } = open();
    const seen: string[] = [];
    logs.follow('shop', () => {
      throw new Error('gone');
    });
    logs.follow('shop', ({ message }) => seen.push(message));
    log.write('information', 'platform');
    log.write('information', 'mine', { applicationId: 'shop' });
    expect([seen, console.records.length]).toEqual([['mine'], 2]);
  });
});
