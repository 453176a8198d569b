import { silentLog } from '@switchyard/kernel';
import type { ReleaseReason, SupplyEvent } from '@switchyard/protocol';
import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApplicationWorkers } from './application-workers.ts';
import type { LaunchSource, WorkerLaunch } from './contract.ts';
import { defaultPodHostLimits } from './limits.ts';
import { StartGate } from './start-gate.ts';
import { createFakeProcesses } from './testing/fake-processes.ts';

const application = { applicationId: 'shop', metadataVersion: 'm1', codeVersion: 'c1' };

const launch: WorkerLaunch = {
  executable: 'node',
  arguments: ['--inspect'],
  workerPath: '/worker.js',
  workerArguments: ['--user'],
  directory: '/app',
  environment: { NAME: 'value' },
};

const nodeLaunch: LaunchSource = { launchOf: () => Promise.resolve(launch) };

function supervise(launches: LaunchSource = nodeLaunch, obedient = true) {
  const clock = new VirtualClock();
  const processes = createFakeProcesses({ obedient });
  const events: SupplyEvent[] = [];
  const idle: number[] = [];
  const gate = new StartGate(defaultPodHostLimits.maxConcurrentStarts, 100);
  const workers = new ApplicationWorkers(
    { clock, random: createSeededRandom(1), log: silentLog, launches, processes, gate },
    {
      application,
      endpoint: { host: '127.0.0.1', port: 50051 },
      limits: defaultPodHostLimits,
      emit: (event) => events.push(event),
      onIdle: () => idle.push(clock.now()),
    },
  );
  const wish = (count: number, urgency: 'normal' | 'urgent' = 'normal'): void =>
    workers.wish({ application, count, urgency, reason: 'activate' });
  return { clock, processes, events, idle, workers, wish };
}

const kinds = (events: readonly SupplyEvent[]): string[] => events.map((event) => event.kind);

