import { createMemoryLog } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { HeldLog, type ShownLines } from './held-log.ts';

function open(shown: ShownLines = new Set()) {
  const target = createMemoryLog();
  const held = new HeldLog(target, shown);
  return { target, held, log: held.log, shown, messages: () => target.records.map(({ message }) => message) };
}

const host = { category: 'Host.Startup' };
const app = { category: 'Function.Hello.User' };

describe('HeldLog', () => {
  it('I1: shows what was held before what comes later, with the fields of the logs in between', () => {
    const { log, held, target, messages } = open();
    const child = log.child({ applicationId: 'shop' });
    child.write('information', 'one', app);
    log.write('error', 'two');
    expect(messages()).toEqual([]);
    held.open();
    child.write('information', 'three');
    expect(messages()).toEqual(['one', 'two', 'three']);
    expect(target.records[0]).toMatchObject({ level: 'information', fields: { applicationId: 'shop', ...app } });
  });

  it('I2: holds only so many lines, and tells how many it dropped', () => {
    const { log, held, target } = open();
    for (let line = 0; line < 1_005; line += 1) log.write('information', `line ${line}`, app);
    held.open();
    expect(target.records).toHaveLength(1_001);
    expect(target.records[0]).toMatchObject({ level: 'warning', fields: { dropped: 5 } });
    expect(target.records[1]?.message).toBe('line 5');
  });

  it('I3: the host does not repeat itself for the next version, and the app may', () => {
    const { log, held, shown, messages } = open();
    log.write('warning', 'host.json: unknown key', host);
    log.child(host).write('information', 'Worker process started', { workerId: 'w1' });
    log.write('information', 'hello', app);
    held.open();
    expect(messages()).toHaveLength(3);
    const next = open(shown);
    next.log.write('warning', 'host.json: unknown key', host);
    next.log.child(host).write('information', 'Worker process started', { workerId: 'w2' });
    next.log.write('warning', 'host.json: another key', host);
    next.log.write('information', 'hello', app);
    next.held.open();
    expect(next.messages()).toEqual(['host.json: another key', 'hello']);
    next.log.write('warning', 'host.json: another key', host);
    expect(next.messages()).toHaveLength(3);
  });

  it('I4: after a failure shows what the app itself said, without what the report says', () => {
    const { log, held, messages } = open();
    const console = { category: 'Host.Function.Console' };
    log.write('error', 'The worker could not start: no coffee', host);
    log.write('information', 'loading the settings', console);
    log.write('error', 'Error: no coffee\n    at a.js:1', console);
    held.failed('The worker could not start:\nError: no coffee\n    at a.js:1');
    expect(messages()).toEqual(['loading the settings']);
    log.write('information', 'second try', app);
    expect(messages()).toHaveLength(1);
    held.drop();
    held.open();
    expect(messages()).toHaveLength(1);
  });
});
