import { type Assignment, WorkerRestartResponse_Status } from '@switchyard/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RestartRun } from '../testing/restart-run.ts';
import type { ScriptedRuntime } from '../testing/scripted-runtime.ts';
import { sampleAssignment } from '../testing/sidecar-run.ts';
import type { FindLaunch } from './restartable-sidecar.ts';

/** The sample app, with settings that ask for another launch. */
const appWith = (settings: Readonly<Record<string, string>>): Assignment => ({
  ...sampleAssignment,
  environment: new Map([...sampleAssignment.environment, ...Object.entries(settings)]),
});
const otherArguments = appWith({ languageWorkers__node__arguments: '--trace' });
const foreignApp: Assignment = {
  ...sampleAssignment,
  application: { ...sampleAssignment.application, applicationId: 'other' },
};

const { ACCEPTED, IN_PROGRESS, REJECTED } = WorkerRestartResponse_Status;

describe('RestartableSidecar, an app and its launch', () => {
  it('I1: an app that fits gets the worker that is there', async () => {
    const world = new RestartRun();
    const worker = await world.serve();
    expect(world.asked).toEqual([]);
    expect(worker.bodies('functionEnvironmentReloadRequest')).toHaveLength(1);
    expect(world.sidecar.state).toBe('relaying');
  });

  it('I1: an app with other arguments gets a worker that was started with them', async () => {
    const world = new RestartRun();
    const first = await world.connect();
    const outcome = world.sidecar.assign(otherArguments);
    await world.clock.settle();
    expect(world.asked).toEqual([
      {
        reason: 'the app needs another launch: arguments',
        change: { executable: 'node', arguments: ['--trace'], workerPath: '/worker/worker.js' },
      },
    ]);
    expect(world.expected).toBe(1);
    const second = await world.connect();
    expect(await outcome).toEqual({ kind: 'assigned' });
    expect(first.bodies('functionEnvironmentReloadRequest')).toEqual([]);
    expect(second.bodies('functionEnvironmentReloadRequest')).toHaveLength(1);
    expect(world.asked).toHaveLength(1);
  });

  it('I1: a version that the pod does not have is refused, and the pod stays as it was', async () => {
    const world = new RestartRun();
    await world.connect();
    const outcome = await world.sidecar.assign(appWith({ FUNCTIONS_WORKER_RUNTIME_VERSION: '20' }));
    expect(outcome).toMatchObject({ kind: 'failed', tainted: false, error: { code: 'RESTART_VERSION_UNAVAILABLE' } });
    expect(world.sidecar.state).toBe('warm');
    expect(await world.sidecar.assign(sampleAssignment)).toEqual({ kind: 'assigned' });
  });

  it('I1: a version whose launch is known is started', async () => {
    const findLaunch: FindLaunch = async (language, version) => ({
      executable: `${language}${version}`,
      arguments: [],
      workerPath: '/worker/worker.js',
    });
    const world = new RestartRun({ findLaunch });
    await world.connect();
    const outcome = world.sidecar.assign(appWith({ FUNCTIONS_WORKER_RUNTIME_VERSION: '20' }));
    await world.clock.settle();
    await world.connect();
    expect(await outcome).toEqual({ kind: 'assigned' });
    expect(world.asked).toMatchObject([{ change: { executable: 'node20' } }]);
  });

  it('I1: a search for a version that fails is a version that is not there', async () => {
    const world = new RestartRun({ findLaunch: () => Promise.reject(new Error('disk on fire')) });
    await world.connect();
    const outcome = await world.sidecar.assign(appWith({ FUNCTIONS_WORKER_RUNTIME_VERSION: '20' }));
    expect(outcome).toMatchObject({ error: { code: 'RESTART_VERSION_UNAVAILABLE' } });
  });

  it('I4: a wrapper that refuses leaves the placeholder warm', async () => {
    const world = new RestartRun({ outcome: { kind: 'rejected', reason: 'it is shutting down' } });
    await world.connect();
    const outcome = await world.sidecar.assign(otherArguments);
    expect(outcome).toMatchObject({ kind: 'failed', tainted: false, error: { code: 'RESTART_REFUSED' } });
    expect(world.sidecar).toMatchObject({ state: 'warm', isTainted: false });
    world.outcome = { kind: 'in-progress' };
    expect(await world.sidecar.assign(otherArguments)).toMatchObject({
      kind: 'refused',
      error: { code: 'RESTART_UNDER_WAY' },
    });
    expect(await world.sidecar.assign(sampleAssignment)).toEqual({ kind: 'assigned' });
  });

  it('I6: the same app joins, and another one is refused, also while the worker is started anew', async () => {
    const world = new RestartRun();
    await world.connect();
    const one = world.sidecar.assign(otherArguments);
    const two = world.sidecar.assign(otherArguments);
    expect(await world.sidecar.assign(foreignApp)).toMatchObject({ kind: 'refused' });
    await world.clock.settle();
    expect(await world.sidecar.assign(foreignApp)).toMatchObject({ kind: 'refused' });
    await world.connect();
    expect([await one, await two]).toEqual([{ kind: 'assigned' }, { kind: 'assigned' }]);
    expect(await world.sidecar.assign(foreignApp)).toMatchObject({ error: { code: 'SIDECAR_ASSIGNED' } });
    expect(world.workers[1]?.bodies('functionEnvironmentReloadRequest')).toHaveLength(1);
  });

  it('I1: an app is indexed by a worker that was started for it, and gets that one', async () => {
    const world = new RestartRun();
    await world.connect();
    const indexed = world.sidecar.index(otherArguments);
    await world.clock.settle();
    expect(await world.sidecar.index(otherArguments)).toMatchObject({ kind: 'refused' });
    const second = await world.connect();
    expect(await indexed).toMatchObject({ kind: 'indexed', functions: [{ name: 'hello' }] });
    expect(await world.sidecar.assign(foreignApp)).toMatchObject({ kind: 'refused' });
    expect(await world.sidecar.assign(otherArguments)).toEqual({ kind: 'assigned' });
    expect(world.asked).toHaveLength(1);
    expect(second.bodies('functionEnvironmentReloadRequest')).toHaveLength(1);
  });

  it('I7: a worker that was lost after it had seen an app is not waited for', async () => {
    const world = new RestartRun({ awaitsReturn: true });
    const worker = await world.connect();
    await world.sidecar.index(sampleAssignment);
    worker.crash();
    expect(await world.sidecar.ended).toMatchObject({ kind: 'failed', error: { code: 'SIDECAR_WORKER_LOST' } });
    expect(world.expected).toBe(0);
  });

  it('I7: a successor that never comes ends the pod, and the assignment with it', async () => {
    const world = new RestartRun();
    await world.connect();
    const outcome = world.sidecar.assign(otherArguments);
    await world.clock.advance(60_000);
    expect(await outcome).toMatchObject({ kind: 'failed', tainted: false, error: { code: 'SIDECAR_WORKER_TIMEOUT' } });
    expect(await world.sidecar.ended).toMatchObject({ kind: 'failed', error: { code: 'SIDECAR_WORKER_TIMEOUT' } });
  });
});

