import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { defaultAgentSettings } from '../config/agent-settings.ts';
import { MockDriver, MockEngine } from '../driver/mock/mock-driver.ts';
import { AgentBench } from '../testing/agent-bench.ts';
import { type EngineStep, ScriptedDriver } from '../testing/scripted-driver.ts';

/** A bench whose service works. */
async function open(options: ConstructorParameters<typeof AgentBench>[0] = {}): Promise<AgentBench> {
  const bench = new AgentBench(options);
  await bench.service.open();
  return bench;
}

/** A bench whose engine does what a test scripts before it does what it would. */
async function openScripted(script: (step: EngineStep) => void | Promise<void>) {
  const clock = new VirtualClock();
  const engine = new MockEngine(clock);
  const bench = await open({ clock, engine, driver: new ScriptedDriver(new MockDriver(engine), script) });
  return { bench, clock, engine };
}

describe('JobRun', () => {
  it('I1: starts a program once, also when the answer to the start was lost', async () => {
    let isLost = false;
    const { bench, clock, engine } = await openScripted(async ({ method, run }) => {
      if (method !== 'start' || isLost) return;
      isLost = true;
      await run();
      engine.available = false;
      clock.schedule(1_000, () => {
        engine.available = true;
      });
      throw engine.unreachable();
    });
    bench.submit('a', ['sleep', '5']);
    await clock.advance(60_000);
    expect(isLost).toBe(true);
    expect(bench.job('a')).toMatchObject({ state: 'finished', exitCode: 0 });
    expect(engine.launches.get('a')).toBe(1);
  });

  it('I1: starts a pod with a restart policy again, and counts', async () => {
    const bench = await open();
    const restart = { policy: 'on_failure', max_restarts: 2 };
    bench.submit('pod', ['sleep', '1', '7'], { runtime: { lifecycle: 'pod', restart } });
    await bench.clock.advance(120_000);
    expect(bench.engine.launches.get('pod')).toBe(3);
    expect(bench.job('pod')).toMatchObject({ state: 'failed', exitCode: 7, restarts: 2 });
  });

  it('waits longer and longer between restarts, and less after a run that lasted', async () => {
    const bench = await open();
    bench.submit('pod', ['exit', '1'], { runtime: { lifecycle: 'pod', restart: { policy: 'always' } } });
    await bench.clock.advance(10_000);
    const early = bench.job('pod').restarts;
    expect(early).toBeGreaterThanOrEqual(2);
    expect(early).toBeLessThanOrEqual(5);
    await bench.clock.advance(600_000);
    expect(bench.job('pod').restarts).toBeLessThanOrEqual(early + 20);
    bench.service.cancel('pod');
    await bench.clock.advance(10_000);
    expect(bench.job('pod')).toMatchObject({ state: 'failed', error: { code: 'CANCELLED' } });
  });

  it('I2: stores the end before it removes the container', async () => {
    const states: string[] = [];
    const { bench, clock } = await openScripted(({ method, taskId }) => {
      if (method === 'destroy' && taskId !== undefined) states.push(bench.job(taskId).state);
    });
    bench.submit('a', ['echo', 'hi']);
    await clock.advance(0);
    expect(states).toEqual(['finished']);
  });

  it('I2: leaves the container when the end cannot be stored', async () => {
    const bench = await open();
    bench.submit('a', ['sleep', '5']);
    await bench.clock.advance(0);
    const { store } = bench;
    const update = store.update.bind(store);
    store.update = (id, change) => {
      if (change.finishedAtMs !== undefined) throw new Error('disk full');
      return update(id, change);
    };
    await bench.clock.advance(10_000);
    expect(bench.job('a').state).toBe('running');
    expect([...bench.engine.tasks.keys()]).toEqual(['a']);
    expect(bench.log.records.some(({ level }) => level === 'critical')).toBe(true);
  });

  it.each([
    ['a good end', ['echo', 'x'], 'finished', undefined],
    ['a bad end', ['exit', '9'], 'failed', 'RUNTIME_ERROR'],
    ['an end for memory', ['eat'], 'failed', 'OUT_OF_MEMORY'],
    ['a time limit', ['sleep', '100000'], 'failed', 'TIMEOUT'],
    ['a program that is not there', ['no-such-program'], 'failed', 'RUNTIME_ERROR'],
  ])('I3: leaves nothing behind after %s', async (_, cmd, state, code) => {
    const bench = await open();
    bench.submit('a', cmd, { runtime: { limits: { max_runtime_seconds: 60 } } });
    await bench.clock.advance(120_000);
    expect(bench.job('a')).toMatchObject({ state, error: code === undefined ? null : { code } });
    expect([...bench.engine.tasks.keys()]).toEqual([]);
    expect([...bench.workspaces.folders]).toEqual([]);
  });

  it('I3: tries again to remove what could not be removed', async () => {
    let failures = 0;
    const { bench, clock, engine } = await openScripted(({ method }) => {
      if (method !== 'destroy' || failures >= 3) return;
      failures += 1;
      throw engine.unreachable();
    });
    bench.submit('a', ['echo', 'x']);
    await clock.advance(0);
    expect([bench.job('a').state, engine.tasks.size]).toEqual(['finished', 1]);
    await clock.advance(30_000);
    expect([failures, engine.tasks.size, bench.service.running('job')]).toEqual([3, 0, 0]);
  });

  it('I4: ends a program that ignores SIGTERM, on request and at its limit', async () => {
    const bench = await open();
    bench.submit('asked', ['stubborn'], { runtime: { limits: { max_runtime_seconds: 1_000 } } });
    bench.submit('limit', ['stubborn'], { runtime: { limits: { max_runtime_seconds: 20 } } });
    await bench.clock.advance(1_000);
    expect(bench.service.cancel('asked')).toMatchObject({ kind: 'requested', job: { cancelRequested: true } });
    await bench.clock.advance(4_999);
    expect(bench.job('asked').state).toBe('running');
    await bench.clock.advance(1);
    expect(bench.job('asked')).toMatchObject({ state: 'failed', exitCode: 137, error: { code: 'CANCELLED' } });
    await bench.clock.advance(14_000 + 5_000);
    expect(bench.job('limit')).toMatchObject({ state: 'failed', exitCode: 137, error: { code: 'TIMEOUT' } });
  });

  it('I4: ends a job that is cancelled while its image is on its way', async () => {
    const { bench, clock, engine } = await openScripted(async ({ method, signal }) => {
      if (method !== 'start') return;
      await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason), { once: true }));
    });
    bench.submit('a', ['echo', 'x']);
    await clock.advance(1_000);
    bench.service.cancel('a');
    await clock.advance(1_000);
    expect(bench.job('a')).toMatchObject({ state: 'failed', error: { code: 'CANCELLED' } });
    expect(engine.launches.size).toBe(0);
  });

  it('I4: stops a job also when the engine was away for long at the moment of its limit', async () => {
    const bench = await open();
    bench.submit('a', ['stubborn'], { runtime: { limits: { max_runtime_seconds: 1 } } });
    await bench.clock.advance(0);
    bench.engine.available = false;
    await bench.clock.advance(600_000);
    expect(bench.job('a').state).toBe('running');
    bench.engine.available = true;
    await bench.clock.advance(15_000);
    expect(bench.job('a')).toMatchObject({ state: 'failed', error: { code: 'TIMEOUT' } });
    expect(bench.engine.tasks.size).toBe(0);
  });

  it('I4: removes by force what cannot be stopped', async () => {
    const { bench, clock, engine } = await openScripted(({ method }) => {
      if (method === 'stop') throw engine.unreachable();
    });
    bench.submit('a', ['sleep', '100000']);
    await clock.advance(0);
    bench.service.cancel('a');
    await clock.advance(60_000);
    expect(bench.job('a')).toMatchObject({ state: 'failed', error: { code: 'CANCELLED' } });
  });

  it('I5: lets go of a job without a trace', async () => {
    const bench = await open();
    bench.submit('a', ['sleep', '5']);
    await bench.clock.advance(0);
    Object.assign(bench.store, { kind: 'sqlite' });
    await bench.service.close();
    await bench.clock.advance(60_000);
    expect(bench.store.get('a')).toMatchObject({ state: 'running', finishedAtMs: null });
    expect([...bench.engine.tasks.keys()]).toEqual(['a']);
    expect([...bench.workspaces.folders]).toEqual(['a']);
  });

  it('waits for an engine that is away, and gives up after its patience', async () => {
    const bench = await open();
    bench.engine.available = false;
    bench.submit('patient', ['echo', 'x']);
    await bench.clock.advance(20_000);
    expect(bench.job('patient').state).toBe('running');
    bench.engine.available = true;
    await bench.clock.advance(10_000);
    expect(bench.job('patient').state).toBe('finished');

    bench.engine.available = false;
    bench.submit('given-up', ['echo', 'x']);
    await bench.clock.advance(40_000);
    expect(bench.job('given-up')).toMatchObject({ state: 'failed', error: { code: 'DOCKER_ERROR' } });
  });

  it('gives up on an image that does not get ready', async () => {
    const { bench, clock } = await openScripted(async ({ method, signal }) => {
      if (method !== 'start') return;
      await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason), { once: true }));
    });
    bench.submit('a', ['echo', 'x']);
    await clock.advance(61_000);
    expect(bench.job('a').error).toMatchObject({
      code: 'IMAGE_UNAVAILABLE',
      message: expect.stringContaining('prepare_seconds'),
    });
  });

  it('keeps the output of both streams, the image and the exit code', async () => {
    const bench = await open();
    bench.submit('a', ['complain', 'oh', 'no']);
    await bench.clock.advance(0);
    expect(bench.job('a')).toMatchObject({
      stdout: '',
      stderr: 'oh no\n',
      exitCode: 1,
      image: { reference: 'docker.io/library/busybox:latest' },
    });
  });

  it('keeps a bounded part of huge output', async () => {
    const bench = await open({ policy: { limits: { ...defaultAgentSettings.limits, output_kb: 1 } } });
    bench.submit('a', ['spam', '5000000']);
    await bench.clock.advance(0);
    const { stdout, stdoutDroppedBytes } = bench.job('a');
    expect(stdoutDroppedBytes).toBe(5_000_000 - 1_024);
    expect(stdout).toContain('bytes left out');
  });
});
