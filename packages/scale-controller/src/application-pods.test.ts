import { createDeferred, Secret } from '@switchyard/kernel';
import type { AssignOutcome, StackAssignment } from '@switchyard/protocol';
import { createMemoryLog, createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it, vi } from 'vitest';
import { failedOutcome, nodeStack } from './testing/fake-provider.ts';
import { openSupplyRun, type SupplyRunOptions, shop, wish } from './testing/supply-run.ts';

function createSupplyRun(options: SupplyRunOptions = {}) {
  const clock = new VirtualClock();
  return openSupplyRun(
    { clock, log: createMemoryLog(clock), random: createSeededRandom(5) },
    { limits: { refillDelayMs: 0 }, ...options },
  );
}

const pools = [{ stack: nodeStack, minimum: 1 }];

describe('the workers of an app', () => {
  it('I1, I3: are taken from the pool, announced, and given the app', async () => {
    const { clock, provider, supply, events } = createSupplyRun({ pools });
    await clock.settle();
    supply.ensure(wish(1));
    supply.ensure(wish(1));
    await clock.settle();
    expect(events).toEqual([{ kind: 'expected', workerId: 'w1', application: shop }]);
    expect(provider.at(0).assigned).toMatchObject([{ application: shop, content: { scriptRoot: '/apps/shop' } }]);
    expect(provider.pods).toHaveLength(2);
    supply.ensure(wish(3));
    await clock.settle();
    expect(events).toHaveLength(3);
  });

  it('measures how long a placeholder takes to become the worker of the app', async () => {
    const { clock, observed, supply } = createSupplyRun({ pools });
    await clock.settle();
    supply.ensure(wish(1));
    await clock.settle();
    expect(observed).toEqual([expect.stringMatching(/^worker_specialization_ms 0 node.* assigned$/)]);
  });

  it('I1: a wish that was withdrawn while the pod came leaves the pod in the pool', async () => {
    const found = createDeferred<StackAssignment>();
    const { clock, provider, supply, events } = createSupplyRun({ pools, assignmentOf: () => found.promise });
    await clock.settle();
    supply.ensure(wish(1));
    await clock.settle();
    supply.ensure(wish(0));
    found.resolve({ stack: nodeStack, assignment: {} as StackAssignment['assignment'] });
    await clock.settle();
    expect([events, provider.pods.flatMap((pod) => pod.assigned)]).toEqual([[], []]);
    expect(supply.pools()).toMatchObject([{ warm: 1 }]);
  });

  it('I3: show a token of their own, made for the worker that was announced', async () => {
    const tokenOf = async ({ assignment }: StackAssignment, workerId: string): Promise<Secret> =>
      new Secret(`${assignment.application.applicationId} ${workerId}`);
    const { clock, provider, supply, events } = createSupplyRun({ pools, tokenOf });
    supply.ensure(wish(2));
    await clock.settle();
    expect(provider.pods.flatMap(({ assigned }) => assigned.map(({ token }) => token?.reveal())).sort()).toEqual([
      'shop w1',
      'shop w2',
    ]);
    expect(events).toMatchObject([{ kind: 'expected' }, { kind: 'expected' }]);
  });

  it('I2, I5: without a token the pod gets nothing, ends, and another one is tried later', async () => {
    const tokenOf = vi.fn(async () => new Secret('t'));
    tokenOf.mockRejectedValueOnce(new Error('no key signs'));
    const { clock, provider, supply, events } = createSupplyRun({ pools, tokenOf });
    supply.ensure(wish(1));
    await clock.settle();
    expect(provider.at(0)).toMatchObject({ assigned: [], stops: [0] });
    expect(events.find(({ kind }) => kind === 'failed')).toMatchObject({
      message: expect.stringContaining('no key signs'),
    });
    await clock.advance(60_000);
    expect(provider.pods.flatMap(({ assigned }) => assigned)).toHaveLength(1);
  });

  it('I2, I4: one that ends is replaced after a wait that grows, and that health resets', async () => {
    const { clock, provider, supply, events } = createSupplyRun({ pools });
    await clock.settle();
    supply.ensure(wish(1));
    await clock.settle();
    const dieAndCount = async (index: number, waitMs: number): Promise<number> => {
      provider.at(index).end(1, null, ['Error: x']);
      await clock.advance(waitMs);
      return events.filter(({ kind }) => kind === 'expected').length;
    };
    expect(await dieAndCount(0, 400)).toBe(2);
    expect(events[1]).toEqual({ kind: 'exited', workerId: 'w1', exitCode: 1, signal: null, stderrTail: ['Error: x'] });
    expect(await dieAndCount(1, 400)).toBe(2);
    await clock.advance(1_000);
    expect(events.filter(({ kind }) => kind === 'expected')).toHaveLength(3);
    await clock.advance(30_000);
    expect(await dieAndCount(2, 400)).toBe(4);
  });

  it('I2: an urgent wish waits no longer than a second', async () => {
    const { clock, provider, supply, events } = createSupplyRun({ pools });
    supply.ensure(wish(1));
    await clock.settle();
    for (let death = 0; death < 4; death += 1) {
      provider.pods.find((pod) => pod.assigned.length > 0 && pod.workerId === `w${death + 1}`)?.end(1);
      await clock.advance(death < 3 ? 60_000 : 0);
      if (death < 3) await clock.advance(0);
    }
    const before = events.length;
    supply.ensure(wish(1, { urgency: 'urgent' }));
    await clock.advance(1_000);
    expect(events.length).toBeGreaterThan(before);
  });

  it('I3, I5: an assignment that fails ends its pod, says why, and is tried again', async () => {
    const { clock, provider, supply, events, kinds } = createSupplyRun({ pools });
    await clock.settle();
    provider.at(0).outcome = failedOutcome('the app does not load');
    supply.ensure(wish(1));
    await clock.settle();
    expect(kinds()).toEqual(['expected', 'failed', 'exited']);
    expect(events[1]).toMatchObject({ message: expect.stringContaining('the app does not load') });
    expect(events[2]).toMatchObject({ workerId: 'w1', exitCode: null, signal: null });
    expect(provider.at(0).stops).toEqual([0]);
    await clock.advance(400);
    expect(kinds().slice(3)).toEqual(['expected']);
    expect(provider.at(1).assigned).toHaveLength(1);
  });

  it.each([
    ['idle', [5_000]],
    ['invocation-timeout', [0]],
  ] as const)(
    'I3: a worker released as %s gets its time to end, and is replaced while it is wished',
    async (reason, stops) => {
      const { clock, provider, supply, kinds } = createSupplyRun({ pools });
      await clock.settle();
      supply.ensure(wish(1));
      await clock.settle();
      supply.release('w1', reason);
      supply.release('w1', reason);
      await clock.settle();
      expect(provider.at(0).stops).toEqual(stops);
      expect(kinds()).toEqual(['expected', 'exited', 'expected']);
    },
  );

  it('I4: a worker released because it failed is replaced after a wait', async () => {
    const { clock, supply, kinds } = createSupplyRun({ pools });
    supply.ensure(wish(1));
    await clock.settle();
    supply.release('w1', 'start-failed');
    await clock.settle();
    expect(kinds()).toEqual(['expected', 'exited']);
    await clock.advance(400);
    expect(kinds()).toEqual(['expected', 'exited', 'expected']);
  });

  it('I2: an app about which nobody knows anything is told of, again and again', async () => {
    const { clock, supply, events } = createSupplyRun({
      pools,
      assignmentOf: () => Promise.reject(new Error('no such app')),
    });
    supply.ensure(wish(1));
    await clock.advance(5_000);
    expect(events.length).toBeGreaterThan(1);
    expect(events[0]).toMatchObject({
      kind: 'failed',
      application: shop,
      message: expect.stringContaining('no such app'),
    });
  });

  it('I2: neither a source that never answers nor a cold pod that fails stops it', async () => {
    const silent = createSupplyRun({ assignmentOf: () => new Promise(() => {}) });
    silent.supply.ensure(wish(1));
    await silent.clock.advance(30_000);
    expect(silent.events).toMatchObject([{ kind: 'failed', message: expect.stringContaining('30000 ms') }]);
    const cold = createSupplyRun();
    cold.provider.warmsByItself = false;
    cold.supply.ensure(wish(1));
    await cold.clock.settle();
    cold.provider.at(0).failToWarm('no memory');
    await cold.clock.settle();
    expect(cold.events).toMatchObject([{ kind: 'failed', message: expect.stringContaining('no memory') }]);
  });

  it('I6: nothing starts after the end', async () => {
    const outcome = createDeferred<AssignOutcome>();
    const { clock, provider, supply } = createSupplyRun({ pools });
    await clock.settle();
    provider.at(0).outcome = outcome.promise;
    supply.ensure(wish(2));
    await clock.settle();
    const started = provider.pods.length;
    await clock.runUntil(supply.close(100));
    outcome.resolve(failedOutcome('too late'));
    supply.ensure(wish(5));
    await clock.advance(100_000);
    expect(provider.pods).toHaveLength(started);
    expect(clock.pendingTimers).toBe(0);
  });
});