describe('RestartableSidecar, a Runtime that wants a restart', () => {
  it('I2: a restarted worker serves the same app again', async () => {
    const world = new RestartRun();
    await world.serve();
    world.wish({ arguments: ['--new'], executablePath: 'node24' });
    await world.clock.settle();
    expect(world.asked).toEqual([
      { reason: 'the Runtime wants it', change: { executable: 'node24', arguments: ['--new'] } },
    ]);
    expect(world.sidecar.status()).toMatchObject({ isReady: false, application: { applicationId: 'shop' } });
    const second = await world.connect();
    await world.clock.settle();
    expect(second.received.map(({ content }) => content?.$case).slice(0, 3)).toEqual([
      'workerInitRequest',
      'functionEnvironmentReloadRequest',
      'functionsMetadataRequest',
    ]);
    expect(world.sidecar.state).toBe('relaying');
    expect(world.runtimes).toHaveLength(2);
    expect(world.runtime.connect).toMatchObject({ applicationId: 'shop', functionMetadata: [{ name: 'hello' }] });
    expect(world.sidecar.isTainted).toBe(true);
  });

  it('I2: what a wish overrides in the environment travels in the reload', async () => {
    const world = new RestartRun();
    await world.serve();
    world.wish({ environmentOverrides: new Map([['GREETING', 'hola']]) });
    await world.clock.settle();
    const second = await world.connect();
    const [reload] = second.bodies('functionEnvironmentReloadRequest');
    expect(reload?.environmentVariables.get('GREETING')).toBe('hola');
    expect(world.asked).toMatchObject([{ change: {} }]);
  });

  it('I3: the answer leaves before the stream ends', async () => {
    const world = new RestartRun();
    await world.serve();
    const [first] = world.runtimes;
    world.wish();
    await world.clock.settle();
    expect(world.answers).toEqual([ACCEPTED]);
    expect(first?.messages.at(-1)).toMatchObject({ requestId: 'r1', content: { $case: 'workerRestartResponse' } });
    expect((await first?.link.closed)?.code).toBe(0);
  });

  it('I3: a second wish is in progress', async () => {
    const world = new RestartRun();
    await world.serve();
    world.wish();
    world.wish();
    await world.clock.settle();
    expect([...world.answers].sort()).toEqual([ACCEPTED, IN_PROGRESS]);
    expect(world.asked).toHaveLength(1);
  });

  it('I4: a wish that the wrapper refuses changes nothing', async () => {
    const world = new RestartRun({ outcome: { kind: 'rejected', reason: 'it was not reached' } });
    await world.serve();
    world.wish();
    await world.clock.settle();
    const last = world.runtime.messages.at(-1)?.content;
    expect(last).toMatchObject({ value: { status: REJECTED, message: 'it was not reached' } });
    expect(world.sidecar.state).toBe('relaying');
    expect(world.runtimes).toHaveLength(1);
  });

  it('I5: epochs and counts go on over all lives', async () => {
    const world = new RestartRun();
    await world.serve();
    const before = world.sidecar.status().counts.framesConsumed;
    for (const epoch of ['2', '3']) {
      world.wish();
      await world.clock.settle();
      await world.connect();
      await world.clock.settle();
      expect(world.runtime.connect.workerMetadata?.customProperties.get('Epoch')).toBe(epoch);
    }
    expect(world.sidecar.status().epoch).toBe(3);
    expect(world.sidecar.status().counts.framesConsumed).toBeGreaterThan(before + 2);
  });

  it('keeps the lines of the old worker apart from those of the new one', async () => {
    const world = new RestartRun({ hasConsole: true });
    await world.serve();
    const [first] = world.runtimes;
    world.wish();
    await world.clock.settle();
    world.sidecar.console('stdout', 'last words');
    world.sidecar.consoleEnded();
    await world.clock.settle();
    await world.connect();
    world.sidecar.console('stdout', 'first words');
    await world.clock.settle();
    expect(first?.lines).toEqual(['last words']);
    expect(world.runtime.lines).toEqual(['first words']);
  });

  it('I7: a restarted worker that does not take its app is the end', async () => {
    const world = new RestartRun();
    await world.serve();
    world.wish();
    await world.clock.settle();
    const failed = { status: 0, result: 'broken', exception: undefined, logs: [] } as const;
    await world.connect({
      script: {
        functionEnvironmentReloadRequest: () => ({
          $case: 'functionEnvironmentReloadResponse',
          value: {
            result: { ...failed, logs: [] },
            capabilities: new Map(),
            capabilitiesUpdateStrategy: 0,
            workerMetadata: undefined,
          },
        }),
      },
    });
    await world.clock.settle();
    expect(await world.sidecar.ended).toMatchObject({ kind: 'failed', error: { code: 'SIDECAR_WORKER_REFUSED' } });
  });

  it('I7: a pod that is drained while the wrapper decides has no next life', async () => {
    const world = new RestartRun();
    await world.serve();
    world.wish();
    void world.sidecar.drain(100);
    await world.clock.advance(5_000);
    expect(await world.sidecar.ended).toEqual({ kind: 'stopped' });
    expect(world.expected).toBe(0);
  });
});

