import { describe, expect, it } from 'vitest';
import { put } from '../domain/records.ts';
import { createFrameRun, work } from '../testing/frame-run.ts';
import { sampleDeployment, sampleEvent } from '../testing/state-contract.ts';
import { frameLimits } from './worker-table.ts';

const failing = () => {
  throw new Error('the target is away');
};

const deliver = (more: Parameters<typeof sampleEvent>[0] = {}, deliveryCount = 1) => ({
  envelope: sampleEvent(more),
  deliveryCount,
});

describe('WorkerHost', () => {
  it.each([
    ['another tenant', { tenantId: 'evil' }],
    ['an environment that there is not', { environmentId: 'nowhere' }],
  ])('I1: refuses an event of %s before it looks at anything', async (_, more) => {
    const { looked, state, ...run } = await createFrameRun();
    const verdict = await run.host().handle(deliver(more));
    expect(verdict).toMatchObject({ kind: 'refuse', reason: 'TENANT_MISMATCH' });
    expect([looked, state.writes]).toEqual([[], 0]);
  });

  it('I1: refuses an event without an environment, and one whose environment lost its binding', async () => {
    const { state, ...run } = await createFrameRun();
    const { environmentId: _, ...without } = sampleEvent();
    expect(await run.host().handle({ envelope: without, deliveryCount: 1 })).toMatchObject({ kind: 'refuse' });
    await state.commit({ puts: [], removes: [{ kind: 'tenantBinding', id: 'acme.default' }], events: [] });
    expect(await run.host().handle(deliver())).toMatchObject({ kind: 'refuse', reason: 'TENANT_MISMATCH' });
  });

  it('I2: an event that it handled before is done without a look', async () => {
    const { looked, ...run } = await createFrameRun();
    const host = run.host();
    expect(await host.handle(deliver())).toEqual({ kind: 'done' });
    expect(await host.handle(deliver())).toEqual({ kind: 'done' });
    expect(looked).toEqual(['shop']);
  });

  it('completes an event that is no business of the worker without a look', async () => {
    const { looked, ...run } = await createFrameRun();
    expect(await run.host().handle(deliver({ eventType: 'SomethingNewV2' }))).toEqual({ kind: 'done' });
    expect(looked).toEqual([]);
  });

  it('I3: ends a loop of events', async () => {
    const { looked, ...run } = await createFrameRun();
    const verdict = await run.host().handle(deliver({ causationDepth: frameLimits.causationDepth + 1 }));
    expect(verdict).toMatchObject({ kind: 'refuse', reason: 'CAUSATION_TOO_DEEP' });
    expect(looked).toEqual([]);
  });

  it('I4: an event is tried as often as the table says, then it is refused and given up on once', async () => {
    const { finds, gaveUp, ...run } = await createFrameRun();
    const host = run.host();
    finds.push(failing, failing, failing);
    expect(await host.handle(deliver())).toMatchObject({ kind: 'retry', description: 'the target is away' });
    expect(await host.handle(deliver({}, 2))).toMatchObject({ kind: 'retry' });
    expect(gaveUp).toEqual([]);
    expect(await host.handle(deliver({}, 3))).toMatchObject({ kind: 'refuse', description: 'the target is away' });
    expect(gaveUp).toEqual(['shop: the target is away']);
  });

  it('I4: the tries of a key are charged to one event, and others of the key leave it to that', async () => {
    const { finds, gaveUp, looked, ...run } = await createFrameRun();
    const host = run.host();
    finds.push(failing, failing, failing);
    expect(await host.handle(deliver())).toMatchObject({ kind: 'retry' });
    for (const eventId of ['evt-2', 'evt-3', 'evt-4'])
      expect(await host.handle(deliver({ eventId }))).toEqual({ kind: 'done' });
    expect(looked).toHaveLength(1);
    await host.handle(deliver({}, 2));
    expect(await host.handle(deliver({}, 3))).toMatchObject({ kind: 'refuse' });
    expect(gaveUp).toHaveLength(1);
    // Afterwards it is anybody's again.
    expect(await host.handle(deliver({ eventId: 'evt-5' }))).toEqual({ kind: 'done' });
    expect(looked).toHaveLength(4);
  });

  it.each(['next-tick', 'alert'] as const)(
    'I4: an event of a worker that ends with %s is done after the last try',
    async (exhausted) => {
      const { finds, gaveUp, ...run } = await createFrameRun();
      finds.push(failing);
      expect(await run.host({ exhausted, maxAttempts: 1 }).handle(deliver())).toEqual({ kind: 'done' });
      expect(gaveUp).toHaveLength(1);
    },
  );

  it('I4: a key of a tick is tried with growing waits and left alone by the ticks in between', async () => {
    const run = await createFrameRun();
    run.tickKeys = ['shop'];
    const host = run.host({ everyMs: 500 });
    run.finds.push(failing, failing, failing);
    host.start();
    await run.clock.advance(400);
    expect(run.looked).toHaveLength(1);
    // Half a second at least, one and a half at most; ticks come every half second.
    await run.clock.advance(1_200);
    expect(run.looked.length).toBeGreaterThanOrEqual(2);
    await run.clock.advance(4_000);
    expect(run.gaveUp).toEqual(['shop: the target is away']);
    await host.stop();
  });

  it('I4: honours the wait that a target asks for', async () => {
    const { finds, ...run } = await createFrameRun();
    finds.push(() => {
      throw Object.assign(new Error('busy'), {
        ...{ name: 'PlatformError', code: 'BUSY', definition: {}, retry: 'safe', details: { retryAfterMs: 7_000 } },
      });
    });
    expect(await run.host().handle(deliver())).toMatchObject({ kind: 'retry', reason: 'BUSY', afterMs: 7_000 });
  });

  it('I5: leaves a tick out while the one before still runs', async () => {
    const run = await createFrameRun();
    run.tickKeys = ['shop'];
    const never = Promise.withResolvers<{ readonly kind: 'rest' }>();
    run.finds.push(() => never.promise);
    const host = run.host({ everyMs: 1_000 });
    host.start();
    await run.clock.advance(5_500);
    expect(run.looked).toHaveLength(1);
    never.resolve({ kind: 'rest' });
    await run.clock.advance(1_000);
    expect(run.looked).toHaveLength(2);
    await host.stop();
  });

  it('wakes a key at the time that it asked for', async () => {
    const run = await createFrameRun();
    run.finds.push(({ nowMs }) => ({ kind: 'rest', wakeAtMs: nowMs + 4_000 }));
    const host = run.host();
    await host.handle(deliver());
    await run.clock.advance(3_999);
    expect(run.looked).toHaveLength(1);
    await run.clock.advance(1);
    expect(run.looked).toHaveLength(2);
    await host.stop();
  });

  it('I6: after stop nothing is looked at and no timer is left', async () => {
    const run = await createFrameRun();
    run.tickKeys = ['shop'];
    run.finds.push(({ nowMs }) => ({ kind: 'rest', wakeAtMs: nowMs + 4_000 }));
    const host = run.host();
    host.start();
    await run.clock.advance(1);
    await host.stop();
    const before = run.looked.length;
    await run.clock.advance(300_000);
    expect(run.looked).toHaveLength(before);
    expect(run.clock.pendingTimers).toBe(0);
    expect(await host.handle(deliver())).toMatchObject({ kind: 'retry', reason: 'STOPPING' });
  });

  it('marks an event as handled only after what it asked for was kept', async () => {
    const { state, finds, ...run } = await createFrameRun();
    const acting = () => work(async () => ({ puts: [put('deployment', sampleDeployment('shop'))] }));
    finds.push(acting, acting);
    await run.host().handle(deliver());
    expect(state.writes).toBe(1);
    expect(await state.isHandled({ worker: 'drift', eventId: 'evt-1' })).toBe(true);
  });
});
