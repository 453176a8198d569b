import { createMemoryLog, createSeededRandom, VirtualClock } from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFakeProcesses } from '../testing/fake-processes.ts';
import type { LaunchChange } from './contract.ts';
import { Supervisor, type SupervisorOptions } from './supervisor.ts';

const launch = {
  executable: 'node',
  arguments: ['--flag'],
  workerPath: 'worker.js',
  workerArguments: ['--port', '1'],
  directory: '/empty',
  environment: { PATH: '/bin' },
};

function open(options: Partial<SupervisorOptions> = {}, { obedient = true } = {}) {
  const clock = new VirtualClock();
  const processes = createFakeProcesses({ obedient });
  const events: string[] = [];
  const supervisor = new Supervisor(
    { clock, random: createSeededRandom(1), log: createMemoryLog(clock), processes },
    {
      launch,
      onCrash: 'exit',
      observer: {
        started: (start) => events.push(`started ${start}`),
        line: (stream, line) => events.push(`${stream}: ${line}`),
        stopped: (_end, next) => events.push(`stopped, ${next}`),
      },
      ...options,
    },
  );
  const isEnded = async (): Promise<boolean> => {
    await clock.settle();
    return supervisor.status().state === 'ended';
  };
  return { clock, processes, events, supervisor, isEnded };
}

