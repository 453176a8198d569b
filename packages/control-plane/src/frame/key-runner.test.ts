import { describe, expect, it } from 'vitest';
import { put } from '../domain/records.ts';
import { createFrameRun, work } from '../testing/frame-run.ts';
import { sampleDeployment } from '../testing/state-contract.ts';
import type { EventDraft } from './contract.ts';
import { KeyRunner } from './key-runner.ts';
import { frameLimits } from './worker-table.ts';

const trace = { traceId: 'b'.repeat(32), correlationId: 'corr', causationId: 'evt-0', depth: 3 };
const options = { trace, cause: undefined, isReplay: false, signal: new AbortController().signal };
const puts = [put('deployment', sampleDeployment('shop'))];
const event: EventDraft = {
  ...{ tenantId: 'acme', environmentId: 'acme.default', subject: 'shop' },
  eventType: 'RuntimeInventoryUpdated',
  payload: {},
};

async function open() {
  const run = await createFrameRun();
  return { ...run, run, runner: new KeyRunner(run.deps, run.worker, 'one') };
}

describe('KeyRunner', () => {
  it('I1: a run that finds nothing takes no lease, writes nothing and tells nothing', async () => {
    const { state, spans, runner } = await open();
    let leases = 0;
    const acquire = state.acquire.bind(state);
    state.acquire = (...given) => {
      leases += 1;
      return acquire(...given);
    };
    expect(await runner.run('shop', options)).toEqual({ kind: 'rested', actions: 0, wakeAtMs: undefined });
    expect([leases, state.writes, state.told.length, spans.length]).toEqual([0, 0, 0, 0]);
  });

  it('I2: looks again under the lease before it acts, and leaves alone what is done by then', async () => {
    const { state, finds, runner, looked } = await open();
    finds.push(() => work(async () => ({ puts })));
    expect(await runner.run('shop', options)).toMatchObject({ kind: 'rested', actions: 0 });
    expect(looked).toEqual(['shop', 'shop']);
    expect(state.writes).toBe(0);
  });

  it('I2: goes on until nothing is left to do, and leaves the key to others while somebody has it', async () => {
    const { state, finds, runner } = await open();
    const both = () => work(async () => ({ puts }));
    finds.push(both, both, both);
    expect(await runner.run('shop', options)).toMatchObject({ kind: 'rested', actions: 2 });
    await state.acquire('drift:shop', 'two', 10_000);
    finds.push(both);
    expect(await runner.run('shop', options)).toMatchObject({ kind: 'busy' });
  });

  it('I3: does nothing in the name of a tenant that the environment is not bound to', async () => {
    const { state, finds, runner } = await open();
    let acted = false;
    const foreign = () =>
      work(async () => {
        acted = true;
        return { puts };
      }, 'evil');
    finds.push(foreign, foreign);
    expect(await runner.run('shop', options)).toMatchObject({ kind: 'refused' });
    expect([acted, state.writes]).toEqual([false, 0]);
  });

  it('I4: a holder that slept through its lease commits nothing, and its signal aborts', async () => {
    const { clock, state, finds, runner } = await open();
    let aborted = false;
    const slow = () =>
      work(async ({ signal }) => {
        // As a process that is stopped does: nothing renews the lease meanwhile.
        state.renew = async () => false;
        await clock.advance(frameLimits.leaseMs + 1);
        await state.acquire('drift:shop', 'two', 10_000);
        aborted = signal.aborted;
        return { puts };
      });
    finds.push(slow, slow);
    await expect(runner.run('shop', options)).rejects.toMatchObject({ code: 'WORKER_FENCED' });
    expect([aborted, state.writes]).toEqual([true, 0]);
  });

  it('I4: the fence refuses a commit also when nobody noticed the loss', async () => {
    const { state, finds, runner } = await open();
    const overtaken = () =>
      work(async () => {
        const [lease] = [await state.acquire('drift:shop', 'one', 1)];
        expect(lease).toBeDefined();
        return { puts, events: [event] };
      });
    finds.push(overtaken, overtaken);
    await expect(runner.run('shop', options)).rejects.toMatchObject({ code: 'WORKER_FENCED' });
    expect([state.writes, state.told.length]).toEqual([0, 0]);
  });

  it('I5: events, spans and log lines carry the trace', async () => {
    const { state, finds, runner, spans, log } = await open();
    const acting = () =>
      work(async (run) => {
        run.log.write('information', 'Said');
        return { puts, events: [event] };
      });
    finds.push(acting, acting);
    await runner.run('shop', options);
    expect(state.told).toMatchObject([
      {
        traceId: trace.traceId,
        correlationId: 'corr',
        causationId: 'evt-0',
        causationDepth: 3,
        source: 'switchyard/drift',
      },
    ]);
    expect(spans).toMatchObject([{ name: 'drift test', trace }]);
    for (const { fields } of log.records) {
      expect(fields).toMatchObject({ traceId: trace.traceId, correlationId: 'corr', worker: 'drift' });
    }
    expect(log.records.map(({ message }) => message)).toContain('Said');
  });

  it('ends a plan that never rests, and an action that never ends', async () => {
    const { clock, finds, runner } = await open();
    for (let count = 0; count < 300; count += 1) finds.push(() => work(async () => ({})));
    await expect(runner.run('shop', options)).rejects.toMatchObject({ code: 'WORKER_RESTLESS' });
    finds.splice(0);
    const endless = () => work(() => new Promise(() => {}));
    finds.push(endless, endless);
    const failing = expect(runner.run('shop', options)).rejects.toMatchObject({ code: 'WORKER_ACTION_TIMED_OUT' });
    await clock.advance(frameLimits.actionMs + 1);
    await failing;
  });
});
