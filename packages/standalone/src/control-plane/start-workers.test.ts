import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDefaultEnvironment, createStoreState, openSqliteStore } from '@switchyard/control-plane';
import { createDeferred, systemClock } from '@switchyard/kernel';
import { afterEach, describe, expect, it } from 'vitest';
import { startWorkers } from './start-workers.ts';
import { createFakeControl } from './testing/fake-control.ts';
import { openFakePlatform } from './testing/fake-platform.ts';
import { createFakeTarget } from './testing/fake-target.ts';

const folder = mkdtempSync(join(tmpdir(), 'start-workers-'));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('startWorkers', () => {
  it('runs one worker alone, over the store that another process has open too', async () => {
    const fake = openFakePlatform();
    const codeVersion = fake.upload('shop', 'a');
    for (const record of fake.catalog.deployments.list('shop')) fake.deploy(record);
    fake.catalog.traffic.set('shop', { weights: [{ codeVersion, weight: 100 }], reason: 'traffic' });
    const control = createFakeControl(createFakeTarget(fake), { read: async () => undefined });
    const store = openSqliteStore({ clock: systemClock }, { file: join(folder, 'control.sqlite') });
    const state = createStoreState({ store, clock: systemClock });
    await state.commit({ puts: createDefaultEnvironment('acme'), removes: [], events: [] });
    const swept = createDeferred<void>();
    const asked = { times: 0 };
    const lines: string[] = [];
    const running = await startWorkers({
      ...{ workers: ['inventory'], directory: folder, environment: { PATH: process.env.PATH }, verbose: true },
      control: {
        ...control,
        list: (after, signal) => {
          asked.times += 1;
          return control.list(after, signal);
        },
      },
      console: {
        write: (text) => {
          lines.push(text);
          if (text.includes('A worker has acted')) swept.resolve();
        },
      },
    });
    await swept.promise;
    await running.stop();
    expect(await state.list('service')).toMatchObject([
      { serviceId: 'shop', managed: false, computeTarget: 'switchyard' },
    ]);
    expect(lines.map((line) => JSON.parse(line).message)).toContain('Workers of the control plane run');
    const before = asked.times;
    expect(before).toBeGreaterThan(0);
    await store.close();
    fake.close();
  });

  it('leaves nothing behind when a store cannot be had', async () => {
    const fake = openFakePlatform();
    const control = createFakeControl(createFakeTarget(fake), { read: async () => undefined });
    const starting = startWorkers({
      ...{ workers: ['drift'], directory: folder, environment: {}, verbose: false, control },
      ...{ console: { write: () => {} }, storeUrl: 'postgresql://127.0.0.1:1/nowhere' },
    });
    await expect(starting).rejects.toMatchObject({ name: 'PlatformError' });
    fake.close();
  });
});
