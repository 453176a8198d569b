import { createMemoryLog, createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { expect, it } from 'vitest';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import { put, sampleEvent } from '../store/testing/store-contract.ts';
import { startConsumer } from './consumer.ts';
import type { HandlerVerdict } from './contract.ts';
import { openSqliteBus } from './sqlite/sqlite-bus.ts';

it('a replay runs the handler again, although its inbox had the event', async () => {
  const clock = new VirtualClock();
  const random = createSeededRandom(1);
  const store = openSqliteStore({ clock }, { file: ':memory:' });
  const bus = openSqliteBus({ clock, random, inbox: store.inbox }, { file: ':memory:' });
  await bus.ensureSubscription({ topic: 'topic', name: 'sub' });
  const outcomes: string[] = [];
  let isBroken = true;
  const handler = async ({ envelope }: { envelope: { eventId: string } }): Promise<HandlerVerdict> => {
    const inbox = { subscription: 'sub', eventId: envelope.eventId };
    const { kind } = await store.commit({ inbox, writes: [put('done', outcomes.length)] });
    outcomes.push(kind);
    // What comes after the commit fails for good.
    return isBroken ? { kind: 'refuse', reason: 'BROKEN', description: 'It is broken.' } : { kind: 'done' };
  };
  const deps = { clock, random, bus, log: createMemoryLog() };
  const consumer = startConsumer(deps, { topic: 'topic', subscription: 'sub' }, handler);
  const envelope = sampleEvent(clock);
  await bus.publish('topic', [{ envelope }]);
  await clock.settle();
  expect(outcomes).toEqual(['committed']);
  // Published again it is nothing new, neither to the bus nor, past its window, to the inbox.
  expect(await bus.publish('topic', [{ envelope }])).toEqual(['duplicate']);
  await clock.advance(3_600_000);
  await bus.publish('topic', [{ envelope }]);
  await clock.settle();
  expect(outcomes).toEqual(['committed', 'duplicate']);
  isBroken = false;
  expect(await bus.deadLetters.replayAll({ reason: 'BROKEN' })).toBe(2);
  await clock.settle();
  // Both were the same event: the first of them runs, and the second finds that it did.
  expect(outcomes).toEqual(['committed', 'duplicate', 'committed', 'duplicate']);
  expect(await bus.deadLetters.count()).toBe(0);
  await clock.runUntil(consumer.stop(0));
  await bus.close();
  await store.close();
});
