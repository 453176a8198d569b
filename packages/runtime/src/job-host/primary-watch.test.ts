import {
  createFakeWorker,
  createMemoryLog,
  createSeededRandom,
  type FakeFunction,
  VirtualClock,
} from '@switchyard/testkit';
import type { PrimaryHosts } from '@switchyard/triggers';
import { describe, expect, test } from 'vitest';
import { call } from '../testing/fake-http.ts';
import { createHarness } from '../testing/runtime-harness.ts';
import { createApplication } from '../testing/sample-application.ts';

const listening = [
  { name: 'f' },
  { name: 'heard', bindings: [{ type: 'eventTrigger', direction: 'in' as const, name: 'event' }] },
];

/** Everybody who seeks to be primary is, at once. */
function createRun() {
  const clock = new VirtualClock();
  const told: string[] = [];
  const primaryHosts: PrimaryHosts = {
    open({ hostId, instanceId }) {
      told.push(`open ${hostId} ${instanceId}`);
      return { isPrimary: true, close: async () => void told.push(`close ${instanceId}`) };
    },
  };
  const harness = createHarness({ clock, log: createMemoryLog(), random: createSeededRandom(1), primaryHosts });
  const add = async (metadataVersion: string, functions: readonly FakeFunction[], settings = {}) => {
    const definition = { applicationId: 'shop', metadataVersion, codeVersion: '1' };
    const added = harness.runtime.addApplication(createApplication({ definition, settings }));
    const workerId = `w${metadataVersion}`;
    const worker = createFakeWorker(harness.dial(workerId, definition), { workerId, functions });
    await clock.runUntil(added);
    await clock.settle();
    return worker;
  };
  return { clock, told, add, ...harness };
}

describe('PrimaryWatch', () => {
  test('an app that listens seeks to be primary with its first worker, tells it, and gives it back at its end', async () => {
    const { clock, told, add, runtime } = createRun();
    await add('1', listening);
    expect(told).toEqual(['open sample-host shop:1']);
    expect(JSON.parse((await call(runtime, '/admin/host/status').reply).body).isPrimary).toBe(true);
    await clock.runUntil(runtime.removeApplication('shop:1', 0));
    expect(told).toEqual(['open sample-host shop:1', 'close shop:1']);
  });

  test('an app whose worker goes gives it back', async () => {
    const { clock, told, add, supply } = createRun();
    await add('1', listening);
    supply.exit('w1');
    await clock.settle();
    expect(told).toEqual(['open sample-host shop:1', 'close shop:1']);
  });

  test.each([
    ['has routes alone', [{ name: 'f' }], {}],
    ['has disabled what listens', listening, { 'AzureWebJobs.heard.Disabled': '1' }],
  ])('an app that %s does not', async (_, functions, settings) => {
    const { told, add, runtime } = createRun();
    await add('1', functions, settings);
    expect(told).toEqual([]);
    expect(JSON.parse((await call(runtime, '/admin/host/status').reply).body).isPrimary).toBe(false);
  });

  test('of two versions the one seeks it that gets the events', async () => {
    const { clock, told, add, runtime } = createRun();
    await add('1', listening);
    await add('2', listening);
    await clock.runUntil(runtime.removeApplication('shop:1', 0));
    expect(told.slice(0, 2)).toEqual(['open sample-host shop:1', 'open sample-host shop:2']);
    expect(told).toContain('close shop:1');
    expect(told).not.toContain('close shop:2');
  });
});
