import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLog } from '@switchyard/kernel';
import { createMemoryLog } from '@switchyard/testkit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openTestFolder, type TestFolder } from '../testing/app-folders.ts';
import { openWarmthFile } from './warmth-file.ts';

let folder: TestFolder;
beforeEach(async () => {
  folder = await openTestFolder();
});
afterEach(() => folder.remove());

const learned = { loadMs: { 'a@1.0.0': 12.5 }, gaps: { 'a@1.0.0#a:shard-0': { bins: [0, 3], beyond: 1 } } };

it('gives back what it was handed', () => {
  const path = join(folder.path, 'warmth.json');
  expect(openWarmthFile(silentLog, path).known).toEqual({ loadMs: {}, gaps: {} });
  openWarmthFile(silentLog, path).remember(learned);
  expect(openWarmthFile(silentLog, path).known).toEqual(learned);
});

it.each(['', 'null', '[]', '{"loadMs":5}', '{"gaps":{"a":{"bins":[-1],"beyond":0},"b":null},"loadMs":{"c":"x"}}'])(
  'begins anew from %s',
  async (content) => {
    const path = join(folder.path, 'warmth.json');
    await writeFile(path, content);
    expect(openWarmthFile(silentLog, path).known).toEqual({ loadMs: {}, gaps: {} });
  },
);

it('says what keeps it from writing, and goes on', () => {
  const log = createMemoryLog();
  openWarmthFile(log, join(folder.path, 'missing', 'warmth.json')).remember(learned);
  expect(log.records).toMatchObject([{ level: 'warning', fields: { error: expect.stringContaining('ENOENT') } }]);
});