describe('RestartableSidecar, a wrapper that starts failed workers again', () => {
  it('I2: a worker that comes back serves its app again', async () => {
    const world = new RestartRun({ awaitsReturn: true });
    const first = await world.serve();
    first.crash();
    await world.clock.settle();
    expect(world.expected).toBe(1);
    await world.connect();
    await world.clock.settle();
    expect(world.sidecar.state).toBe('relaying');
    expect(world.runtimes).toHaveLength(2);
    expect(world.asked).toEqual([]);
  });

  it('a placeholder that comes back is warm again, and free', async () => {
    const world = new RestartRun({ awaitsReturn: true });
    (await world.connect()).crash();
    await world.clock.settle();
    await world.connect();
    await world.sidecar.warm;
    expect(world.sidecar.isTainted).toBe(false);
    expect(await world.sidecar.assign(sampleAssignment)).toEqual({ kind: 'assigned' });
  });

  it('a worker that fails again while it comes up is waited for again', async () => {
    const world = new RestartRun({ awaitsReturn: true });
    const hangs = { script: { workerInitRequest: () => undefined } };
    (await world.serve()).crash();
    await world.clock.settle();
    (await world.connect(hangs)).crash();
    await world.clock.settle();
    await world.connect();
    await world.clock.settle();
    expect(world.sidecar.state).toBe('relaying');
    expect(world.expected).toBe(2);
  });

  it('I7: a worker that fails while it gets its app for the first time is not waited for', async () => {
    const world = new RestartRun({ awaitsReturn: true });
    const worker = await world.connect({ script: { functionEnvironmentReloadRequest: () => undefined } });
    const outcome = world.sidecar.assign(sampleAssignment);
    await world.clock.settle();
    worker.crash();
    expect(await outcome).toMatchObject({ kind: 'failed', tainted: true });
    expect(await world.sidecar.ended).toMatchObject({ kind: 'failed', error: { code: 'SIDECAR_WORKER_LOST' } });
  });

  it('I7: without such a wrapper the end of the worker is the end', async () => {
    const world = new RestartRun();
    (await world.serve()).crash();
    await world.clock.advance(5_000);
    expect(await world.sidecar.ended).toEqual({ kind: 'stopped' });
    expect(world.expected).toBe(0);
  });

  it('I7: a worker whose stream its sidecar has ended is not waited for', async () => {
    const world = new RestartRun({ awaitsReturn: true });
    await world.serve();
    const drained = world.sidecar.drain(1_000);
    await world.clock.advance(5_000);
    await drained;
    expect(await world.sidecar.ended).toEqual({ kind: 'stopped' });
    expect(world.expected).toBe(0);
  });
});

