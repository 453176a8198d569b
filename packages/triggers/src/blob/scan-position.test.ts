import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { memoryConnection } from '../testing/storage.ts';
import { loadScanPosition, saveScanPosition } from './scan-position.ts';

const { signal } = new AbortController();
const scan = { hostId: 'host', account: 'shop', container: 'images' };
const blob = 'blobscaninfo/host/shop/images/scanInfo';

function rig() {
  const clock = new VirtualClock();
  const blobs = new MemoryBlobs(clock);
  const hosts = blobs.open(memoryConnection, 'azure-webjobs-hosts');
  const deps = { clock, random: createSeededRandom(1) };
  return { clock, blobs, hosts, deps };
}

describe('scan positions', () => {
  it('are read back, in the official place and shape', async () => {
    const { blobs, hosts, deps } = rig();
    blobs.create(memoryConnection, 'azure-webjobs-hosts');
    await saveScanPosition(deps, hosts, scan, Date.UTC(2024, 0, 2, 3, 4, 5), signal);
    expect(blobs.text(memoryConnection, 'azure-webjobs-hosts', blob)).toBe(
      '{"LatestScan":"2024-01-02T03:04:05.000+00:00"}',
    );
    expect(await loadScanPosition(deps, hosts, scan, signal)).toBe(Date.UTC(2024, 0, 2, 3, 4, 5));
  });

  it('are none where nothing was saved', async () => {
    const { blobs, hosts, deps } = rig();
    expect(await loadScanPosition(deps, hosts, scan, signal)).toBeUndefined();
    await saveScanPosition(deps, hosts, scan, 0, signal);
    expect(blobs.names(memoryConnection, 'azure-webjobs-hosts')).toBeUndefined();
  });

  it.each(['', 'null', '{}', '{"LatestScan":"never"}', '{"LatestScan":5}', '[1]'])('are none in %o', async (text) => {
    const { blobs, hosts, deps } = rig();
    blobs.put(memoryConnection, `azure-webjobs-hosts/${blob}`, text);
    expect(await loadScanPosition(deps, hosts, scan, signal)).toBeUndefined();
  });

  it('are read as the official host writes them', async () => {
    const { blobs, hosts, deps } = rig();
    blobs.put(memoryConnection, `azure-webjobs-hosts/${blob}`, '{"LatestScan":"2024-01-02T05:04:04.9990000+02:00"}');
    expect(await loadScanPosition(deps, hosts, scan, signal)).toBe(Date.UTC(2024, 0, 2, 3, 4, 4, 999));
  });

  it('reject while storage is down, since a wrong guess would cost a whole scan', async () => {
    const { clock, blobs, hosts, deps } = rig();
    blobs.fault = () => Promise.reject(new Error('down'));
    await expect(clock.runUntil(loadScanPosition(deps, hosts, scan, signal))).rejects.toThrow('down');
  });
});
