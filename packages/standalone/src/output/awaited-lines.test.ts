import { createMemoryLog } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { showAwaitedLines } from './awaited-lines.ts';

const awaited = 'Worker process started and initialized.';
const fields = { category: 'Host.Startup', applicationId: 'shop', workerId: 'w-1', runtime: 'node' };

describe('showAwaitedLines', () => {
  it('moves an awaited line to the category that is always shown', () => {
    const log = createMemoryLog();
    showAwaitedLines(log, { category: 'Host.Dev', bare: false }).write('information', awaited, fields);
    expect(log.records).toMatchObject([{ message: awaited, fields: { ...fields, category: 'Host.Dev' } }]);
  });

  it('leaves it bare for people, with the app that it is about', () => {
    const log = createMemoryLog();
    showAwaitedLines(log, { category: 'Host.Dev', bare: true }).write('information', awaited, fields);
    expect(log.records[0]?.fields).toEqual({
      category: 'Host.Dev',
      applicationId: 'shop',
      workerId: undefined,
      runtime: undefined,
    });
  });

  it('finds it in child logs too, and without any fields', () => {
    const log = createMemoryLog();
    showAwaitedLines(log, { category: 'Host.Dev', bare: true })
      .child({ applicationId: 'shop' })
      .write('debug', awaited);
    expect(log.records[0]).toMatchObject({ fields: { applicationId: 'shop', category: 'Host.Dev' } });
  });

  it('leaves every other line as it is', () => {
    const log = createMemoryLog();
    showAwaitedLines(log, { category: 'Host.Dev', bare: true }).write('information', `${awaited} Not.`, fields);
    expect(log.records[0]?.fields).toEqual(fields);
  });
});