describe('RestartableSidecar, a sidecar with an app of its own', () => {
  const serve = async (awaitsReturn: boolean) => {
    const world = new RestartRun({ awaitsReturn, ownApp: sampleAssignment });
    const worker = await world.connect();
    await world.clock.settle();
    expect(world.sidecar.state).toBe('relaying');
    return { world, worker };
  };

  it('I2: a worker that comes back gets the app again', async () => {
    const { world, worker } = await serve(true);
    worker.crash();
    await world.clock.settle();
    expect(world.expected).toBe(1);
    await world.connect();
    await world.clock.settle();
    expect(world.sidecar.state).toBe('relaying');
    expect(world.runtime.specialized).toMatchObject({ applicationId: 'shop' });
  });

  it('I2: a worker that a Runtime wants anew gets the app with what was laid over it', async () => {
    const { world } = await serve(false);
    world.wish({ environmentOverrides: new Map([['GREETING', 'hola']]) });
    await world.clock.settle();
    const second = await world.connect();
    await world.clock.settle();
    const [reload] = second.bodies('functionEnvironmentReloadRequest');
    expect(reload?.environmentVariables.get('GREETING')).toBe('hola');
    expect(world.runtime.specialized.appSettings.get('GREETING')).toBe('hola');
    expect(world.sidecar.state).toBe('relaying');
  });

  it('I7: a worker that fails before it ever served is not waited for', async () => {
    const world = new RestartRun({ awaitsReturn: true, ownApp: sampleAssignment });
    const worker = await world.connect({ script: { functionEnvironmentReloadRequest: () => undefined } });
    worker.crash();
    expect(await world.sidecar.ended).toMatchObject({ kind: 'failed', error: { code: 'SIDECAR_WORKER_LOST' } });
    expect(world.expected).toBe(0);
  });
});

describe('RestartableSidecar, whatever happens', () => {
  it('I7: ends once, with no timer left, and never has two streams to Runtimes', async () => {
    const step = fc.constantFrom(
      'connect',
      'crash',
      'end',
      'wish',
      'assign',
      'other',
      'refuse',
      'allow',
      'wait',
      'drain',
    );
    const property = fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.boolean(), async (steps, awaitsReturn) => {
      const world = new RestartRun({ awaitsReturn });
      const ends: unknown[] = [];
      void world.sidecar.ended.then((end) => ends.push(end));
      const open = new Set<ScriptedRuntime>();
      const seen = new Set<ScriptedRuntime>();
      for (const taken of steps) {
        if (taken === 'connect') await world.connect();
        else if (taken === 'crash') world.workers.at(-1)?.crash();
        else if (taken === 'end') world.workers.at(-1)?.end();
        else if (taken === 'wish' && world.runtimes.length > 0) world.wish();
        else if (taken === 'assign') void world.sidecar.assign(otherArguments);
        else if (taken === 'other') void world.sidecar.assign(foreignApp);
        else if (taken === 'refuse') world.outcome = { kind: 'rejected', reason: 'test' };
        else if (taken === 'allow') world.outcome = { kind: 'accepted' };
        else if (taken === 'wait') await world.clock.advance(5_000);
        else if (taken === 'drain') void world.sidecar.drain(1_000);
        await world.clock.settle();
        for (const runtime of world.runtimes) {
          if (seen.has(runtime)) continue;
          seen.add(runtime);
          open.add(runtime);
          void runtime.link.closed.then(() => open.delete(runtime));
        }
        await world.clock.settle();
        expect(open.size).toBeLessThanOrEqual(1);
        const served = new Set(world.runtimes.map((runtime) => runtime.connect.applicationId));
        expect(served.size).toBeLessThanOrEqual(1);
      }
      void world.sidecar.drain(0);
      await world.clock.advance(200_000);
      expect(ends).toHaveLength(1);
      expect(world.clock.pendingTimers).toBe(0);
    });
    await fc.assert(property, { numRuns: 150 });
  });
});
