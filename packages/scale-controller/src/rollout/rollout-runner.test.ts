import { createDeferred, silentLog } from '@switchyard/kernel';
import { VirtualClock } from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ObservedFunction, ObservedVersion } from '../loop/scaled-runtime.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import { SimulatedRuntime } from '../testing/simulated-runtime.ts';
import {
  createRolloutRunner,
  type RolloutAsker,
  type RolloutRequest,
  type RolloutRunner,
  type RolloutTraffic,
} from './rollout-runner.ts';

const classesMs = Array.from({ length: 60 }, (_, index) => 1.25 ** index);

/** What one call of a version is like. */
interface Behaviour {
  fails: number;
  durationMs: number;
}

/** An app with a version `old` that has everything, one `new`, and calls that are shared by the weights. */
function openRun() {
  const clock = new VirtualClock();
  const store = openSqliteStore(':memory:');
  const simulated = new SimulatedRuntime(clock);
  const counters = new Map<string, { ended: number; failed: number; durationCounts: number[] }>();
  const behaviours = new Map<string, Behaviour>([
    ['old', { fails: 0, durationMs: 10 }],
    ['new', { fails: 0, durationMs: 10 }],
  ]);
  for (const codeVersion of behaviours.keys()) {
    simulated.add('shop', 'contoso', codeVersion);
    counters.set(codeVersion, { ended: 0, failed: 0, durationCounts: new Array(61).fill(0) });
  }
  let traffic = { revision: 1, weights: [{ codeVersion: 'old', weight: 100 }] };
  let refusal: Error | undefined;
  const sets: string[] = [];
  const askers: RolloutAsker[] = [];
  const set: RolloutTraffic['set'] = async (_, { weights, revision, by }) => {
    if (refusal !== undefined) throw refusal;
    if (revision !== traffic.revision) throw new Error(`the traffic is at ${traffic.revision}, not at ${revision}`);
    traffic = { revision: revision + 1, weights: [...weights] };
    askers.push(by);
    sets.push(weights.map(({ codeVersion, weight }) => `${codeVersion} ${weight}`).join(', '));
    return traffic;
  };
  const functionsOf = (codeVersion: string): ObservedFunction[] => {
    const { ended = 0, failed = 0, durationCounts = [] } = counters.get(codeVersion) ?? {};
    const rest = { name: 'work', activeCount: 0, startedCount: ended, totalMs: 0 };
    return [{ ...rest, endedCount: ended, failedCount: failed, durationCounts }];
  };
  const runtime = {
    load: (applicationId?: string): readonly ObservedVersion[] =>
      simulated
        .load(applicationId)
        .map((version) => ({ ...version, functions: functionsOf(version.definition.codeVersion) })),
  };
  const deps = { clock, log: silentLog, store, runtime, durationClassesMs: classesMs };
  const openRunner = () => createRolloutRunner({ ...deps, traffic: { get: () => traffic, set } });
  /** Lets time pass, with 100 calls each second. */
  const serve = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second += 1) {
      for (const { codeVersion, weight } of traffic.weights) count(codeVersion, weight);
      await clock.advance(1_000);
    }
  };
  const count = (codeVersion: string, calls: number): void => {
    const counter = counters.get(codeVersion);
    const behaviour = behaviours.get(codeVersion);
    if (counter === undefined || behaviour === undefined) return;
    counter.ended += calls;
    counter.failed += Math.round(calls * behaviour.fails);
    const index = classesMs.findIndex((limit) => limit >= behaviour.durationMs);
    counter.durationCounts[index] = (counter.durationCounts[index] ?? 0) + calls;
  };
  const changeByHand = (weights: typeof traffic.weights): void => {
    traffic = { revision: traffic.revision + 1, weights };
  };
  return {
    ...{ set, deps },
    ...{ clock, store, runner: openRunner(), openRunner, behaviours, serve, sets, askers, changeByHand },
    traffic: () => traffic,
    refuse: (error: Error | undefined) => {
      refusal = error;
    },
  };
}

const canary: RolloutRequest = { strategy: 'canary', to: 'new', holdMs: 10_000 };

const stateOf = async (runner: RolloutRunner) => (await runner.get('shop'))?.rollout.state.kind;