describe('Supervisor', () => {
  it('starts the worker with its path between its arguments and the others', () => {
    const { processes, supervisor } = open();
    supervisor.start();
    supervisor.start();
    expect(processes.started).toHaveLength(1);
    expect(processes.at(0).launch).toMatchObject({
      executable: 'node',
      arguments: ['--flag', 'worker.js', '--port', '1'],
      directory: '/empty',
      environment: { PATH: '/bin' },
    });
    expect(supervisor.status()).toMatchObject({ state: 'running', pid: 1, starts: 1, restarts: 0 });
  });

  it('I1: starts the new worker only when the old one is gone', async () => {
    const { clock, processes, supervisor } = open({}, { obedient: false });
    supervisor.start();
    await supervisor.restart('test');
    await clock.advance(9_999);
    expect(processes.started).toHaveLength(1);
    processes.at(0).end(null, 'SIGKILL');
    expect(processes.started).toHaveLength(2);
  });

  it('I2: a restart asks, kills after ten seconds, and lays the change over the launch', async () => {
    const { clock, processes, supervisor } = open({}, { obedient: false });
    supervisor.start();
    expect(await supervisor.restart('test', { arguments: ['--other'] })).toEqual({ kind: 'accepted' });
    await clock.advance(9_999);
    expect(processes.at(0).signals).toEqual(['SIGTERM']);
    await clock.advance(1);
    expect(processes.at(0).signals).toEqual(['SIGTERM', 'SIGKILL']);
    expect(processes.at(1).launch.arguments).toEqual(['--other', 'worker.js', '--port', '1']);
    expect(supervisor.status().launch).toEqual({
      executable: 'node',
      arguments: ['--other'],
      workerPath: 'worker.js',
    });
  });

  it('I2: a worker that ends in time is not killed', async () => {
    const { clock, processes, supervisor } = open();
    supervisor.start();
    await supervisor.restart('test');
    await clock.advance(60_000);
    expect(processes.at(0).signals).toEqual(['SIGTERM']);
    expect(processes.at(1).signals).toEqual([]);
  });

  it('I3: a second restart is in progress and changes nothing', async () => {
    const { processes, supervisor } = open({}, { obedient: false });
    supervisor.start();
    await supervisor.restart('one', { executable: 'first' });
    expect(await supervisor.restart('two', { executable: 'second' })).toEqual({ kind: 'in-progress' });
    processes.at(0).end(0);
    expect(processes.started.map(({ launch: { executable } }) => executable)).toEqual(['node', 'first']);
    expect(await supervisor.restart('three', { executable: 'third' })).toEqual({ kind: 'accepted' });
  });

  it.each([
    ['no program', { executable: '' }, "'executable' is empty"],
    ['too many words', { arguments: new Array<string>(1_001).fill('x') }, "'arguments' holds 1001 words"],
    ['a null character', { workerPath: 'a\0b' }, 'null character'],
    ['an endless word', { arguments: ['x'.repeat(40_000)] }, 'longer than 32768'],
  ])('refuses a change with %s and leaves the worker alone', async (_name, change: LaunchChange, reason) => {
    const { processes, supervisor } = open();
    supervisor.start();
    const outcome = await supervisor.restart('test', change);
    expect(outcome).toEqual({ kind: 'rejected', reason: expect.stringContaining(reason) });
    expect(processes.at(0).signals).toEqual([]);
  });

  it('I4: a worker that ends by itself is the end', async () => {
    const { processes, supervisor, isEnded } = open();
    supervisor.start();
    processes.at(0).end(7);
    expect(await isEnded()).toBe(true);
    expect(await supervisor.ended).toMatchObject({ kind: 'exited', exitCode: 7, requested: false });
    expect(await supervisor.restart('test')).toMatchObject({ kind: 'rejected' });
    expect(processes.started).toHaveLength(1);
  });

  it('I4: a program that is not there is the end, and says why', async () => {
    const { processes, supervisor } = open();
    supervisor.start();
    processes.at(0).fail('there is no such program');
    expect(await supervisor.ended).toEqual({ kind: 'failed', reason: 'there is no such program' });
  });

  it('I4: failures are followed by starts with growing waits, and then by the end', async () => {
    const limits = { maxCrashesInARow: 2, crashBackoff: { minimumMs: 100, maximumMs: 900, factor: 3, jitter: 0 } };
    const { clock, processes, supervisor, isEnded } = open({ onCrash: 'restart', limits });
    supervisor.start();
    processes.at(0).end(1);
    await clock.advance(99);
    expect(processes.started).toHaveLength(1);
    await clock.advance(1);
    processes.at(1).end(1);
    await clock.advance(299);
    expect(processes.started).toHaveLength(2);
    await clock.advance(1);
    processes.at(2).end(3);
    expect(await isEnded()).toBe(true);
    expect(await supervisor.ended).toMatchObject({ exitCode: 3 });
    expect(supervisor.status()).toMatchObject({ starts: 3, crashes: 3 });
  });

  it('I4: a healthy period starts the count anew', async () => {
    const { clock, processes, supervisor } = open({ onCrash: 'restart', limits: { maxCrashesInARow: 1 } });
    supervisor.start();
    for (let round = 0; round < 4; round += 1) {
      await clock.advance(30_000);
      processes.at(round).end(null, 'SIGSEGV');
      await clock.advance(1_000);
      expect(processes.started).toHaveLength(round + 2);
    }
    expect(supervisor.status()).toMatchObject({ state: 'running', crashes: 4 });
  });

  it('I4: a worker that is done is not started again', async () => {
    const { processes, supervisor, isEnded } = open({ onCrash: 'restart' });
    supervisor.start();
    processes.at(0).end(0);
    expect(await isEnded()).toBe(true);
  });

  it('a restart does not wait for the end of a back-off', async () => {
    const { processes, supervisor } = open({ onCrash: 'restart' });
    supervisor.start();
    processes.at(0).end(1);
    expect(await supervisor.restart('test', { executable: 'better' })).toEqual({ kind: 'accepted' });
    expect(processes.at(1).launch.executable).toBe('better');
  });

  it('I5: nothing starts after a shutdown, whatever state it comes in', async () => {
    const before = open();
    expect(await before.supervisor.shutdown()).toBeUndefined();
    before.supervisor.start();
    expect(before.processes.started).toEqual([]);

    const restarting = open({}, { obedient: false });
    restarting.supervisor.start();
    await restarting.supervisor.restart('test');
    void restarting.supervisor.shutdown(1_000);
    await restarting.clock.advance(1_000);
    expect(await restarting.supervisor.ended).toMatchObject({ signal: 'SIGKILL', requested: true });
    expect(restarting.processes.started).toHaveLength(1);

    const waiting = open({ onCrash: 'restart' });
    waiting.supervisor.start();
    waiting.processes.at(0).end(9);
    expect(await waiting.supervisor.shutdown()).toMatchObject({ exitCode: 9 });
    await waiting.clock.advance(60_000);
    expect(waiting.processes.started).toHaveLength(1);
  });

  it('I5: an observer that shuts down while a restart is at its turn is heard', async () => {
    const observer = { line: () => {}, stopped: () => void supervisor.shutdown() };
    const { processes, supervisor, isEnded } = open({ observer });
    supervisor.start();
    await supervisor.restart('test');
    expect(await isEnded()).toBe(true);
    expect(processes.started).toHaveLength(1);
  });

  it('I6: lines stand between the start and the end of their worker', async () => {
    const { clock, processes, events, supervisor } = open({}, { obedient: false });
    supervisor.start();
    processes.at(0).print('stdout', 'one\n');
    await supervisor.restart('test');
    processes.at(0).exit(0);
    processes.at(0).print('stderr', 'last words');
    await clock.advance(2_000);
    processes.at(0).print('stdout', 'too late\n');
    processes.at(1).print('stdout', 'two\n');
    void supervisor.shutdown();
    processes.at(1).end(0);
    expect(events).toEqual([
      'started 1',
      'stdout: one',
      'stderr: last words',
      'stopped, restart',
      'started 2',
      'stdout: two',
      'stopped, end',
    ]);
  });

  it('I1: holds for any order of events', async () => {
    const step = fc.constantFrom('restart', 'crash', 'done', 'wait', 'shutdown' as const);
    const property = fc.asyncProperty(
      fc.array(step, { maxLength: 30 }),
      fc.boolean(),
      fc.constantFrom('exit', 'restart'),
      async (steps, obedient, onCrash) => {
        const { clock, processes, events, supervisor } = open({ onCrash: onCrash as 'exit' }, { obedient });
        supervisor.start();
        const living = (): number => events.filter((event) => event.startsWith('started')).length - stops();
        const stops = (): number => events.filter((event) => event.startsWith('stopped')).length;
        for (const taken of steps) {
          const { state } = supervisor.status();
          if (taken === 'restart') {
            const { kind } = await supervisor.restart('test');
            const expected = { running: 'accepted', 'backing-off': 'accepted', restarting: 'in-progress' };
            expect(kind).toBe(expected[state as keyof typeof expected] ?? 'rejected');
          } else if (taken === 'wait') await clock.advance(11_000);
          else if (taken === 'shutdown') void supervisor.shutdown();
          else if (living() === 1) processes.started.at(-1)?.end(taken === 'done' ? 0 : 1);
          expect(living()).toBeLessThanOrEqual(1);
        }
        void supervisor.shutdown();
        await clock.advance(13_000);
        await supervisor.ended;
        expect(living()).toBe(0);
        expect(clock.pendingTimers).toBe(0);
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });
});
