import { VirtualClock } from '@switchyard/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type LeaseEnd, LeaseTable } from './lease-table.ts';

function open(maxPerAccount = 100) {
  const clock = new VirtualClock();
  let next = 0;
  const table = new LeaseTable({ clock, newId: () => `lease-${next++}` }, { ttlMs: 1_000, maxPerAccount });
  const ends: [string, LeaseEnd][] = [];
  const grant = (account: string, instanceId = 'host-1'): string => {
    const lease = table.grant({
      account,
      name: 'a',
      version: '1.0.0',
      instanceId,
      onEnd: (reason) => ends.push([lease.leaseId, reason]),
    });
    return lease.leaseId;
  };
  return { clock, table, ends, grant };
}

test('I1: an end is told once', () => {
  const { table, ends, grant } = open();
  const id = grant('x');
  expect([table.end(id, 'released'), table.end(id, 'expired'), table.endInstance('host-1', 'host-died')]).toEqual([
    true,
    false,
    0,
  ]);
  expect(ends).toEqual([[id, 'released']]);
});

test('I2: a lease ends its full time after the last renewal', async () => {
  const { clock, table, ends, grant } = open();
  const id = grant('x');
  await clock.advance(900);
  expect(table.renew(id)).toBe(clock.now() + 1_000);
  await clock.advance(999);
  expect(ends).toEqual([]);
  await clock.advance(1);
  expect(ends).toEqual([[id, 'expired']]);
  expect(table.renew(id)).toBeUndefined();
});

test('I3: a dead host ends its own leases and no others', () => {
  const { table, ends, grant } = open();
  const [first, , third] = [grant('x', 'host-1'), grant('x', 'host-2'), grant('y', 'host-1')];
  expect(table.endInstance('host-1', 'host-died')).toBe(2);
  expect(ends).toEqual([
    [first, 'host-died'],
    [third, 'host-died'],
  ]);
  expect(table.size).toBe(1);
});

test('I4: an account at its limit gets no more, and others do', () => {
  const { table, grant } = open(2);
  const first = grant('x');
  grant('x');
  expect(() => grant('x')).toThrow("Account 'x' is at its limit of 2 leases");
  expect(() => grant('y')).not.toThrow();
  table.end(first, 'released');
  expect(() => grant('x')).not.toThrow();
});

test('I1, I2, I3, I4: any sequence of events keeps count, and at the end nothing is left', async () => {
  const event = fc.oneof(
    fc.record({
      kind: fc.constant('grant' as const),
      account: fc.constantFrom('x', 'y'),
      host: fc.constantFrom('h1', 'h2'),
    }),
    fc.record({ kind: fc.constant('end' as const), pick: fc.nat({ max: 20 }) }),
    fc.record({ kind: fc.constant('renew' as const), pick: fc.nat({ max: 20 }) }),
    fc.record({ kind: fc.constant('die' as const), host: fc.constantFrom('h1', 'h2') }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.nat({ max: 700 }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 25 }), async (events) => {
      const { clock, table, ends, grant } = open(4);
      const granted: string[] = [];
      for (const step of events) {
        if (step.kind === 'grant' && table.countOf(step.account) < 4) granted.push(grant(step.account, step.host));
        if (step.kind === 'end') table.end(granted[step.pick] ?? '', 'released');
        if (step.kind === 'renew') table.renew(granted[step.pick] ?? '');
        if (step.kind === 'die') table.endInstance(step.host, 'host-died');
        if (step.kind === 'wait') await clock.advance(step.ms);
        expect(table.size).toBe(granted.length - ends.length);
        expect(table.countOf('x') + table.countOf('y')).toBe(table.size);
        expect(table.all().every((lease) => lease.expiresAtMs >= clock.now())).toBe(true);
      }
      await clock.advance(1_000);
      expect(new Set(ends.map(([id]) => id)).size).toBe(granted.length);
      expect(ends).toHaveLength(granted.length);
      expect(clock.pendingTimers).toBe(0);
    }),
    { numRuns: 40 },
  );
});
