import { systemRandom } from '@switchyard/kernel';
import { createMemoryLog, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { MockDriver, MockEngine } from '../driver/mock/mock-driver.ts';
import type { Job } from '../jobs/job.ts';
import { MemoryJobStore } from '../jobs/memory-job-store.ts';
import { FakeWorkspaces } from '../testing/agent-bench.ts';
import { sampleJob } from '../testing/sample-job.ts';
import { JobExecutor } from './job-executor.ts';

function open() {
  const clock = new VirtualClock();
  const engine = new MockEngine(clock);
  const store = new MemoryJobStore();
  const workspaces = new FakeWorkspaces();
  const log = createMemoryLog(clock);
  const told: string[] = [];
  const executor = new JobExecutor(
    { driver: new MockDriver(engine), store, workspaces, clock, random: systemRandom, log },
    {
      pullPolicy: 'missing',
      readOnlyRoot: true,
      user: undefined,
      temporaryMb: 16,
      stopGraceMs: 1_000,
      prepareMs: 60_000,
      enginePatienceMs: 1_000,
    },
    { ended: (job) => told.push(`ended ${job.id}`), left: (jobId) => told.push(`left ${jobId}`) },
  );
  const running = (id: string, cmd: string[]): Job => {
    store.insert(sampleJob(id, { runtime: { cmd } }));
    return store.update(id, { state: 'running', startedAtMs: clock.now() });
  };
  return { clock, engine, store, workspaces, log, told, executor, running };
}

describe('JobExecutor', () => {
  it('I1: refuses a second run of a job', () => {
    const { executor, running } = open();
    const job = running('a', ['sleep', '5']);
    executor.execute(job, 'start');
    expect(() => executor.execute(job, 'start')).toThrow('has a run already');
    expect(executor.size).toBe(1);
  });

  it('I2: tells the end of each run once, and then that nothing is left', async () => {
    const { clock, engine, executor, running, told } = open();
    executor.execute(running('a', ['echo', 'x']), 'start');
    executor.execute(running('b', ['sleep', '5']), 'start');
    await clock.advance(10_000);
    await executor.settled();
    expect(told).toEqual(['ended a', 'left a', 'ended b', 'left b']);
    expect([executor.size, engine.tasks.size]).toEqual([0, 0]);
  });

  it('I2: tells no end of a run that it let go', async () => {
    const { clock, executor, running, told } = open();
    executor.execute(running('a', ['sleep', '5']), 'start');
    await clock.advance(0);
    executor.detachAll();
    await executor.settled();
    expect(told).toEqual(['left a']);
  });

  it('I3: sweeps what belongs to no run, and nothing else', async () => {
    const { clock, engine, workspaces, executor, running } = open();
    executor.execute(running('old', ['sleep', '50']), 'start');
    await clock.advance(0);
    executor.detachAll();
    await executor.settled();
    executor.execute(running('mine', ['sleep', '50']), 'start');
    await clock.advance(0);
    expect([...engine.tasks.keys()]).toEqual(['old', 'mine']);
    await executor.sweep();
    expect([...engine.tasks.keys()]).toEqual(['mine']);
    expect([...workspaces.folders]).toEqual(['mine']);
    expect(executor.outputOf('mine')).toBeDefined();
    expect(executor.outputOf('old')).toBeUndefined();
  });

  it('lives with an engine that does not answer while it sweeps', async () => {
    const { engine, executor, log } = open();
    engine.available = false;
    await executor.sweep();
    expect(log.withMessage('Leftover containers could not be removed')).toHaveLength(1);
  });

  it('cancels all', async () => {
    const { clock, executor, running, store } = open();
    for (const id of ['a', 'b']) executor.execute(running(id, ['sleep', '50']), 'start');
    await clock.advance(0);
    executor.cancelAll();
    executor.cancel('not-there');
    await clock.advance(2_000);
    await executor.settled();
    expect(store.counts()).toMatchObject({ failed: 2 });
  });
});
