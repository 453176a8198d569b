import { silentMeter } from '@switchyard/kernel';
import { createMemoryLog, createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import { Dispatcher } from '../dispatch/dispatcher.ts';
import { runtimeErrors } from '../errors.ts';
import { LogRelay } from '../invocation/log-relay.ts';
import { defaultLimits } from '../limits.ts';
import { FakeChannel } from '../testing/fake-channel.ts';
import { FakeSupply } from '../testing/fake-supply.ts';
import { freeShare } from '../testing/free-share.ts';
import { SampleCall, sampleAnswer, sampleDefinition } from '../testing/sample-worker.ts';
import { parseCapabilities } from '../worker-registry/capabilities.ts';
import { Worker } from '../worker-registry/worker.ts';
import type { HandshakePlan } from '../worker-stream/handshake.ts';
import { WorkerPool } from './worker-pool.ts';

function createPool(count = 1, ignoresTermination = false, standing = count) {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const supply = new FakeSupply();
  const failures: string[] = [];
  let changes = 0;
  const dispatcher: Dispatcher = new Dispatcher(
    { clock, log, meter: silentMeter, share: () => freeShare },
    {
      applicationId: 'sample',
      strategy: 'leastLoaded',
      functionTimeoutMs: 60_000,
      holdMs: defaultLimits.workerWaitMs,
      limits: defaultLimits,
      onStarving: () => pool.wake(),
      onTimeout: (worker) => pool.abandon(worker),
      onStalled: (worker) => pool.stalled(worker),
      onRelieved: (worker) => pool.recovered(worker, 'back-pressure'),
    },
  );
  const relay = new LogRelay(log, silentMeter, { applicationId: 'sample', maxMetricNames: 9 });
  const pool: WorkerPool = new WorkerPool(
    { clock, random: createSeededRandom(1), log, supply, dispatcher, relay },
    {
      application: sampleDefinition,
      scaling: { standing, active: count },
      plan: {} as HandshakePlan,
      ignoresTermination,
      limits: defaultLimits,
      onChange: () => {
        changes += 1;
      },
      onStartFailed: (error) => failures.push(error.code),
    },
  );
  const announce = (workerId: string): Worker => {
    const worker = new Worker(workerId, sampleDefinition, {
      inFlightCapacity: 9,
      stderrLines: 5,
      onTransition: () => {},
    });
    pool.expect(worker);
    return worker;
  };
  /** Connects the worker and brings it to Ready. */
  const connect = (worker: Worker, capabilities: readonly string[] = []) => {
    const channel = new FakeChannel();
    const session = pool.admit(worker, channel);
    worker.describe({
      capabilities: parseCapabilities(new Map(capabilities.map((name) => [name, '1']))),
      metadata: undefined,
    });
    session.initialized();
    session.ready();
    return { channel, session };
  };
  const exited = (worker: Worker, exitCode: number | null, stderrTail: readonly string[] = []): void =>
    pool.exited(worker, {
      kind: 'exited',
      workerId: worker.workerId,
      exitCode,
      signal: exitCode === null ? 'SIGKILL' : null,
      stderrTail,
    });
  return { clock, log, supply, dispatcher, pool, failures, announce, connect, exited, changes: () => changes };
}

describe('WorkerPool', () => {
  test('I1: wishes as many workers as the app wants, and none at its end', () => {
    const { pool, supply, announce, connect } = createPool(3);
    pool.open('index', 3);
    expect(supply.requests).toEqual([{ application: sampleDefinition, count: 3, urgency: 'normal', reason: 'index' }]);
    const [ready, waiting] = [announce('w1'), announce('w2')];
    const { channel } = connect(ready);
    pool.close();
    expect(supply.requests.at(-1)).toMatchObject({ count: 0 });
    expect(supply.released.map(({ workerId }) => workerId)).toEqual(['w1', 'w2']);
    expect(channel.ends).toEqual(['terminate']);
    expect([ready.state.kind, waiting.state.kind]).toEqual(['draining', 'draining']);
  });

  test('I1: a worker that ends by itself is given back when its stream is over', () => {
    const { pool, supply, announce, connect } = createPool();
    const worker = announce('w1');
    const { session } = connect(worker, ['HandlesWorkerTerminateMessage']);
    pool.close();
    expect(supply.released).toEqual([]);
    session.ended('the worker ended its stream');
    expect(supply.released).toEqual([{ workerId: 'w1', reason: 'application-stopped' }]);
    expect(worker.state.kind).toBe('stopped');
  });

  test('I1: a pool that ends after the loss of a worker waits for no successor', () => {
    const { clock, supply, pool, announce, connect, exited } = createPool();
    const worker = announce('w1');
    connect(worker);
    exited(worker, 1);
    pool.close();
    expect(clock.pendingTimers).toBe(0);
    expect(supply.requests.at(-1)).toMatchObject({ count: 0 });
  });

  test('I1: a worker that is known to ignore its termination is given back at once, whatever it says', () => {
    const { pool, supply, announce, connect } = createPool(1, true);
    const { channel } = connect(announce('w1'), ['HandlesWorkerTerminateMessage']);
    pool.close();
    expect(supply.released).toEqual([{ workerId: 'w1', reason: 'application-stopped' }]);
    expect(channel.ends).toEqual(['terminate']);
  });

  test('I2: a dropped worker that comes back in time keeps its place', async () => {
    const { clock, supply, dispatcher, announce, connect } = createPool();
    const worker = announce('w1');
    const { session } = connect(worker);
    session.ended('cut');
    expect(worker.state.kind).toBe('lost');
    expect(dispatcher.laneCount).toBe(0);
    await clock.advance(999);
    connect(worker);
    await clock.advance(100_000);
    expect([worker.state.kind, worker.epoch]).toEqual(['ready', 2]);
    expect(supply.released).toEqual([]);
    expect(supply.requests).toEqual([]);
  });

  test('I2: after a second it is released and replaced, urgently when none is left', async () => {
    const { clock, supply, announce, connect } = createPool(2);
    const [first, second] = [announce('w1'), announce('w2')];
    const sessions = [connect(first).session, connect(second).session];
    sessions[0]?.ended('cut');
    await clock.advance(1_000);
    expect(supply.released).toEqual([{ workerId: 'w1', reason: 'unresponsive' }]);
    expect(supply.requests).toMatchObject([{ urgency: 'normal', reason: 'replace', count: 2 }]);
    sessions[1]?.ended('cut');
    await clock.advance(1_000);
    expect(supply.requests[1]).toMatchObject({ urgency: 'urgent', reason: 'replace', count: 2 });
  });

  test('I2: what ran on a dropped worker is lost at once, and an old stream has no say any more', () => {
    const { dispatcher, announce, connect } = createPool();
    const worker = announce('w1');
    const first = connect(worker);
    const call = new SampleCall('a');
    dispatcher.submit(call);
    const second = connect(worker);
    expect(call.results).toMatchObject([{ kind: 'lost', reason: 'worker-lost' }]);
    expect(first.channel.ends).toMatchObject([{ code: 10 }]);
    const next = new SampleCall('b');
    dispatcher.submit(next);
    first.session.ended('late');
    first.session.failed(runtimeErrors.create('WORKER_FRAME_INVALID'));
    expect(next.results).toEqual([]);
    expect(second.channel.kinds).toEqual(['invocationRequest']);
    expect(worker.state.kind).toBe('ready');
  });

  test('a worker process that ends is reported with its last output, and replaced by the supply', async () => {
    const { clock, log, supply, announce, connect, exited, failures } = createPool();
    const worker = announce('w1');
    connect(worker);
    exited(worker, null, ['heap out of memory']);
    expect(log.withMessage('A worker process ended; another one is started.')).toMatchObject([
      { level: 'error', fields: { how: 'signal SIGKILL', output: 'heap out of memory' } },
    ]);
    expect(failures).toEqual([]);
    await clock.advance(1_000);
    expect(supply.requests).toMatchObject([{ urgency: 'urgent', reason: 'replace' }]);
  });

  test.each([
    [0, 'warning'],
    [200, 'information'],
  ])('exit code %d of a worker is no error, and told as %s', (exitCode, level) => {
    const { log, announce, connect, exited } = createPool();
    const worker = announce('w1');
    connect(worker);
    exited(worker, exitCode);
    expect(log.withMessage('A worker process ended; another one is started.')).toMatchObject([
      { level, fields: { how: `exit code ${exitCode}` } },
    ]);
  });

  test('I3: a worker that ends before it is ready is a failed start, reported once, and left to the supply', async () => {
    const { clock, log, supply, announce, exited, failures } = createPool();
    const worker = announce('w1');
    exited(worker, 1, ['SyntaxError: boom', '  at index.js:1']);
    await clock.advance(1_000_000);
    expect(failures).toEqual(['WORKER_EXITED']);
    const errors = log.records.filter(({ level }) => level === 'error');
    expect(errors).toHaveLength(1);
    expect(errors[0]?.message).toContain('ended (exit code 1) before it was ready');
    expect(errors[0]?.message).toContain('  SyntaxError: boom\n    at index.js:1');
    expect(supply.requests).toEqual([]);
    expect(supply.released).toEqual([]);
  });

  test('I3: a handshake that fails gives the worker back, and its end is no second report', () => {
    const { pool, supply, announce, exited, failures } = createPool();
    const worker = announce('w1');
    const session = pool.admit(worker, new FakeChannel());
    session.failed(runtimeErrors.create('WORKER_INIT_FAILED', { applicationId: 'sample', reason: 'x', stderr: '' }));
    expect(supply.released).toEqual([{ workerId: 'w1', reason: 'start-failed' }]);
    exited(worker, 1);
    expect(failures).toEqual(['WORKER_INIT_FAILED']);
  });

  test('I3: a worker that never connects is a failed start after a minute', async () => {
    const { clock, supply, announce, failures } = createPool();
    announce('w1');
    await clock.advance(59_999);
    expect(failures).toEqual([]);
    await clock.advance(1);
    expect(failures).toEqual(['WORKER_CONNECT_TIMEOUT']);
    expect(supply.released).toEqual([{ workerId: 'w1', reason: 'start-failed' }]);
  });

  test('I3: a stream that ends during the handshake is a failed start when no process end explains it', async () => {
    const { clock, pool, announce, failures } = createPool();
    const worker = announce('w1');
    pool.admit(worker, new FakeChannel()).ended('cut');
    await clock.advance(2_999);
    expect(failures).toEqual([]);
    await clock.advance(1);
    expect(failures).toEqual(['WORKER_STREAM_ENDED']);
  });

  test('I3: nothing that could be started is reported with the reason and the next try', () => {
    const { pool, log, failures } = createPool();
    pool.supplyFailed({ kind: 'failed', application: sampleDefinition, message: 'no such program.', retryInMs: 250 });
    expect(failures).toEqual(['WORKER_NOT_STARTED']);
    expect(log.records.at(-1)?.message).toContain('no such program. The next try is in 250 ms.');
  });

  test('I4: a worker on which an invocation hung is given up, and all that ran on it is lost', async () => {
    const { clock, supply, dispatcher, announce, connect } = createPool();
    const worker = announce('w1');
    const { channel } = connect(worker);
    const calls = [new SampleCall('a'), new SampleCall('b')];
    dispatcher.submit(calls[0] as SampleCall);
    await clock.advance(1_000);
    dispatcher.submit(calls[1] as SampleCall);
    await clock.advance(59_000);
    expect(calls.map(({ results }) => results[0])).toMatchObject([{ reason: 'timeout' }, { reason: 'worker-lost' }]);
    expect(worker.state.kind).toBe('abandoned');
    expect(channel.ends).toEqual(['terminate']);
    expect(supply.released).toEqual([{ workerId: 'w1', reason: 'invocation-timeout' }]);
    expect(supply.requests).toMatchObject([{ urgency: 'urgent', reason: 'replace' }]);
    expect(dispatcher.laneCount).toBe(0);
  });

  test('I5: a silent idle worker is lost after three misses', async () => {
    const { clock, supply, announce, connect } = createPool();
    const worker = announce('w1');
    const { channel } = connect(worker, ['WorkerStatus']);
    await clock.advance(59_999);
    expect(worker.state.kind).toBe('ready');
    await clock.advance(1);
    expect(worker.state.kind).toBe('lost');
    expect(channel.ends).toMatchObject([{ code: 4 }]);
    expect(supply.released).toEqual([{ workerId: 'w1', reason: 'unresponsive' }]);
    expect(supply.requests).toMatchObject([{ urgency: 'urgent' }]);
  });

  test('I5: a silent busy worker gets nothing new, and a frame brings it back', async () => {
    const { clock, dispatcher, announce, connect } = createPool();
    const worker = announce('w1');
    const { channel, session } = connect(worker, ['WorkerStatus']);
    await clock.advance(10_000);
    dispatcher.submit(new SampleCall('a'));
    await clock.advance(50_000);
    expect(worker.state).toEqual({ kind: 'unhealthy', cause: 'silent' });
    dispatcher.submit(new SampleCall('b'));
    const invocations = () => channel.kinds.filter((kind) => kind === 'invocationRequest').length;
    expect(invocations()).toBe(1);
    session.revived();
    expect(worker.state.kind).toBe('ready');
    expect(invocations()).toBe(2);
  });

  test('I5: a worker that does not answer status requests is not asked', async () => {
    const { clock, announce, connect } = createPool();
    const worker = announce('w1');
    const { channel } = connect(worker);
    await clock.advance(3_600_000);
    expect(channel.sent).toEqual([]);
    expect(worker.state.kind).toBe('ready');
  });

  test('a worker that takes nothing is unhealthy until it drains', async () => {
    const { clock, dispatcher, announce, connect } = createPool();
    const worker = announce('w1');
    const { channel } = connect(worker);
    channel.fill();
    dispatcher.submit(new SampleCall('a'));
    dispatcher.submit(new SampleCall('b'));
    await clock.advance(5_000);
    expect(worker.state).toEqual({ kind: 'unhealthy', cause: 'back-pressure' });
    channel.drain();
    await clock.settle();
    expect(worker.state.kind).toBe('ready');
  });

  test('an invocation that waits asks the supply once a second at most', async () => {
    const { clock, supply, dispatcher } = createPool();
    for (const id of ['a', 'b', 'c']) dispatcher.submit(new SampleCall(id));
    expect(supply.requests).toMatchObject([{ urgency: 'urgent', reason: 'activate' }]);
    await clock.advance(1_000);
    dispatcher.submit(new SampleCall('d'));
    expect(supply.requests).toHaveLength(2);
  });

  test('I6: rest leaves the standing workers, oldest first, and gives the others back when their streams are over', () => {
    const { supply, pool, dispatcher, announce, connect } = createPool(3, false, 1);
    pool.open('activate', 3);
    const workers = ['w1', 'w2', 'w3'].map((workerId) => announce(workerId));
    const sessions = workers.map((worker) => connect(worker, ['HandlesWorkerTerminateMessage']));
    expect(pool.hasSpare).toBe(true);
    pool.rest();
    expect([pool.hasSpare, dispatcher.laneCount]).toEqual([false, 1]);
    expect(workers.map(({ state }) => state.kind)).toEqual(['ready', 'draining', 'draining']);
    expect(sessions.map(({ channel }) => channel.ends)).toEqual([[], ['terminate'], ['terminate']]);
    expect(supply.requests.at(-1)).toMatchObject({ count: 1, urgency: 'normal', reason: 'scale' });
    expect(supply.released).toEqual([]);
    sessions[2]?.session.ended('the worker ended its stream');
    expect(supply.released).toEqual([{ workerId: 'w3', reason: 'idle' }]);
  });

  test('I6: a pool that rests starts no replacement, and counts the end of a worker as no trouble', async () => {
    const { clock, supply, pool, failures, announce, connect, exited } = createPool(1, false, 0);
    pool.open('activate', 1);
    const worker = announce('w1');
    const { session } = connect(worker, ['HandlesWorkerTerminateMessage']);
    pool.rest();
    session.ended('the worker ended its stream');
    exited(worker, 0);
    await clock.advance(60_000);
    expect(supply.requests.map(({ count }) => count)).toEqual([1, 0]);
    expect([failures, pool.workers, clock.pendingTimers]).toEqual([[], [], 0]);
  });

  test('I6: a pool that is woken while a worker still ends gives it back first, and asks for another at once', () => {
    const { supply, pool, announce, connect } = createPool(1, false, 0);
    pool.open('activate', 1);
    const { session } = connect(announce('w1'), ['HandlesWorkerTerminateMessage']);
    pool.rest();
    const order: string[] = [];
    supply.onRelease = (workerId) => order.push(`release ${workerId}`);
    supply.onEnsure = ({ count, urgency }) => order.push(`ensure ${count} ${urgency}`);
    pool.wake();
    expect(order).toEqual(['release w1', 'ensure 1 urgent']);
    session.ended('the worker ended its stream');
    expect(supply.released).toEqual([{ workerId: 'w1', reason: 'idle' }]);
  });

  test('I6: a pool that gives up asks for its standing workers alone, and may be woken at once', () => {
    const { supply, pool } = createPool(1, false, 0);
    pool.wake();
    pool.giveUp();
    pool.wake();
    expect(supply.requests.map(({ count, urgency }) => [count, urgency])).toEqual([
      [1, 'urgent'],
      [0, 'normal'],
      [1, 'urgent'],
    ]);
  });

  test('I7: ends what is too many without a loss, after what it runs and what is on its way to callers', async () => {
    const { clock, supply, pool, dispatcher, announce, connect } = createPool(2);
    pool.open('index', 2);
    const [busy, idle] = [announce('w1'), announce('w2')];
    const { channel, session } = connect(busy, ['HandlesWorkerTerminateMessage']);
    dispatcher.submit(new SampleCall('a'));
    connect(idle);
    pool.scaleTo(1);
    expect(supply.released).toEqual([{ workerId: 'w2', reason: 'idle' }]);
    pool.scaleTo(0);
    expect([channel.ends, pool.readyCount, pool.drainingCount, pool.wantedCount]).toEqual([[], 0, 1, 0]);
    dispatcher.answer(busy, sampleAnswer('a'));
    pool.drained(busy);
    await clock.settle();
    expect(channel.ends).toEqual(['terminate']);
    session.ended('the worker ended its stream');
    expect(supply.released.at(-1)).toEqual({ workerId: 'w1', reason: 'idle' });
  });

  test('I7: a draining worker whose stream drops is given back, not replaced', () => {
    const { supply, pool, dispatcher, announce, connect } = createPool(1);
    pool.open('index', 1);
    const { session } = connect(announce('w1'));
    const call = new SampleCall('a');
    dispatcher.submit(call);
    pool.scaleTo(0);
    session.ended('gone');
    expect([supply.released, pool.drainingCount]).toEqual([[{ workerId: 'w1', reason: 'idle' }], 0]);
    expect(call.results).toMatchObject([{ kind: 'lost', reason: 'worker-lost' }]);
    expect(supply.requests.at(-1)).toMatchObject({ count: 0, reason: 'scale' });
  });

  test('I7: after its end it takes no more wishes', () => {
    const { supply, pool } = createPool(1);
    pool.close();
    const before = supply.requests.length;
    pool.scaleTo(5);
    expect([supply.requests.length, pool.wantedCount]).toEqual([before, 0]);
  });
});
