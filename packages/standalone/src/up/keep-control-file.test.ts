import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '@switchyard/kernel';
import { createMemoryLog, VirtualClock } from '@switchyard/testkit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { keepControlFile } from './keep-control-file.ts';

const sixHours = 6 * 60 * 60_000;
let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'switchyard-control-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

it('renews the token every six hours, also after a failure, and takes the file away in the end', async () => {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  let issued = 0;
  const issueToken = async (): Promise<Secret> => {
    issued += 1;
    if (issued === 2) throw new Error('no key');
    return new Secret(`token ${issued}`);
  };
  const end = await keepControlFile({ clock, log, issueToken }, { directory, endpoint: 'http://127.0.0.1:1' });
  const file = join(directory, 'control.json');
  const token = (): string => JSON.parse(readFileSync(file, 'utf8')).token;
  expect(token()).toBe('token 1');
  await clock.advance(sixHours);
  expect([token(), log.records.map(({ fields }) => fields.error)]).toEqual(['token 1', ['no key']]);
  await clock.advance(sixHours);
  await expect.poll(token).toBe('token 3');
  await end();
  expect(existsSync(file)).toBe(false);
  await clock.advance(sixHours);
  expect(issued).toBe(3);
});
