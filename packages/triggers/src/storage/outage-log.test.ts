import { createMemoryLog } from '@switchyard/testkit';
import { expect, it } from 'vitest';
import { OutageLog } from './outage-log.ts';

it('I1: an outage is one warning and one line when it is over', () => {
  const log = createMemoryLog();
  const outage = new OutageLog(log, { began: 'down', ended: 'up', fields: { queue: 'a' } });
  outage.succeeded();
  outage.failed(new Error('one'));
  outage.failed(new Error('two'));
  outage.succeeded();
  outage.succeeded();
  outage.failed(new Error('three'));
  expect(log.records).toMatchObject([
    { level: 'warning', message: 'down', fields: { queue: 'a', error: 'one' } },
    { level: 'information', message: 'up', fields: { queue: 'a' } },
    { level: 'warning', message: 'down', fields: { error: 'three' } },
  ]);
});
