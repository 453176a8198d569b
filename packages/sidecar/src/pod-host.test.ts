import { silentLog, systemClock, systemRandom } from '@switchyard/kernel';
import type { SupplyEvent } from '@switchyard/protocol';
import { createMemoryLog, createSeededRandom, isProcessAlive, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import type { LaunchSource } from './contract.ts';
import { createNodeProcesses } from './node-processes.ts';
import { createPodHost } from './pod-host.ts';
import { createFakeProcesses } from './testing/fake-processes.ts';

const endpoint = { host: '127.0.0.1', port: 50051 };

function launchOf(script: string, executable = process.execPath): LaunchSource {
  return {
    launchOf: () =>
      Promise.resolve({
        executable,
        arguments: ['--eval', script],
        workerPath: 'worker.js',
        workerArguments: [],
        directory: import.meta.dirname,
        environment: { MARK: 'from the launch' },
      }),
  };
}

function request(applicationId: string, count: number) {
  const application = { applicationId, metadataVersion: 'm1', codeVersion: 'c1' };
  return { application, count, urgency: 'normal', reason: 'activate' } as const;
}

function open(obedient = true) {
  const clock = new VirtualClock();
  const processes = createFakeProcesses({ obedient });
  const log = createMemoryLog();
  const launches = launchOf('');
  const podHost = createPodHost({ clock, random: createSeededRandom(7), log, launches, processes }, { endpoint });
  return { clock, processes, log, podHost };
}

/** A pod host with real processes, and a way to wait for its events. */
function openReal(launches: LaunchSource) {
  const processes = createNodeProcesses();
  const podHost = createPodHost(
    { clock: systemClock, random: systemRandom, log: silentLog, launches, processes },
    { endpoint },
  );
  const events: SupplyEvent[] = [];
  const waiting: (() => void)[] = [];
  podHost.watch((event) => {
    events.push(event);
    for (const check of waiting) check();
  });
  const until = (wanted: (event: SupplyEvent) => boolean): Promise<SupplyEvent> =>
    new Promise((resolve) => {
      const check = (): void => {
        const found = events.find(wanted);
        if (found !== undefined) resolve(found);
      };
      waiting.push(check);
      check();
    });
  return { podHost, events, until };
}

describe('createPodHost', () => {
  it('I1: tells a late observer of the workers that are there', async () => {
    const { clock, podHost } = open();
    podHost.ensure(request('one', 1));
    podHost.ensure(request('two', 2));
    await clock.settle();
    const events: SupplyEvent[] = [];
    const unsubscribe = podHost.watch((event) => events.push(event));
    expect(events.map((event) => event.kind === 'expected' && event.application.applicationId)).toEqual([
      'one',
      'two',
      'two',
    ]);
    unsubscribe();
    podHost.ensure(request('one', 2));
    await clock.settle();
    expect(events).toHaveLength(3);
  });

  it('I2: an observer that throws harms nobody', async () => {
    const { clock, podHost, log } = open();
    const events: SupplyEvent[] = [];
    podHost.watch(() => {
      throw new Error('broken observer');
    });
    podHost.watch((event) => events.push(event));
    podHost.ensure(request('one', 1));
    await clock.settle();
    expect(events).toHaveLength(1);
    expect(log.withMessage('An observer of the pod host failed')).toHaveLength(1);
  });

  it('I3: close ends every worker of every app and takes no more wishes', async () => {
    const { clock, podHost, processes } = open(false);
    podHost.ensure(request('one', 1));
    podHost.ensure(request('two', 1));
    await clock.settle();
    const closed = podHost.close(1_000);
    podHost.ensure(request('three', 1));
    await clock.advance(1_000);
    await closed;
    expect(processes.started.map((started) => started.signals.at(-1))).toEqual(['SIGKILL', 'SIGKILL']);
  });

  it('ignores the release of a worker it does not know', () => {
    const { podHost } = open();
    expect(() => podHost.release('nobody', 'idle')).not.toThrow();
  });

  it('runs a real process: its environment is exact but for the mark of its owner, its console arrives, its end is reported', async () => {
    const script = `
      const { SWITCHYARD_OWNER: _mark, ...launched } = process.env;
      console.log(Object.keys(launched).sort().join(), process.env.MARK);
      process.stderr.write('no line end');
      process.exitCode = 5;
    `;
    const { podHost, until } = openReal(launchOf(script));
    podHost.ensure(request('real', 1));
    const line = await until((event) => event.kind === 'console' && event.stream === 'stdout');
    expect(line).toMatchObject({ line: 'MARK from the launch' });
    const exited = await until((event) => event.kind === 'exited');
    expect(exited).toMatchObject({ exitCode: 5, signal: null, stderrTail: ['no line end'] });
    await podHost.close(1_000);
  });

  it('ends a real process together with its children', async () => {
    const script = `
      const { spawn } = require('node:child_process');
      const child = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
      process.on('SIGTERM', () => {});
      setInterval(() => {}, 1000);
      console.log(child.pid);
    `;
    const { podHost, until } = openReal(launchOf(script));
    podHost.ensure(request('real', 1));
    const line = await until((event) => event.kind === 'console');
    const childPid = Number(line.kind === 'console' && line.line);
    expect(isProcessAlive(childPid)).toBe(true);
    await podHost.close(50);
    const exited = await until((event) => event.kind === 'exited');
    expect(exited).toMatchObject({ signal: 'SIGKILL' });
    await expect.poll(() => isProcessAlive(childPid)).toBe(false);
  });

  it('names the program that does not exist', async () => {
    const { podHost, until } = openReal(launchOf('', '/nowhere/node'));
    podHost.ensure(request('real', 1));
    const failed = await until((event) => event.kind === 'failed');
    expect(failed).toMatchObject({
      message: expect.stringContaining("'/nowhere/node' did not start because there is no such program"),
    });
    await podHost.close(1_000);
  });
});