describe('createRolloutRunner', () => {
  it('takes a good canary from step to step until it has everything', async () => {
    const { runner, serve, sets } = openRun();
    await runner.start('shop', canary);
    await serve(60);
    expect(sets).toEqual(['new 5, old 95', 'new 25, old 75', 'new 50, old 50', 'new 100', 'new 100']);
    const view = await runner.get('shop');
    expect(view?.rollout.state.kind).toBe('promoted');
    expect(view?.rollout.history.map(({ text }) => text.split(':')[0])).toEqual([
      '5 %',
      '25 %',
      '50 %',
      '100 %',
      'promoted',
    ]);
  });

  it('says of each change who wants it, and what it is a part of', async () => {
    const { runner, serve, askers } = openRun();
    const trace = { traceId: 't', correlationId: 'c', depth: 0 };
    await runner.start('shop', canary, { subject: 'ann', trace });
    await serve(12);
    await runner.act('shop', 'abort', { subject: 'bob' });
    expect(askers).toEqual([
      { subject: 'ann', trace },
      { subject: 'switchyard/rollout', trace },
      { subject: 'bob', trace },
    ]);
  });

  it('I2: asks for one change at a time, however long that takes', async () => {
    const run = openRun();
    const arrived = createDeferred<void>();
    let asked = 0;
    const traffic: RolloutTraffic = {
      get: run.traffic,
      async set(applicationId, change) {
        asked += 1;
        await arrived.promise;
        return run.set(applicationId, change);
      },
    };
    run.runner.close();
    const runner = createRolloutRunner({ ...run.deps, traffic });
    const started = runner.start('shop', canary);
    await run.clock.advance(5_000);
    await expect(runner.act('shop', 'abort')).rejects.toMatchObject({ code: 'ROLLOUT_REFUSED' });
    expect(asked).toBe(1);
    arrived.resolve();
    await started;
    expect(run.sets).toEqual(['new 5, old 95']);
    runner.close();
  });

  it.each([
    ['fails more often', { fails: 0.2, durationMs: 10 }, /^20 % of \d+ calls failed, 0 %/],
    ['is slower', { fails: 0, durationMs: 200 }, /^p99 is 2\d\d ms over \d+ calls, the old version's 1\d ms/],
  ])('rolls a canary back that %s, long before its step is over', async (_, behaviour, reason) => {
    const { runner, serve, behaviours, traffic } = openRun();
    behaviours.set('new', behaviour);
    await runner.start('shop', { ...canary, holdMs: 600_000 });
    await serve(8);
    const view = await runner.get('shop');
    expect(view?.rollout.state).toMatchObject({ kind: 'rolledBack', reason: expect.stringMatching(reason) });
    expect(traffic().weights).toEqual([{ codeVersion: 'old', weight: 100 }]);
  });

  it('lets a canary be as bad as the old version is', async () => {
    const { runner, serve, behaviours } = openRun();
    for (const version of ['old', 'new']) behaviours.set(version, { fails: 0.2, durationMs: 300 });
    await runner.start('shop', canary);
    await serve(60);
    expect(await stateOf(runner)).toBe('promoted');
  });

  it('switches everything at once, and back when that is bad', async () => {
    const good = openRun();
    await good.serve(5);
    await good.runner.start('shop', { strategy: 'blueGreen', to: 'new', holdMs: 5_000 });
    await good.serve(10);
    expect([good.sets[0], await stateOf(good.runner)]).toEqual(['new 100', 'promoted']);
    const bad = openRun();
    await bad.serve(5);
    bad.behaviours.set('new', { fails: 0, durationMs: 900 });
    await bad.runner.start('shop', { strategy: 'blueGreen', to: 'new', holdMs: 5_000 });
    await bad.serve(10);
    expect([bad.sets, await stateOf(bad.runner)]).toEqual([['new 100', 'old 100'], 'rolledBack']);
  });

  it('pauses, resumes, promotes and aborts as it is told', async () => {
    const { runner, serve, traffic } = openRun();
    await runner.start('shop', canary);
    await runner.act('shop', 'pause');
    await serve(60);
    expect(traffic().weights[0]).toEqual({ codeVersion: 'new', weight: 5 });
    await runner.act('shop', 'resume');
    await serve(12);
    expect(traffic().weights[0]).toEqual({ codeVersion: 'new', weight: 25 });
    await runner.act('shop', 'abort');
    expect(traffic().weights).toEqual([{ codeVersion: 'old', weight: 100 }]);
    await expect(runner.act('shop', 'pause')).rejects.toMatchObject({ code: 'ROLLOUT_REFUSED' });
    await runner.start('shop', canary);
    await runner.act('shop', 'promote');
    expect(traffic().weights).toEqual([{ codeVersion: 'new', weight: 100 }]);
  });

  it('I1: refuses a second roll-out, one to the version that is there, and one from nothing', async () => {
    const { runner, changeByHand } = openRun();
    await expect(runner.start('shop', { ...canary, to: 'old' })).rejects.toThrow('has all the traffic already');
    await runner.start('shop', canary);
    await expect(runner.start('shop', canary)).rejects.toThrow('one from old to new is under way');
    await runner.act('shop', 'abort');
    changeByHand([
      { codeVersion: 'old', weight: 50 },
      { codeVersion: 'new', weight: 50 },
    ]);
    await expect(runner.start('shop', canary)).rejects.toThrow('no single version');
  });

  it('I2: ends when somebody changes the traffic by hand, and leaves that alone', async () => {
    const { runner, serve, changeByHand, traffic, sets } = openRun();
    await runner.start('shop', canary);
    changeByHand([{ codeVersion: 'old', weight: 100 }]);
    await serve(30);
    expect([await stateOf(runner), sets.length, traffic().revision]).toEqual(['superseded', 1, 3]);
  });

  it('I2: makes up for a change that was cut off, also for the last one', async () => {
    const { runner, openRunner, serve, behaviours, traffic, store } = openRun();
    await runner.start('shop', canary);
    behaviours.set('new', { fails: 1, durationMs: 10 });
    runner.close();
    // The process ended after it had kept the roll-back, and before it told the catalog.
    const document = await store.read('rollout', 'shop');
    const body = document?.body as object;
    const revision = traffic().revision;
    const state = { kind: 'rolledBack', atMs: 0, reason: 'bad' };
    await store.write('rollout', 'shop', { ...body, state, trafficRevision: revision }, document?.revision ?? 0);
    openRunner();
    await serve(2);
    expect(traffic().weights).toEqual([{ codeVersion: 'old', weight: 100 }]);
  });

  it('I3: goes on after a restart with the step that it was in', async () => {
    const { runner, openRunner, serve, sets } = openRun();
    await runner.start('shop', canary);
    await serve(12);
    runner.close();
    await serve(100);
    expect(sets.at(-1)).toBe('new 25, old 75');
    const next = openRunner();
    await serve(40);
    expect(await stateOf(next)).toBe('promoted');
  });

  it('I4: two controllers on one store take it further once', async () => {
    const { runner, openRunner, serve, sets } = openRun();
    openRunner();
    await runner.start('shop', canary);
    await serve(60);
    expect(sets.slice(0, 4)).toEqual(['new 5, old 95', 'new 25, old 75', 'new 50, old 50', 'new 100']);
    expect(await stateOf(runner)).toBe('promoted');
  });

  it('I5: looks at nothing after its end', async () => {
    const { runner, serve, sets, clock } = openRun();
    await runner.start('shop', canary);
    runner.close();
    await serve(60);
    expect([sets.length, clock.pendingTimers]).toEqual([1, 0]);
  });

  it('tells what the catalog refuses, and keeps nothing of a roll-out that never began', async () => {
    const { runner, refuse, serve, traffic } = openRun();
    refuse(new Error('there is no such version'));
    await expect(runner.start('shop', canary)).rejects.toThrow('no such version');
    expect(await runner.get('shop')).toBeUndefined();
    refuse(undefined);
    await runner.start('shop', canary);
    refuse(new Error('the version was deleted'));
    await serve(15);
    expect((await runner.get('shop'))?.rollout.state).toEqual({
      kind: 'paused',
      step: 1,
      reason: 'the version was deleted',
    });
    refuse(undefined);
    await runner.act('shop', 'abort');
    expect(traffic().weights).toEqual([{ codeVersion: 'old', weight: 100 }]);
  });

  it('ends with everything on one side, whatever people do and versions are like', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('serve'), seconds: fc.integer({ min: 1, max: 20 }) } as const),
      fc.record({ kind: fc.constant('act'), action: fc.constantFrom('pause', 'resume', 'promote', 'abort') } as const),
      fc.record({ kind: fc.constant('fails'), fails: fc.constantFrom(0, 0.01, 0.5) } as const),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 10 }), async (steps) => {
        const { runner, serve, behaviours, traffic } = openRun();
        await runner.start('shop', canary);
        for (const one of steps) {
          if (one.kind === 'serve') await serve(one.seconds);
          else if (one.kind === 'act') await runner.act('shop', one.action).catch(() => undefined);
          else behaviours.set('new', { fails: one.fails, durationMs: 10 });
          const total = traffic().weights.reduce((sum, { weight }) => sum + weight, 0);
          expect(total).toBe(100);
        }
        await runner.act('shop', 'resume').catch(() => undefined);
        await serve(80);
        expect(['promoted', 'rolledBack', 'aborted']).toContain(await stateOf(runner));
        expect(traffic().weights).toHaveLength(1);
        runner.close();
      }),
      { numRuns: 25 },
    );
  });
});
