import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VirtualClock } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MockEngine } from '../driver/mock/mock-driver.ts';
import { AgentBench, type AgentBenchOptions } from '../testing/agent-bench.ts';
import { sampleBody } from '../testing/sample-job.ts';
import { openSqliteJobStore } from './sqlite-job-store.ts';

const never = new AbortController().signal;

async function open(options: AgentBenchOptions = {}): Promise<AgentBench> {
  const bench = new AgentBench(options);
  await bench.service.open();
  return bench;
}

describe('JobService', () => {
  it('I1: stores a job before it says that it is accepted, and brings it to an end', async () => {
    const bench = await open();
    expect(bench.submit('a', ['echo', 'hello'])).toMatchObject({ kind: 'accepted', job: { id: 'a', state: 'queued' } });
    expect(bench.job('a').state).toBe('running');
    await bench.clock.advance(0);
    expect(bench.job('a')).toMatchObject({ state: 'finished', stdout: 'hello\n' });
  });

  it('I1: accepts nothing that the store does not take', async () => {
    const bench = await open();
    bench.store.insert = () => {
      throw new Error('disk full');
    };
    expect(() => bench.submit('a', ['echo'])).toThrow('disk full');
    expect([bench.service.queued, bench.service.running('job')]).toEqual([0, 0]);
  });

  it('I1: lets a job wait that cannot be marked as running, and starts it later', async () => {
    const bench = await open({ scheduling: { maxConcurrentJobs: 1 } });
    const { store } = bench;
    const update = store.update.bind(store);
    let isFull = true;
    store.update = (id, change) => {
      if (isFull) throw new Error('disk full');
      return update(id, change);
    };
    bench.submit('a', ['echo', 'x']);
    await bench.clock.advance(1_000);
    expect([bench.job('a').state, bench.service.running('job')]).toEqual(['queued', 0]);
    isFull = false;
    await bench.clock.advance(10_000);
    expect(bench.job('a').state).toBe('finished');
  });

  it('rejects what is invalid, not allowed, too much or known already', async () => {
    const bench = await open({
      policy: { allowed_images: ['busybox'] },
      scheduling: { maxConcurrentJobs: 1, maxQueued: 1 },
    });
    const codes = [
      bench.service.submit('no object'),
      bench.service.submit({ ...sampleBody('a'), protocol_version: 2 }),
      bench.service.submit(sampleBody('a', { runtime: { image: 'alpine' } })),
      bench.service.submit(sampleBody('a', { runtime: { limits: { memory_mb: 10_000_000 } } })),
      bench.submit('a', ['sleep', '5']),
      bench.submit('a', ['sleep', '5']),
      bench.submit('b', ['sleep', '5']),
      bench.submit('c', ['sleep', '5']),
      bench.service.refuseBody('The body is no JSON.'),
    ].map((one) => (one.kind === 'accepted' ? 'accepted' : `${one.kind} ${one.error.code}`));
    expect(codes).toEqual([
      'rejected INVALID_BODY',
      'rejected UNSUPPORTED_PROTOCOL_VERSION',
      'rejected IMAGE_NOT_ALLOWED',
      'rejected LIMIT_EXCEEDED',
      'accepted',
      'duplicate JOB_ID_ALREADY_EXISTS',
      'accepted',
      'rejected QUEUE_FULL',
      'rejected INVALID_BODY',
    ]);
    const page = bench.metrics.toText({}, bench.store.counts());
    expect(page).toContain('jobs_accepted_total 2');
    expect(page).toContain('jobs_rejected_total{code="INVALID_BODY"} 2');
  });

  it('I2: cancels a waiting job at once, and a running one by stopping it', async () => {
    const bench = await open({ scheduling: { maxConcurrentJobs: 1 } });
    bench.submit('runs', ['sleep', '500']);
    bench.submit('waits', ['sleep', '500']);
    expect(bench.service.cancel('waits')).toMatchObject({ kind: 'cancelled', job: { state: 'failed' } });
    expect(bench.service.cancel('runs')).toMatchObject({ kind: 'requested', job: { cancelRequested: true } });
    expect(bench.service.cancel('runs').kind).toBe('requested');
    await bench.clock.advance(1_000);
    expect(bench.service.cancel('runs').kind).toBe('ended');
    expect(bench.service.cancel('unknown').kind).toBe('not-found');
    expect(bench.engine.launches.has('waits')).toBe(false);
    for (const id of ['runs', 'waits'])
      expect(bench.job(id)).toMatchObject({ state: 'failed', error: { code: 'CANCELLED' } });
  });

  it('runs 200 jobs, four at a time, each once', async () => {
    const bench = await open();
    let most = 0;
    for (let index = 0; index < 200; index += 1) bench.submit(`j${index}`, ['sleep', '1']);
    for (let second = 0; second < 51; second += 1) {
      most = Math.max(most, bench.service.running('job'));
      await bench.clock.advance(1_000);
    }
    expect(most).toBe(4);
    expect(bench.store.counts()).toEqual({ queued: 0, running: 0, finished: 200, failed: 0 });
    expect([...bench.engine.launches.values()].every((count) => count === 1)).toBe(true);
  });

  it('lets callers wait for the beginning and for the end', async () => {
    const bench = await open({ scheduling: { maxConcurrentJobs: 1 } });
    bench.submit('first', ['sleep', '10']);
    bench.submit('second', ['sleep', '10']);
    const told: string[] = [];
    void bench.service.ended('first', 60_000, never).then(() => told.push('first ended'));
    void bench.service.began('second', never).then(() => told.push('second began'));
    void bench.service.ended('second', 5_000, never).then(() => told.push('waited 5 s'));
    const leave = new AbortController();
    void bench.service.ended('second', 60_000, leave.signal).then(() => told.push('left'));
    await bench.clock.advance(5_000);
    leave.abort();
    await bench.clock.advance(6_000);
    expect(told).toEqual(['waited 5 s', 'left', 'first ended', 'second began']);
    await bench.service.ended('first', 60_000, never);
    await bench.service.ended('unknown', 60_000, never);
    await bench.service.began('first', never);
  });

  it('drops old results by count and age', async () => {
    const bench = await open({ retention: { maxJobs: 2, maxAgeMs: 3_600_000 } });
    for (const id of ['a', 'b', 'c']) {
      bench.submit(id, ['echo']);
      await bench.clock.advance(10);
    }
    expect(['a', 'b', 'c'].map((id) => bench.service.get(id) !== undefined)).toEqual([false, true, true]);
    await bench.clock.advance(3_700_000);
    expect(bench.service.get('c')).toBeUndefined();
  });

  it('I4: accepts and starts nothing while it drains', async () => {
    const bench = await open({ scheduling: { maxConcurrentJobs: 1 } });
    bench.submit('runs', ['sleep', '10']);
    bench.submit('waits', ['sleep', '10']);
    const drained = bench.service.drain(60_000);
    expect(bench.service.state).toBe('Draining');
    expect(bench.submit('late', ['echo'])).toMatchObject({ kind: 'rejected', error: { code: 'AGENT_DRAINING' } });
    await bench.clock.advance(10_000);
    await drained;
    await bench.clock.advance(60_000);
    expect(bench.job('runs').state).toBe('finished');
    expect(bench.job('waits').state).toBe('queued');
  });

  it('I4: waits for no pod, which would never end by itself', async () => {
    const bench = await open();
    bench.submit('job', ['sleep', '2']);
    bench.submit('pod', ['sleep', '100000'], { runtime: { lifecycle: 'pod' } });
    await bench.clock.advance(0);
    const drained = bench.service.drain(60_000);
    await bench.clock.advance(2_000);
    await drained;
    expect(bench.job('pod').error?.code).toBe('CANCELLED');
    expect(bench.job('job').state).toBe('finished');
  });

  it('I5: without a durable store, closing ends what runs and what waits', async () => {
    const bench = await open({ scheduling: { maxConcurrentJobs: 1 } });
    bench.submit('runs', ['sleep', '1000']);
    bench.submit('waits', ['sleep', '1000']);
    const ended = bench.service.ended('waits', 60_000, never);
    const closed = bench.service.close();
    await bench.clock.advance(10_000);
    await closed;
    await ended;
    expect(bench.job('runs').error?.code).toBe('CANCELLED');
    expect(bench.job('waits').error?.message).toContain('before the job could start');
    expect([bench.engine.tasks.size, bench.workspaces.folders.size]).toEqual([0, 0]);
    await bench.service.close();
  });
});