describe('ApplicationWorkers', () => {
  it('starts the worker with its own arguments around the path and the connection at the end', async () => {
    const { clock, processes, wish, workers } = supervise();
    wish(1);
    await clock.settle();
    const [workerId] = workers.workerIds;
    const { launch } = processes.at(0);
    expect(launch).toMatchObject({ executable: 'node', directory: '/app', environment: { NAME: 'value' } });
    expect(launch.arguments.slice(0, 5)).toEqual(['--inspect', '/worker.js', '--user', '--host', '127.0.0.1']);
    expect(launch.arguments).toContain('--functions-uri');
    expect(launch.arguments.filter((argument) => argument === workerId)).toHaveLength(2);
  });

  it('starts an executable that is the worker itself without a path', async () => {
    const { clock, processes, wish } = supervise({ launchOf: () => Promise.resolve({ ...launch, workerPath: '' }) });
    wish(1);
    await clock.settle();
    expect(processes.at(0).launch.arguments.slice(0, 3)).toEqual(['--inspect', '--user', '--host']);
  });

  it('I1: never holds more workers than wished, whatever happens to them', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('wish' as const), count: fc.integer({ min: 0, max: 4 }), urgent: fc.boolean() }),
      fc.record({ kind: fc.constant('crash' as const), pick: fc.nat() }),
      fc.record({ kind: fc.constant('release' as const), pick: fc.nat(), bad: fc.boolean() }),
      fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(0, 100, 1_000, 31_000) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const { clock, processes, wish, workers, events } = supervise();
        let wished = 0;
        const ended = new Set<number>();
        for (const move of steps) {
          const before = processes.started.length;
          const alive = processes.started.map((_process, index) => index).filter((index) => !ended.has(index));
          if (move.kind === 'wish') {
            wished = move.count;
            wish(move.count, move.urgent ? 'urgent' : 'normal');
          } else if (move.kind === 'wait') await clock.advance(move.ms);
          else if (move.kind === 'crash' && alive.length > 0) {
            const index = alive[move.pick % alive.length] ?? 0;
            ended.add(index);
            processes.at(index).end(1);
          } else if (move.kind === 'release' && workers.workerIds.length > 0) {
            const index = move.pick % workers.workerIds.length;
            workers.release(workers.workerIds[index] ?? '', move.bad ? 'start-failed' : 'replaced');
          }
          await clock.settle();
          for (const [index, process] of processes.started.entries()) if (process.signals.length > 0) ended.add(index);
          const living = processes.started.length - ended.size;
          if (processes.started.length > before) expect(living).toBeLessThanOrEqual(wished);
        }
        await clock.advance(120_000);
        expect(workers.workerIds.length).toBeGreaterThanOrEqual(wished);
        const announced = events.filter((event) => event.kind === 'expected').length;
        expect(announced).toBe(processes.started.length);
      }),
      { numRuns: 60 },
    );
  });

  it('I2: never gives up on an app whose worker always dies', async () => {
    const { clock, processes, wish } = supervise();
    wish(1);
    await clock.settle();
    for (let round = 0; round < 100; round += 1) {
      processes.at(round).end(1);
      await clock.advance(60_000);
    }
    expect(processes.started).toHaveLength(101);
  });

  it('I2: tries again when the launch cannot be found out, and says when', async () => {
    let calls = 0;
    const failing: LaunchSource = {
      launchOf: (definition) => {
        calls += 1;
        return calls < 3 ? Promise.reject(new Error('the folder is gone')) : nodeLaunch.launchOf(definition);
      },
    };
    const { clock, events, wish } = supervise(failing);
    wish(1);
    await clock.advance(10_000);
    expect(kinds(events)).toEqual(['failed', 'failed', 'expected']);
    expect(events[0]).toMatchObject({ application, message: expect.stringContaining('the folder is gone') });
    expect(events[0]).toHaveProperty('retryInMs');
  });

  it('I2: does not wait for ever for a launch', async () => {
    const { clock, events, wish } = supervise({ launchOf: () => new Promise(() => {}) });
    wish(1);
    await clock.advance(30_000);
    expect(events).toMatchObject([{ kind: 'failed', message: expect.stringContaining('30000 ms') }]);
  });

  it('I3: announces a worker before its process and reports its end once', async () => {
    const { clock, processes, events, wish } = supervise();
    wish(1);
    await clock.settle();
    expect(events).toMatchObject([{ kind: 'expected', application }]);
    processes.at(0).print('stderr', 'boom\n');
    wish(0);
    processes.at(0).end(7);
    await clock.advance(60_000);
    expect(kinds(events)).toEqual(['expected', 'console', 'exited']);
    expect(events[2]).toMatchObject({ exitCode: 7, signal: null, stderrTail: ['boom'] });
  });

  it('I3: takes back the announcement of a worker whose program is missing', async () => {
    const { clock, processes, events, wish } = supervise();
    wish(1);
    await clock.settle();
    processes.at(0).fail('there is no such program');
    expect(kinds(events)).toEqual(['expected', 'exited', 'failed']);
    expect(events[2]).toMatchObject({
      message: expect.stringContaining("'node' did not start because there is no such"),
    });
  });

  it('I4: waits longer after each failure in a row, up to the maximum', async () => {
    const { clock, processes, wish } = supervise();
    wish(1);
    await clock.settle();
    const waits: number[] = [];
    for (let round = 0; round < 10; round += 1) {
      processes.at(round).end(1);
      const since = clock.now();
      while (processes.started.length === round + 1) await clock.advance(10);
      waits.push(clock.now() - since);
    }
    expect(waits[0]).toBeLessThanOrEqual(310);
    for (const [index, wait] of waits.entries()) expect(wait).toBeLessThanOrEqual(310 * 3 ** index);
    expect(waits[3]).toBeGreaterThan(4_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(30_010);
    expect(waits[9]).toBeGreaterThan(20_000);
  });

  it('I4: starts the waits anew after a healthy period', async () => {
    const { clock, processes, wish } = supervise();
    wish(1);
    await clock.settle();
    for (let round = 0; round < 8; round += 1) {
      processes.at(round).end(1);
      await clock.advance(40_000);
    }
    processes.at(8).end(1);
    await clock.advance(310);
    expect(processes.started).toHaveLength(10);
  });

  it('I4: an urgent wish shortens a long wait, but not to nothing', async () => {
    const { clock, processes, wish } = supervise();
    wish(1);
    await clock.settle();
    for (let round = 0; round < 8; round += 1) {
      processes.at(round).end(1);
      if (round < 7) while (processes.started.length === round + 1) await clock.advance(100);
    }
    wish(1, 'urgent');
    await clock.settle();
    expect(processes.started).toHaveLength(8);
    await clock.advance(1_000);
    expect(processes.started).toHaveLength(9);
  });

  it.each<[ReleaseReason, number]>([
    ['replaced', 2],
    ['invocation-timeout', 2],
    ['start-failed', 1],
    ['protocol-error', 1],
    ['unresponsive', 1],
  ])('I5: after a release for %s there are %i starts before any wait', async (reason, starts) => {
    const { clock, processes, wish, workers } = supervise(nodeLaunch, false);
    wish(1);
    await clock.settle();
    workers.release(workers.workerIds[0] ?? '', reason);
    await clock.settle();
    expect(processes.started).toHaveLength(starts);
    await clock.advance(1_000);
    expect(processes.started).toHaveLength(2);
  });

  it('I5: a release after a lower wish is not replaced', async () => {
    const { clock, processes, wish, workers } = supervise();
    wish(2);
    await clock.settle();
    wish(1);
    workers.release(workers.workerIds[0] ?? '', 'idle');
    await clock.advance(60_000);
    expect(processes.started).toHaveLength(2);
    expect(workers.workerIds).toHaveLength(1);
  });

  it('I6: starts nothing after close, not even what was under way', async () => {
    const { clock, processes, wish, workers, events } = supervise();
    wish(1);
    await workers.close(1_000);
    await clock.advance(60_000);
    expect(processes.started).toHaveLength(0);
    expect(events).toEqual([]);
  });

  it('I6: close resolves when every process is gone', async () => {
    const { clock, processes, wish, workers } = supervise(nodeLaunch, false);
    wish(2);
    await clock.settle();
    let closed = false;
    const closing = workers.close(5_000).then(() => {
      closed = true;
    });
    await clock.advance(4_999);
    expect(closed).toBe(false);
    await clock.advance(1);
    await closing;
    expect(processes.started.map((process) => process.signals)).toEqual([
      ['SIGTERM', 'SIGKILL'],
      ['SIGTERM', 'SIGKILL'],
    ]);
  });

  it('I7: says when nothing is wished and nothing is left', async () => {
    const { clock, wish, workers, idle } = supervise();
    wish(1);
    await clock.settle();
    wish(0);
    expect(idle).toEqual([]);
    workers.release(workers.workerIds[0] ?? '', 'idle');
    await clock.settle();
    expect(idle).toHaveLength(1);
  });
});
