import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Secret } from '@switchyard/kernel';
import { createMemoryLog, VirtualClock } from '@switchyard/testkit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openTestFolder, type TestFolder } from '../testing/app-folders.ts';
import { brokerFileName, keepBrokerFile, readBrokerFile } from './broker-file.ts';

let folder: TestFolder;
beforeEach(async () => {
  folder = await openTestFolder();
});
afterEach(() => folder.remove());

const dayMs = 24 * 60 * 60_000;

function open() {
  const clock = new VirtualClock();
  const log = createMemoryLog();
  let tokens = 0;
  const access = async () => {
    tokens += 1;
    return { endpoint: 'unix:/x', token: new Secret(`token-${tokens}`) };
  };
  return { clock, log, keep: () => keepBrokerFile({ clock, log, access }, folder.path) };
}

const token = async (): Promise<string> => (await readBrokerFile(folder.path)).token.reveal();

it('tells where the broker is, with a token that is made anew, until it ends', async () => {
  const { clock, keep } = open();
  const stop = await keep();
  expect([(await readBrokerFile(folder.path)).endpoint, await token()]).toEqual(['unix:/x', 'token-1']);
  await clock.advance(dayMs);
  await expect.poll(token).toBe('token-2');
  await stop();
  expect(clock.pendingTimers).toBe(0);
  await expect(readBrokerFile(folder.path)).rejects.toMatchObject({ code: 'BROKER_NOT_RUNNING' });
});

it('goes on when a renewal fails, and says so', async () => {
  const { clock, log, keep } = open();
  const stop = await keep();
  await mkdir(join(folder.path, `${brokerFileName}.new`));
  await clock.advance(dayMs);
  await expect.poll(() => log.records.map(({ level }) => level)).toEqual(['error']);
  expect(await token()).toBe('token-1');
  await stop();
});

it.each(['', '{}', '{"endpoint":5,"token":"x"}', 'null'])('a file that holds %s is no broker', async (content) => {
  await writeFile(join(folder.path, brokerFileName), content);
  await expect(readBrokerFile(folder.path)).rejects.toMatchObject({ code: 'BROKER_NOT_RUNNING' });
  expect((await stat(join(folder.path, brokerFileName))).isFile()).toBe(true);
});
