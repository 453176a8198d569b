import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import type { DynamicLimit, ListenerContext } from '../contract.ts';
import { createSingletonLocks } from '../singleton/lease-locks.ts';
import { OutageLog } from '../storage/outage-log.ts';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { MemoryQueues } from '../testing/memory-queues.ts';
import { createBinding, createContext, createScope } from '../testing/scope.ts';
import { createScriptedInvoke, succeeded } from '../testing/scripted-invoke.ts';
import { memoryConnection } from '../testing/storage.ts';
import { parseBlobPattern } from './blob-pattern.ts';
import { type BlobHubOptions, BlobSeat, BlobTriggerHubs } from './blob-trigger-hub.ts';
import { BlobWrites } from './blob-writes.ts';

const options: BlobHubOptions = {
  hostStorage: memoryConnection,
  blobs: { maxDegreeOfParallelism: 8, poisonBlobThreshold: 5 },
  pollMs: 2_000,
  periods: { periodMs: 15_000, recoveryMs: 15_000 },
};

function rig() {
  const clock = new VirtualClock();
  const blobs = new MemoryBlobs(clock);
  const random = createSeededRandom(1);
  const base = createContext({ clock, random });
  const locks = createSingletonLocks({ ...base, blobs });
  const hubs = new BlobTriggerHubs({ blobs, queues: new MemoryQueues(clock), locks, writes: new BlobWrites() });
  const seat = (name: string, answers = true, concurrency?: DynamicLimit) => {
    const scripted = createScriptedInvoke(answers ? succeeded : undefined);
    const context: ListenerContext = {
      ...base,
      functionName: name,
      invoke: scripted.invoke,
      ...(concurrency && { concurrency }),
    };
    const binding = createBinding({ name: 'b', type: 'blobTrigger', path: 'images/{name}' });
    const pattern = parseBlobPattern(binding, createScope());
    const outage = new OutageLog(base.log, { began: '', ended: '', fields: {} });
    const made = new BlobSeat(
      { functionId: `Host.Functions.${name}`, pattern, connection: memoryConnection },
      {
        ...{ context, pattern, dataType: undefined, deferredConnection: undefined, outage },
        open: (container) => blobs.open(memoryConnection, container),
      },
    );
    return { seat: made, context, calls: scripted.calls };
  };
  return { clock, blobs, hubs, seat };
}

describe('the invariants of BlobTriggerHubs', () => {
  it('I1: functions of an app share a hub, until the last one has left', async () => {
    const { clock, blobs, hubs, seat } = rig();
    const [a, b, c] = [seat('A'), seat('B'), seat('C')];
    const hub = hubs.join(a.seat, options, a.context);
    expect(hubs.join(b.seat, options, b.context)).toBe(hub);
    expect([hubs.leave(a.seat, hub), hubs.leave(a.seat, hub)]).toEqual([false, false]);
    blobs.put(memoryConnection, 'images/1');
    await clock.advance(5_000);
    expect([a.calls.length, b.calls.length]).toEqual([0, 1]);
    expect(hubs.leave(b.seat, hub)).toBe(true);
    const next = hubs.join(c.seat, options, c.context);
    expect(next).not.toBe(hub);
    await clock.runUntil(hub.drain(new AbortController().signal));
    await clock.runUntil(hub.close());
    blobs.put(memoryConnection, 'images/2');
    await clock.advance(20_000);
    expect([b.calls.length, c.calls.length]).toEqual([1, 2]);
    await clock.runUntil(next.close());
    expect(clock.pendingTimers).toBe(0);
  });

  it('I1: the dynamic limits of all of its functions together are those of their reader', async () => {
    const { clock, blobs, hubs, seat } = rig();
    const [a, b] = [seat('A', false, { current: 1 }), seat('B', false, { current: 2 })];
    const hub = hubs.join(a.seat, options, a.context);
    hubs.join(b.seat, options, b.context);
    for (let index = 0; index < 5; index += 1) blobs.put(memoryConnection, `images/${index}`);
    await clock.advance(30_000);
    expect(a.calls.length + b.calls.length).toBe(3);
    for (const one of [a, b]) hubs.leave(one.seat, hub);
    for (const { answer } of [...a.calls, ...b.calls]) answer.resolve(succeeded());
    await clock.runUntil(hub.close());
  });

  it.each([
    ['another app', { applicationId: 'other' }, {}],
    ['another host id', { hostId: 'other' }, {}],
    ['other options', {}, { pollMs: 1_000 }],
  ])('I1: %s has a hub of its own', async (_name, context, changed) => {
    const { clock, hubs, seat } = rig();
    const [a, b] = [seat('A'), seat('B')];
    const first = hubs.join(a.seat, options, a.context);
    const second = hubs.join(b.seat, { ...options, ...changed }, { ...b.context, ...context });
    expect(second).not.toBe(first);
    await clock.runUntil(Promise.all([first.close(), second.close()]));
  });

  it('I1: one function tells what waits for all of them', async () => {
    const { clock, blobs, hubs, seat } = rig();
    const [a, b] = [seat('A', false), seat('B', false)];
    const hub = hubs.join(a.seat, options, a.context);
    hubs.join(b.seat, options, b.context);
    for (let index = 0; index < 20; index += 1) blobs.put(memoryConnection, `images/${index}`);
    await clock.advance(5_000);
    const { signal } = new AbortController();
    // Two functions want 20 blobs each, and 8 are in hand.
    expect(await hub.backlog(a.seat, signal)).toMatchObject({ messageCount: 32 });
    expect(await hub.backlog(b.seat, signal)).toBeUndefined();
    hubs.leave(a.seat, hub);
    expect(await hub.backlog(b.seat, signal)).toMatchObject({ messageCount: 32 });
    a.seat.abandon();
    b.seat.abandon();
    await clock.runUntil(hub.close());
  });

  it('I2: the function that joined last under a name gets the message', async () => {
    const { clock, blobs, hubs, seat } = rig();
    const [old, next] = [seat('A'), seat('A')];
    const hub = hubs.join(old.seat, options, old.context);
    hubs.join(next.seat, options, next.context);
    blobs.put(memoryConnection, 'images/1');
    await clock.advance(5_000);
    expect([old.calls.length, next.calls.length]).toEqual([0, 1]);
    hubs.leave(next.seat, hub);
    blobs.put(memoryConnection, 'images/2');
    await clock.advance(5_000);
    expect([old.calls.length, next.calls.length]).toEqual([1, 1]);
    await clock.runUntil(hub.close());
  });

  it('I3: what a function had begun may end, or is given back when it is abandoned', async () => {
    const { clock, blobs, hubs, seat } = rig();
    const [leaving, staying] = [seat('A', false), seat('B')];
    const hub = hubs.join(leaving.seat, options, leaving.context);
    hubs.join(staying.seat, options, staying.context);
    blobs.put(memoryConnection, 'images/1');
    await clock.advance(5_000);
    hubs.leave(leaving.seat, hub);
    let isIdle = false;
    const idle = leaving.seat.idle().then(() => {
      isIdle = true;
    });
    blobs.put(memoryConnection, 'images/2');
    await clock.advance(5_000);
    expect([leaving.calls.length, isIdle]).toEqual([1, false]);
    leaving.seat.abandon();
    await idle;
    expect(await leaving.seat.target.context.invoke({ ...(leaving.calls[0]?.event ?? never()) })).toMatchObject({
      kind: 'lost',
      reason: 'stopping',
    });
    await clock.runUntil(hub.close());
  });
});

function never(): never {
  throw new Error('there was no call');
}