describe('JobService with a durable store', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'switchyard-service-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Two runs of an agent on one engine and one file. */
  const openRuns = (options: AgentBenchOptions = {}) => {
    const clock = new VirtualClock();
    const engine = new MockEngine(clock);
    const openRun = async (): Promise<AgentBench> =>
      await open({ ...options, clock, engine, store: openSqliteJobStore(join(folder, 'jobs.db')) });
    return { clock, engine, openRun };
  };

  it('I3, I5: leaves what runs to its container, and goes on with it and with what waited', async () => {
    const { clock, engine, openRun } = openRuns({ scheduling: { maxConcurrentJobs: 1 } });
    const first = await openRun();
    first.submit('runs', ['sleep', '100', '3']);
    for (const id of ['w1', 'w2']) first.submit(id, ['echo', id]);
    await clock.advance(1_000);
    await first.service.close();
    await clock.advance(10_000);
    expect([...engine.tasks.keys()]).toEqual(['runs']);

    const second = await openRun();
    await clock.advance(1_000);
    expect(
      second.service
        .list({ states: undefined, lifecycle: undefined, labels: [], limit: 9, before: undefined })
        .jobs.map(({ id, state }) => [id, state]),
    ).toEqual([
      ['w2', 'queued'],
      ['w1', 'queued'],
      ['runs', 'running'],
    ]);
    await clock.advance(100_000);
    expect(second.job('runs')).toMatchObject({ state: 'failed', exitCode: 3 });
    expect(['w1', 'w2'].map((id) => second.job(id).state)).toEqual(['finished', 'finished']);
    const order = ['w1', 'w2'].map((id) => second.job(id).startedAtMs ?? 0);
    expect(order).toEqual([...order].sort((left, right) => left - right));
    expect([...engine.launches.values()]).toEqual([1, 1, 1]);
    await second.service.close();
  });

  it('I3: tells the end of a job that ended while the agent was away, with its output', async () => {
    const { clock, openRun } = openRuns();
    const first = await openRun();
    first.submit('a', ['echo', 'from before']);
    await clock.advance(0);
    first.submit('b', ['sleep', '5']);
    await clock.advance(0);
    await first.service.close();
    await clock.advance(60_000);
    const second = await openRun();
    await clock.advance(0);
    expect(second.job('b')).toMatchObject({ state: 'finished', exitCode: 0 });
    await second.service.close();
  });

  it('I3: fails a job whose container is gone, and never runs it a second time', async () => {
    const { clock, engine, openRun } = openRuns();
    const first = await openRun();
    first.submit('a', ['sleep', '100']);
    await clock.advance(0);
    await first.service.close();
    engine.tasks.clear();
    const second = await openRun();
    await clock.advance(0);
    expect(second.job('a')).toMatchObject({ state: 'failed', error: { code: 'DOCKER_ERROR' } });
    expect(engine.launches.get('a')).toBe(1);
    await second.service.close();
  });

  it('I3: keeps the time limit over a restart', async () => {
    const { clock, openRun } = openRuns();
    const first = await openRun();
    first.submit('a', ['sleep', '1000'], { runtime: { limits: { max_runtime_seconds: 60 } } });
    await clock.advance(30_000);
    await first.service.close();
    await clock.advance(20_000);
    const second = await openRun();
    await clock.advance(9_000);
    expect(second.job('a').state).toBe('running');
    await clock.advance(2_000);
    expect(second.job('a').error?.code).toBe('TIMEOUT');
    await second.service.close();
  });

  it('I3: removes containers that no job of its own knows', async () => {
    const { clock, engine, openRun } = openRuns();
    const stranger = await open({ clock, engine });
    stranger.submit('forgotten', ['sleep', '1000']);
    await clock.advance(0);
    const agent = await openRun();
    expect(engine.tasks.size).toBe(0);
    await agent.service.close();
  });
});
