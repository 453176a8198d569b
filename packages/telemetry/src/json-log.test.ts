import { Secret } from '@switchyard/kernel';
import { VirtualClock } from '@switchyard/testkit';
import { expect, it } from 'vitest';
import { openJsonLog } from './json-log.ts';

async function open() {
  const written: string[] = [];
  const log = await openJsonLog(
    { clock: new VirtualClock(), sink: { write: (text) => written.push(text) } },
    (level) => level !== 'debug',
  );
  return { log, records: () => written.map((text) => JSON.parse(text)) };
}

it('writes one JSON object per line, with time, level, message and fields', async () => {
  const { log, records } = await open();
  log.child({ category: 'Host.Startup' }).write('warning', 'Slow start', { durationMs: 1200 });
  log.write('debug', 'not wanted');
  expect(records()).toEqual([
    {
      time: '2024-01-01T00:00:00.000Z',
      level: 'warning',
      message: 'Slow start',
      category: 'Host.Startup',
      durationMs: 1200,
    },
  ]);
});

it('writes errors out, keeps secrets in and reserved names apart', async () => {
  const { log, records } = await open();
  log.write('error', 'Failed', { error: new TypeError('bad value'), key: new Secret('hunter2'), level: 'mine' });
  expect(records()).toMatchObject([
    { level: 'error', level_: 'mine', key: '***', error: { type: 'TypeError', message: 'bad value' } },
  ]);
});

it('survives fields that refer to themselves', async () => {
  const { log, records } = await open();
  const loop: Record<string, unknown> = {};
  loop.self = loop;
  log.write('information', 'Loop', { loop, big: 1n });
  expect(records()).toMatchObject([{ message: 'Loop' }]);
});
