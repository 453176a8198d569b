import { silentLog, silentMeter } from '@switchyard/kernel';
import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { createBinding, createScope } from '../testing/scope.ts';
import { memoryConnection } from '../testing/storage.ts';
import { parseBlobPattern } from './blob-pattern.ts';
import { BlobReceipts } from './blob-receipts.ts';
import { BlobScanner, type BlobSubscription } from './blob-scanner.ts';
import { BlobWrites } from './blob-writes.ts';

const { signal } = new AbortController();
const pollMs = 10_000;

function subscription(name: string, path: string): BlobSubscription {
  const binding = createBinding({ name: 'b', type: 'blobTrigger', path });
  const pattern = parseBlobPattern(binding, createScope());
  return { functionId: `Host.Functions.${name}`, pattern, connection: memoryConnection };
}

function rig(...subscriptions: BlobSubscription[]) {
  const clock = new VirtualClock();
  const blobs = new MemoryBlobs(clock);
  const writes = new BlobWrites();
  const sent: string[] = [];
  const random = createSeededRandom(1);
  const hosts = blobs.open(memoryConnection, 'azure-webjobs-hosts');
  const scanner = new BlobScanner(
    {
      ...{ clock, random, log: silentLog, meter: silentMeter, hosts, blobs, writes, hostId: 'host' },
      receipts: new BlobReceipts({ clock, random, hosts, hostId: 'host' }),
      lock: { isHeld: true, lost: signal },
      subscriptions: () => subscriptions,
      send: async ({ container, blob }) => void sent.push(`${container}/${blob}`),
      sent: () => {},
    },
    { pollMs },
  );
  /** Writes a blob as an output of this process does. */
  const write = (path: string): void => {
    blobs.put(memoryConnection, path);
    const slash = path.indexOf('/');
    writes.notify(memoryConnection.queueEndpoint, path.slice(0, slash), path.slice(slash + 1));
  };
  return { clock, blobs, scanner, sent, write, subscriptions };
}

describe('BlobScanner', () => {
  it('does not start when the signal has aborted', async () => {
    const { clock, blobs, scanner } = rig(subscription('A', 'images/{name}'));
    await expect(scanner.start(AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
    await clock.advance(pollMs);
    expect(blobs.requests).toEqual([]);
    await scanner.close();
  });

  it('I1: polls every container once per interval', async () => {
    const { clock, blobs, scanner } = rig(
      subscription('A', 'images/{name}'),
      subscription('B', 'images/{name}.png'),
      subscription('C', 'bills/{name}'),
    );
    await scanner.start(signal);
    await clock.advance(5 * pollMs + 1);
    expect([blobs.count('list', 'images'), blobs.count('list', 'bills')]).toEqual([6, 6]);
    await scanner.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('I1: lists no more than its share of a large container per poll', async () => {
    const { clock, blobs, scanner, sent } = rig(subscription('A', 'images/{name}'), subscription('B', 'bills/{name}'));
    for (let index = 0; index < 5_200; index += 1) blobs.put(memoryConnection, `images/${10_000 + index}`);
    await scanner.start(signal);
    await clock.settle();
    for (let turn = 0; turn < 2_000 && sent.length < 5_000; turn += 1) await clock.settle();
    expect(sent).toHaveLength(5_000);
    await clock.advance(pollMs);
    for (let turn = 0; turn < 200 && sent.length < 5_200; turn += 1) await clock.settle();
    expect(sent).toHaveLength(5_200);
    await scanner.close();
  });

  it('I2: looks at what this process writes at once', async () => {
    const { clock, scanner, sent, write } = rig(subscription('A', 'images/{name}'));
    await scanner.start(signal);
    await clock.advance(1);
    write('images/a');
    write('bills/b');
    await clock.settle();
    expect(sent).toEqual(['images/a']);
    await clock.advance(5 * pollMs);
    expect(sent).toEqual(['images/a']);
    await scanner.close();
  });

  it('I2: a burst of writes is handed on completely, late ones by the next poll', async () => {
    const { clock, scanner, sent, write } = rig(subscription('A', 'images/{name}'));
    await scanner.start(signal);
    await clock.advance(1);
    for (let index = 0; index < 1_500; index += 1) write(`images/${index}`);
    await clock.advance(2 * pollMs);
    for (let turn = 0; turn < 500 && sent.length < 1_500; turn += 1) await clock.settle();
    expect(new Set(sent).size).toBe(1_500);
    expect(sent).toHaveLength(1_500);
    await scanner.close();
  });

  it('I3: takes note of functions that come and go', async () => {
    const { clock, blobs, scanner, sent, subscriptions } = rig();
    await scanner.start(signal);
    await clock.advance(pollMs);
    expect(blobs.requests).toEqual([]);
    subscriptions.push(subscription('A', 'images/{name}'));
    blobs.put(memoryConnection, 'images/a');
    await clock.advance(pollMs);
    expect(sent).toEqual(['images/a']);
    subscriptions.length = 0;
    await clock.advance(pollMs);
    const before = blobs.requests.length;
    blobs.put(memoryConnection, 'images/b');
    await clock.advance(5 * pollMs);
    expect([sent.length, blobs.requests.length]).toEqual([1, before]);
    await scanner.close();
  });

  it('I4: sends nothing after close, which does not wait for a service that is silent', async () => {
    const { clock, blobs, scanner, sent, write } = rig(subscription('A', 'images/{name}'));
    blobs.put(memoryConnection, 'images/a');
    blobs.fault = () => new Promise(() => {});
    await scanner.start(signal);
    await clock.settle();
    const beforeMs = clock.now();
    await clock.runUntil(Promise.all([scanner.close(), scanner.drain()]));
    expect(clock.now() - beforeMs).toBeLessThanOrEqual(5_000);
    blobs.fault = () => undefined;
    write('images/b');
    await clock.advance(10 * pollMs);
    expect(sent).toEqual([]);
  });

  it('I5: looks at what the logs of the account tell of, though the scan does not come to it', async () => {
    const { clock, blobs, scanner, sent } = rig(subscription('A', 'images/{name}.png'));
    blobs.put(memoryConnection, 'images/a.png');
    blobs.put(memoryConnection, 'images/b.png');
    const [day = '', hour = ''] = new Date(clock.now()).toISOString().split(/[T:]/);
    const lines = ['/shop/images/a.png', '/shop/images/gone.png', '/shop/images/a.txt', '/shop/other/a.png'].map(
      (key) => `1.0;t;PutBlob;Success;201;1;1;authenticated;shop;shop;blob;"u";"${key}";"id"\n`,
    );
    const file = `$logs/blob/${day.replaceAll('-', '/')}/${hour}00/000000.log`;
    blobs.put(memoryConnection, file, lines.join(''), { LogType: 'write' });
    // The container cannot be listed: only what somebody tells of is found.
    blobs.fault = (operation, path) =>
      operation === 'list' && path === 'images' ? Promise.reject(new Error('too large')) : undefined;
    await scanner.start(signal);
    await clock.advance(5 * pollMs);
    expect(sent).toEqual(['images/a.png']);
    await scanner.close();
  });

  it('I5: logs that cannot be read harm nothing', async () => {
    const { clock, blobs, scanner, sent } = rig(subscription('A', 'images/{name}'));
    blobs.fault = (_operation, path) => (path.startsWith('$logs') ? Promise.reject(new Error('away')) : undefined);
    await scanner.start(signal);
    blobs.put(memoryConnection, 'images/a');
    await clock.advance(3 * pollMs);
    expect(sent).toEqual(['images/a']);
    await scanner.close();
    expect(clock.pendingTimers).toBe(0);
  });
});
