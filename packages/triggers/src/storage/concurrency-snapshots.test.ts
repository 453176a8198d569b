import { createSettingsView } from '@switchyard/model';
import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { memoryConnection } from '../testing/storage.ts';
import { createConcurrencySnapshots } from './concurrency-snapshots.ts';
import { findHostStorage } from './host-storage.ts';

const settings = createSettingsView([['AzureWebJobsStorage', 'UseDevelopmentStorage=true']]);
const blob = 'concurrency/shop/concurrencyStatus.json';

function rig() {
  const clock = new VirtualClock(Date.UTC(2026, 0, 2));
  const blobs = new MemoryBlobs(clock);
  const open = createConcurrencySnapshots({ clock, random: createSeededRandom(1), blobs });
  const snapshots = open({ settings, hostId: 'shop', cpus: 4 });
  const container = blobs.open(findHostStorage(settings) ?? memoryConnection, 'azure-webjobs-hosts');
  return { clock, blobs, open, snapshots, container };
}

const { signal } = new AbortController();

describe('createConcurrencySnapshots', () => {
  it('writes what the official host writes, where it writes it', async () => {
    const { clock, snapshots, container } = rig();
    await clock.runUntil(snapshots?.write(new Map([['Pack', 7]])) ?? Promise.resolve());
    const read = await container.read(blob, { maxBytes: 1_000 }, signal);
    expect(read.kind === 'found' ? JSON.parse(new TextDecoder().decode(read.bytes)) : read).toEqual({
      Timestamp: '2026-01-02T00:00:00.000Z',
      NumberOfCores: 4,
      FunctionSnapshots: { 'Host.Functions.Pack': { Concurrency: 7 } },
    });
    expect(await snapshots?.read()).toEqual(new Map([['Pack', 7]]));
  });

  it('has nothing where nothing was written', async () => {
    expect(await rig().snapshots?.read()).toEqual(new Map());
  });

  it.each([
    ['', []],
    ['{"FunctionSnapshots": []}', []],
    [
      '{"FunctionSnapshots": {"Host.Functions.A": {"Concurrency": 3}, "Host.Functions.B": {"Concurrency": 0}, "C": {"Concurrency": 2}}}',
      [['A', 3]],
    ],
    ['{"FunctionSnapshots": {"Host.Functions.A": null, "Host.Functions.B": {"Concurrency": "4"}}}', []],
  ])('reads of %j what it can', async (text, expected) => {
    const { snapshots, container } = rig();
    await container.create(signal);
    await container.write(blob, new TextEncoder().encode(text), {}, signal);
    expect([...((await snapshots?.read()) ?? [])]).toEqual(expected);
  });

  it('rejects while storage is away', async () => {
    const { clock, blobs, snapshots } = rig();
    blobs.fault = () => Promise.reject(new Error('away'));
    const outcome = snapshots?.read().then(
      () => 'read',
      () => 'rejected',
    );
    expect(await clock.runUntil(outcome ?? Promise.resolve(''))).toBe('rejected');
  });

  it('keeps nothing for an app without storage', () => {
    expect(rig().open({ settings: createSettingsView([]), hostId: 'shop', cpus: 1 })).toBeUndefined();
  });
});
