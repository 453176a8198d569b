import { createEventEnvelope, encodeEventEnvelope } from '@switchyard/protocol';
import { createSeededRandom } from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openSqliteFile } from '../../store/sqlite/sqlite-file.ts';
import { resolveSubscription } from '../resolve-subscription.ts';
import { type LockedRow, Queue, type QueueOwner } from './queue.ts';
import { SubscriptionTable } from './subscription-table.ts';
import { busApplicationId, busMigrations } from './tables.ts';

const random = createSeededRandom(5);

function body(): string {
  const draft = { eventType: 'ThingHappened', tenantId: 'acme', source: 'test', payload: null };
  return encodeEventEnvelope(createEventEnvelope({ clock: { now: () => 0 }, random }, draft));
}

function openQueue(ordered: boolean): { queue: Queue; owner: QueueOwner; count(table: string): number; close(): void } {
  const file = openSqliteFile({ file: ':memory:', applicationId: busApplicationId, migrations: busMigrations });
  const table = new SubscriptionTable(file);
  table.put(resolveSubscription({ topic: 't', name: 's', ordered, maxDeliveries: 3, lockMs: 1_000 }));
  const owner = table.find('t', 's');
  if (owner === undefined) throw new Error('no subscription');
  return {
    queue: new Queue(file),
    owner,
    count: (name) => Number(file.get(`SELECT count(*) AS value FROM ${name}`)?.value),
    close: () => file.close(),
  };
}

const note = { reason: 'FAILED', description: 'It failed.' };

/** What happens to the queue at one time. */
const happening = fc.oneof(
  fc.record({ kind: fc.constant('insert' as const), key: fc.constantFrom(undefined, 'a', 'b', 'c') }),
  fc.record({ kind: fc.constant('lock' as const), max: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constantFrom('remove' as const, 'giveBack' as const, 'bury' as const), which: fc.nat() }),
  fc.record({ kind: fc.constant('pass' as const), timeMs: fc.constantFrom(1, 500, 1_000) }),
);

describe('Queue', () => {
  it('I1, I2, I3: whatever happens, no row is locked twice, no group has two locks, and none is lost', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.array(happening, { maxLength: 60 }), (ordered, happenings) => {
        const { queue, owner, count, close } = openQueue(ordered);
        let nowMs = 1_000;
        let held: { row: LockedRow; untilMs: number }[] = [];
        let inserted = 0;
        let removed = 0;
        for (const each of happenings) {
          held = held.filter(({ untilMs }) => untilMs > nowMs);
          if (each.kind === 'pass') nowMs += each.timeMs;
          else if (each.kind === 'insert') {
            queue.insert(owner, { envelope: body(), orderingKey: each.key, dueMs: nowMs });
            inserted += 1;
          } else if (each.kind === 'lock') {
            queue.reclaim(owner, nowMs);
            for (const row of queue.lock(owner, each.max, nowMs)) {
              expect(held.map((other) => other.row.position)).not.toContain(row.position);
              const keys = held.map((other) => other.row.orderingKey).filter((key) => key !== undefined);
              if (ordered && row.orderingKey !== undefined) expect(keys).not.toContain(row.orderingKey);
              held.push({ row, untilMs: row.lockedUntilMs });
            }
          } else {
            const chosen = held[each.which % Math.max(1, held.length)];
            if (chosen === undefined) continue;
            const { position, attempts } = chosen.row;
            expect(queue.isLocked(chosen.row, nowMs)).toBe(true);
            if (each.kind === 'remove') queue.remove(position);
            else if (each.kind === 'bury') queue.bury(owner, position, note, nowMs);
            else {
              const failure = { ...note, deliveryCount: attempts, atMs: nowMs, outcome: 'retried' as const };
              queue.giveBack(position, nowMs + 10, failure);
            }
            if (each.kind === 'remove') removed += 1;
            expect(queue.isLocked(chosen.row, nowMs)).toBe(false);
            held = held.filter((other) => other !== chosen);
          }
          expect(count('queue') + count('dead_letters') + removed).toBe(inserted);
        }
        close();
      }),
      { numRuns: 200 },
    );
  });

  it('I1: an old lock of a row that is locked again opens nothing', () => {
    const { queue, owner, close } = openQueue(false);
    queue.insert(owner, { envelope: body(), orderingKey: undefined, dueMs: 0 });
    const [old] = queue.lock(owner, 1, 0);
    queue.reclaim(owner, 1_000);
    const [fresh] = queue.lock(owner, 1, 1_000);
    if (old === undefined || fresh === undefined) throw new Error('nothing was locked');
    expect(fresh.attempts).toBe(2);
    expect(queue.isLocked(old, 1_001)).toBe(false);
    expect(queue.isLocked(fresh, 1_001)).toBe(true);
    close();
  });

  it('I2: a long group is as quick to take from as a short one: nobody looks at what stands behind', () => {
    const { queue, owner, close } = openQueue(true);
    for (let index = 0; index < 2_000; index += 1)
      queue.insert(owner, { envelope: body(), orderingKey: 'same', dueMs: 0 });
    let taken = 0;
    for (;;) {
      const rows = queue.lock(owner, 10, 0);
      if (rows.length === 0) break;
      expect(rows).toHaveLength(1);
      for (const row of rows) queue.remove(row.position);
      taken += 1;
    }
    expect(taken).toBe(2_000);
    close();
  });
});
