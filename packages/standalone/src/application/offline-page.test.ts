import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VirtualClock } from '@switchyard/testkit';
import { expect, it, onTestFinished } from 'vitest';
import { openTestFolder } from '../testing/app-folders.ts';
import { createOfflinePage } from './offline-page.ts';

it('tells the page while it is there, and looks again after a while', async () => {
  const clock = new VirtualClock();
  const folder = await openTestFolder();
  onTestFinished(() => folder.remove());
  const directory = await folder.write('app', { 'host.json': '{}' });
  const offlinePage = createOfflinePage(clock, directory);
  expect(offlinePage()).toBeUndefined();
  await writeFile(join(directory, 'app_offline.htm'), 'Back soon, grüße');
  expect(offlinePage()).toBeUndefined();
  await clock.advance(500);
  expect(offlinePage()).toBe('Back soon, grüße');
  await rm(join(directory, 'app_offline.htm'));
  await clock.advance(500);
  expect(offlinePage()).toBeUndefined();
});
