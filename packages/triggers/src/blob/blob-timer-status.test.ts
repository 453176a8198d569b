import { Secret, systemClock, systemRandom } from '@switchyard/kernel';
import { createSeededRandom, requirePart, VirtualClock } from '@switchyard/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAzureBlobService } from '../azure-storage/azure-blob-service.ts';
import type { StorageConnection } from '../storage/storage-connection.ts';
import { type Azurite, azuriteHint, findAzurite, startAzurite } from '../testing/azurite.ts';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { createMemoryTimerStatus } from '../testing/memory-timer-status.ts';
import { memoryConnection } from '../testing/storage.ts';
import type { TimerKey } from '../timer/timer-status-store.ts';
import { testTimerStatusStore } from '../timer/timer-status-store-suite.ts';
import { chooseTimerStatus, createBlobTimerStatus } from './blob-timer-status.ts';

const { signal } = new AbortController();
const key: TimerKey = { applicationId: 'shop', hostId: 'host', functionName: 'Tick' };
const blob = 'timers/host/Host.Functions.Tick/status';

/** Every app has an account of its own. */
function accountOf(applicationId: string): StorageConnection {
  return { connectionString: new Secret(''), queueEndpoint: `memory://${applicationId}` };
}

function rig() {
  const clock = new VirtualClock();
  const blobs = new MemoryBlobs(clock);
  const deps = { clock, random: createSeededRandom(1), blobs };
  return { clock, blobs, deps, store: createBlobTimerStatus(deps, memoryConnection) };
}

testTimerStatusStore('apps with storage', async () => {
  return chooseTimerStatus({ deps: rig().deps, connectionOf: accountOf, fallback: createMemoryTimerStatus() });
});

testTimerStatusStore('apps without storage', async () => {
  return chooseTimerStatus({ deps: rig().deps, connectionOf: () => undefined, fallback: createMemoryTimerStatus() });
});

const entry = findAzurite();
const part = requirePart('Azurite', entry !== undefined, azuriteHint);

describe.skipIf(part.skip)('with a real service', () => {
  let azurite: Azurite;
  beforeAll(async () => {
    azurite = await startAzurite(entry ?? '');
  });
  afterAll(() => azurite.stop());

  it('survives as long as the account does', async () => {
    const deps = { clock: systemClock, random: systemRandom, blobs: createAzureBlobService() };
    const status = { lastMs: 1_700_000_000_123, nextMs: 1_700_000_060_000, lastUpdatedMs: 1_700_000_000_123 };
    await createBlobTimerStatus(deps, azurite.connection).write(key, status);
    await createBlobTimerStatus(deps, azurite.connection).write(key, status);
    expect(await createBlobTimerStatus(deps, azurite.connection).read(key, signal)).toEqual(status);
  });
});

describe('createBlobTimerStatus', () => {
  it('writes in the official place and shape', async () => {
    const { blobs, store } = rig();
    await store.write(key, { lastMs: undefined, nextMs: Date.UTC(2024, 0, 2, 3, 4, 5), lastUpdatedMs: undefined });
    expect(blobs.text(memoryConnection, 'azure-webjobs-hosts', blob)).toBe(
      '{"Last":"0001-01-01T00:00:00","Next":"2024-01-02T03:04:05.000Z","LastUpdated":"0001-01-01T00:00:00"}',
    );
  });

  it('reads what the official host writes', async () => {
    const { blobs, store } = rig();
    const text =
      '{"Last":"0001-01-01T00:00:00","Next":"2024-01-02T05:04:05.1234567+02:00","LastUpdated":"2024-01-01T00:00:00Z"}';
    blobs.put(memoryConnection, `azure-webjobs-hosts/${blob}`, text);
    expect(await store.read(key, signal)).toEqual({
      lastMs: undefined,
      nextMs: Date.UTC(2024, 0, 2, 3, 4, 5, 123),
      lastUpdatedMs: Date.UTC(2024, 0, 1),
    });
  });

  it.each(['', '[]', 'null', '{"Last":5}', '{"Last":"soon"}'])('names the blob when it holds %o', async (text) => {
    const { blobs, store } = rig();
    blobs.put(memoryConnection, `azure-webjobs-hosts/${blob}`, text);
    await expect(store.read(key, signal)).rejects.toThrow(/timers\/host\/Host\.Functions\.Tick\/status.*Delete/);
  });

  it('rejects while storage is down', async () => {
    const { clock, blobs, store } = rig();
    blobs.fault = () => Promise.reject(new Error('down'));
    await expect(clock.runUntil(store.read(key, signal))).rejects.toThrow('down');
    await expect(clock.runUntil(store.write(key, { lastMs: 1, nextMs: 2, lastUpdatedMs: 3 }))).rejects.toThrow('down');
  });
});
