import { silentMeter } from '@switchyard/kernel';
import { createMemoryLog, createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { createBinding, createScope } from '../testing/scope.ts';
import { memoryConnection } from '../testing/storage.ts';
import { parseBlobPattern } from './blob-pattern.ts';
import { BlobReceipts } from './blob-receipts.ts';
import type { BlobTriggerMessage } from './blob-trigger-message.ts';
import { type BlobWatcher, ContainerScan } from './container-scan.ts';

const { signal } = new AbortController();
const plenty = 10_000;

function watcher(functionId: string, path: string): BlobWatcher {
  return {
    functionId,
    pattern: parseBlobPattern(createBinding({ name: 'b', type: 'blobTrigger', path }), createScope()),
  };
}

const all = watcher('Host.Functions.All', 'images/{name}');

function rig() {
  const clock = new VirtualClock();
  const blobs = new MemoryBlobs(clock);
  const log = createMemoryLog(clock);
  const sent: BlobTriggerMessage[] = [];
  const control = {
    isHeld: true,
    send: async (_message: BlobTriggerMessage): Promise<void> => {},
    wakes: 0,
  };
  const random = createSeededRandom(1);
  const hosts = blobs.open(memoryConnection, 'azure-webjobs-hosts');
  const open = (): ContainerScan =>
    new ContainerScan(
      {
        ...{ clock, random, log, meter: silentMeter, hosts },
        receipts: new BlobReceipts({ clock, random, hosts, hostId: 'host' }),
        lock: {
          get isHeld() {
            return control.isHeld;
          },
          lost: signal,
        },
        send: async (message) => {
          await control.send(message);
          sent.push(message);
        },
        sent: () => {
          control.wakes += 1;
        },
      },
      blobs.open(memoryConnection, 'images'),
      { hostId: 'host', account: 'shop', container: 'images' },
    );
  const position = (): string | undefined =>
    blobs.text(memoryConnection, 'azure-webjobs-hosts', 'blobscaninfo/host/shop/images/scanInfo');
  return { clock, blobs, log, control, open, scan: open(), position, names: () => sent.map(({ blob }) => blob), sent };
}

describe('ContainerScan', () => {
  it('hands on what is there, then what is new, and keeps the position', async () => {
    const { clock, blobs, scan, names, position, sent, control } = rig();
    const etag = blobs.put(memoryConnection, 'images/a');
    await clock.advance(60_000);
    await scan.poll([all], plenty, signal);
    expect(sent).toEqual([
      { functionId: 'Host.Functions.All', blobType: 'Block', container: 'images', blob: 'a', etag },
    ]);
    expect(position()).toBe('{"LatestScan":"2024-01-01T00:00:00.000+00:00"}');
    expect(control.wakes).toBe(1);
    blobs.put(memoryConnection, 'images/b');
    await scan.poll([all], plenty, signal);
    await scan.poll([all], plenty, signal);
    expect(names()).toEqual(['a', 'b']);
  });

  it('begins where the last scan stopped', async () => {
    const { clock, blobs, names, open, scan } = rig();
    blobs.put(memoryConnection, 'images/a');
    await clock.advance(60_000);
    await scan.poll([all], plenty, signal);
    blobs.remove(memoryConnection, 'azure-webjobs-hosts');
    blobs.put(
      memoryConnection,
      'azure-webjobs-hosts/blobscaninfo/host/shop/images/scanInfo',
      '{"LatestScan":"2024-01-01T00:00:30Z"}',
    );
    blobs.put(memoryConnection, 'images/b');
    await open().poll([all], plenty, signal);
    expect(names()).toEqual(['a', 'b']);
  });

  it('takes as many polls as its budget makes it', async () => {
    const { blobs, scan, names } = rig();
    for (const name of ['a', 'b', 'c', 'd', 'e']) blobs.put(memoryConnection, `images/${name}`);
    const counts: number[] = [];
    for (let poll = 0; poll < 3; poll += 1) {
      await scan.poll([all], 2, signal);
      counts.push(names().length);
    }
    expect(counts).toEqual([2, 4, 5]);
  });

  it('offers every blob to every function that it matches', async () => {
    const { blobs, scan, sent } = rig();
    for (const name of ['a.png', 'b.txt']) blobs.put(memoryConnection, `images/${name}`);
    await scan.poll([all, watcher('Host.Functions.Png', 'images/{name}.png')], plenty, signal);
    expect(sent.map(({ functionId, blob }) => `${functionId} ${blob}`).sort()).toEqual([
      'Host.Functions.All a.png',
      'Host.Functions.All b.txt',
      'Host.Functions.Png a.png',
    ]);
  });

  it('looks at one blob out of turn, if it matches and exists', async () => {
    const { blobs, scan, names } = rig();
    blobs.put(memoryConnection, 'images/a.png');
    const png = watcher('Host.Functions.Png', 'images/{name}.png');
    for (const name of ['a.png', 'a.txt', 'gone.png']) await scan.look([png], name, signal);
    await scan.poll([png], plenty, signal);
    expect(names()).toEqual(['a.png']);
  });

  it('survives an outage with one warning', async () => {
    const { clock, blobs, scan, names, log } = rig();
    blobs.put(memoryConnection, 'images/a');
    blobs.fault = () => Promise.reject(new Error('down'));
    for (let poll = 0; poll < 3; poll += 1) await clock.runUntil(scan.poll([all], plenty, signal));
    await clock.runUntil(scan.look([all], 'a', signal));
    blobs.fault = () => undefined;
    await scan.poll([all], plenty, signal);
    expect(names()).toEqual(['a']);
    expect(log.records.filter(({ level }) => level !== 'debug').map(({ level }) => level)).toEqual([
      'warning',
      'information',
    ]);
  });
});

describe('the invariants of ContainerScan', () => {
  it('I1: the message is sent before the receipt is complete, and under its lease', async () => {
    const { blobs, scan, control } = rig();
    const etag = blobs.put(memoryConnection, 'images/a');
    const receipt = `blobreceipts/host/Host.Functions.All/${etag}/images/a`;
    const seen: unknown[] = [];
    control.send = async () => {
      seen.push(blobs.metadata(memoryConnection, 'azure-webjobs-hosts', receipt)?.has('Incomplete'));
      seen.push(blobs.leaseOf(memoryConnection, 'azure-webjobs-hosts', receipt) !== undefined);
    };
    await scan.poll([all], plenty, signal);
    expect(seen).toEqual([true, true]);
    expect(blobs.metadata(memoryConnection, 'azure-webjobs-hosts', receipt)).toEqual(new Map());
    expect(blobs.leaseOf(memoryConnection, 'azure-webjobs-hosts', receipt)).toBeUndefined();
  });

  it('I2: a blob that cannot be handed on keeps the position back, over a restart too', async () => {
    const { clock, blobs, scan, control, open, names, position } = rig();
    blobs.put(memoryConnection, 'images/a');
    await clock.advance(20_000);
    blobs.put(memoryConnection, 'images/b');
    await clock.advance(60_000);
    control.send = async ({ blob }) => {
      if (blob === 'a') throw new Error('no queue');
    };
    await scan.poll([all], plenty, signal);
    await scan.poll([all], plenty, signal);
    expect([names(), position()]).toEqual([['b'], '{"LatestScan":"2024-01-01T00:00:00.000+00:00"}']);
    control.send = async () => {};
    await open().poll([all], plenty, signal);
    expect(names()).toEqual(['b', 'a']);
    expect(position()).toBe('{"LatestScan":"2024-01-01T00:00:20.000+00:00"}');
  });

  it('I3: sends nothing once the lock is lost', async () => {
    const { blobs, scan, control, names } = rig();
    blobs.put(memoryConnection, 'images/a');
    control.isHeld = false;
    await scan.poll([all], plenty, signal);
    expect(names()).toEqual([]);
  });

  it('I3: sends nothing when the claim may have run out', async () => {
    const { clock, blobs, scan, names } = rig();
    blobs.put(memoryConnection, 'images/a');
    blobs.create(memoryConnection, 'azure-webjobs-hosts');
    blobs.fault = (operation) => {
      if (operation !== 'acquireLease') return undefined;
      return new Promise((resolve) => clock.schedule(26_000, resolve));
    };
    await clock.runUntil(scan.poll([all], plenty, signal));
    expect(names()).toEqual([]);
    blobs.fault = () => undefined;
    await clock.advance(30_000);
    await scan.poll([all], plenty, signal);
    expect(names()).toEqual(['a']);
  });

  it('I3: sends nothing after it was told to stop, and the page counts as unread', async () => {
    const { clock, blobs, scan, control, names, position } = rig();
    for (let index = 0; index < 40; index += 1) blobs.put(memoryConnection, `images/${100 + index}`);
    await clock.advance(60_000);
    const stop = new AbortController();
    control.send = async () => stop.abort();
    await scan.poll([all], plenty, stop.signal);
    const before = names().length;
    expect(before).toBeLessThan(40);
    expect(position()).toBeUndefined();
    await scan.poll([all], plenty, stop.signal);
    expect(names()).toHaveLength(before);
  });

  it('I4: a container that does not exist is empty, without a word', async () => {
    const { blobs, scan, names, log } = rig();
    await scan.poll([all], plenty, signal);
    blobs.put(memoryConnection, 'images/a');
    await scan.poll([all], plenty, signal);
    blobs.remove(memoryConnection, 'images');
    await scan.poll([all], plenty, signal);
    blobs.put(memoryConnection, 'images/b');
    await scan.poll([all], plenty, signal);
    expect([names(), log.records]).toEqual([['a', 'b'], []]);
  });
});
