import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { memoryConnection } from '../testing/storage.ts';
import { BlobReceipts, type ReceiptName, receiptLeaseMs } from './blob-receipts.ts';

const { signal } = new AbortController();
const name: ReceiptName = { functionId: 'Host.Functions.A', etag: '"0x1"', container: 'images', blob: 'a/b' };
const blob = 'blobreceipts/host/Host.Functions.A/"0x1"/images/a/b';
const hosts = 'azure-webjobs-hosts';

function rig() {
  const clock = new VirtualClock();
  const blobs = new MemoryBlobs(clock);
  const open = (seed: number): BlobReceipts =>
    new BlobReceipts({
      clock,
      random: createSeededRandom(seed),
      hosts: blobs.open(memoryConnection, hosts),
      hostId: 'host',
    });
  return { clock, blobs, ours: open(1), theirs: open(2) };
}

async function claimed(receipts: BlobReceipts): Promise<string> {
  const claim = await receipts.claim(name, signal);
  if (claim.kind !== 'claimed') throw new Error(`expected a claim, got ${claim.kind}`);
  return claim.leaseId;
}

describe('BlobReceipts', () => {
  it('lies in the official place, with the official mark until it is complete', async () => {
    const { blobs, ours } = rig();
    const leaseId = await claimed(ours);
    expect(blobs.names(memoryConnection, hosts)).toEqual([blob]);
    expect(blobs.metadata(memoryConnection, hosts, blob)).toEqual(new Map([['Incomplete', 'Incomplete']]));
    expect(blobs.leaseOf(memoryConnection, hosts, blob)).toBe(leaseId);
    await ours.complete(name, leaseId, signal);
    expect(blobs.metadata(memoryConnection, hosts, blob)).toEqual(new Map());
    expect(blobs.leaseOf(memoryConnection, hosts, blob)).toBeUndefined();
  });

  it('keeps functions, versions and blobs apart', async () => {
    const { ours } = rig();
    await ours.complete(name, await claimed(ours), signal);
    const others = [{ functionId: 'B' }, { etag: '"0x2"' }, { container: 'other' }, { blob: 'b' }];
    for (const other of others) expect(ours.isKnown({ ...name, ...other })).toBe(false);
    for (const other of others) {
      expect((await ours.claim({ ...name, ...other }, signal)).kind).toBe('claimed');
    }
  });

  it('a claim that was given back can be had again', async () => {
    const { ours, theirs } = rig();
    await ours.release(name, await claimed(ours), signal);
    expect((await theirs.claim(name, signal)).kind).toBe('claimed');
  });

  it('is content when the user deletes a receipt, which means: once more', async () => {
    const { blobs, ours, theirs } = rig();
    const leaseId = await claimed(ours);
    blobs.remove(memoryConnection, hosts);
    await ours.complete(name, leaseId, signal);
    expect(ours.isKnown(name)).toBe(false);
    expect((await theirs.claim(name, signal)).kind).toBe('claimed');
  });
});

describe('the invariants of BlobReceipts', () => {
  it('I1: of two who claim at once, one gets it, at any interleaving', async () => {
    for (let slow = 0; slow < 8; slow += 1) {
      const { clock, blobs, ours, theirs } = rig();
      blobs.create(memoryConnection, hosts);
      let requests = 0;
      blobs.fault = () => {
        requests += 1;
        return requests % 8 === slow ? new Promise((resolve) => clock.schedule(100, resolve)) : undefined;
      };
      const claims = await clock.runUntil(Promise.all([ours.claim(name, signal), theirs.claim(name, signal)]));
      expect(claims.filter(({ kind }) => kind === 'claimed').length).toBeLessThanOrEqual(1);
      blobs.fault = () => undefined;
      await clock.advance(receiptLeaseMs);
      await ours.complete(name, await claimed(ours), signal);
      expect(await theirs.claim(name, signal)).toEqual({ kind: 'complete' });
    }
  });

  it('I1: nobody claims what is complete', async () => {
    const { ours, theirs } = rig();
    await ours.complete(name, await claimed(ours), signal);
    expect(await theirs.claim(name, signal)).toEqual({ kind: 'complete' });
    expect(await ours.claim(name, signal)).toEqual({ kind: 'complete' });
  });

  it('I1: one who was overtaken between looking and claiming sees it', async () => {
    const { clock, blobs, ours, theirs } = rig();
    const leaseId = await claimed(theirs);
    blobs.fault = (operation) => {
      if (operation !== 'acquireLease') return undefined;
      return new Promise((resolve) => clock.schedule(1_000, resolve));
    };
    const late = ours.claim(name, signal);
    await clock.settle();
    await theirs.complete(name, leaseId, signal);
    expect(await clock.runUntil(late)).toEqual({ kind: 'busy' });
    blobs.fault = () => undefined;
    expect(await ours.claim(name, signal)).toEqual({ kind: 'complete' });
    expect(blobs.leaseOf(memoryConnection, hosts, blob)).toBeUndefined();
  });

  it('I2: a claim whose owner vanished is had by others after its time', async () => {
    const { clock, ours, theirs } = rig();
    const leaseId = await claimed(ours);
    await clock.advance(receiptLeaseMs - 1);
    expect(await theirs.claim(name, signal)).toEqual({ kind: 'busy' });
    await clock.advance(1);
    const next = await claimed(theirs);
    await ours.complete(name, leaseId, signal);
    expect(ours.isKnown(name)).toBe(false);
    await theirs.complete(name, next, signal);
    expect(theirs.isKnown(name)).toBe(true);
  });

  it('I3: a reader completes what the scanner could not, also under its lease', async () => {
    const { clock, blobs, ours, theirs } = rig();
    const leaseId = await claimed(ours);
    await theirs.confirm(name, signal);
    expect(blobs.metadata(memoryConnection, hosts, blob)).toEqual(new Map());
    await ours.complete(name, leaseId, signal);
    await clock.advance(receiptLeaseMs);
    expect(await ours.claim(name, signal)).toEqual({ kind: 'complete' });
  });

  it('I3: a message without a receipt is confirmed without making one', async () => {
    const { blobs, ours } = rig();
    await ours.confirm(name, signal);
    expect(blobs.names(memoryConnection, hosts)).toBeUndefined();
  });

  it('I4: what is known to be complete costs nothing', async () => {
    const { blobs, ours, theirs } = rig();
    await ours.complete(name, await claimed(ours), signal);
    const before = blobs.requests.length;
    await ours.confirm(name, signal);
    expect([ours.isKnown(name), blobs.requests.length]).toEqual([true, before]);
    expect(theirs.isKnown(name)).toBe(false);
    await theirs.claim(name, signal);
    expect(theirs.isKnown(name)).toBe(true);
  });

  it('I4: remembers a bounded number, the latest ones', async () => {
    const { blobs, ours } = rig();
    const count = 20_001;
    const names = Array.from({ length: count }, (_, index) => ({ ...name, blob: `b${index}` }));
    for (const { blob: one } of names) {
      blobs.put(memoryConnection, `${hosts}/blobreceipts/host/Host.Functions.A/"0x1"/images/${one}`);
    }
    for (const one of names) await ours.claim(one, signal);
    const [first] = names;
    const last = names.at(-1);
    expect(first !== undefined && ours.isKnown(first)).toBe(false);
    expect(last !== undefined && ours.isKnown(last)).toBe(true);
    expect(names.filter((one) => ours.isKnown(one))).toHaveLength(20_000);
  });
});
