import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { defaultPodHostLimits } from './limits.ts';
import { createFakeProcesses, type FakeProcess } from './testing/fake-processes.ts';
import { type WorkerEnd, WorkerProcess } from './worker-process.ts';

const launch = { executable: 'node', arguments: [], directory: '/app', environment: {} };

function start(obedient = true): {
  readonly clock: VirtualClock;
  readonly worker: WorkerProcess;
  readonly process: FakeProcess;
  readonly lines: string[];
  readonly ends: WorkerEnd[];
} {
  const clock = new VirtualClock();
  const processes = createFakeProcesses({ obedient });
  const lines: string[] = [];
  const ends: WorkerEnd[] = [];
  const limits = { ...defaultPodHostLimits, stderrTailLines: 2 };
  const worker = new WorkerProcess({ clock, processes }, limits, launch, {
    line: (stream, line) => lines.push(`${stream}: ${line}`),
    ended: (end) => ends.push(end),
  });
  return { clock, worker, process: processes.at(0), lines, ends };
}

describe('WorkerProcess', () => {
  it('I1: reports lines while it runs, then one end and no line after it', async () => {
    const { clock, process, lines, ends } = start();
    process.print('stdout', 'hello\n');
    process.exit(3);
    await clock.advance(2_000);
    process.print('stdout', 'too late\n');
    process.endConsole();
    await clock.advance(60_000);
    expect(lines).toEqual(['stdout: hello']);
    expect(ends).toEqual([{ kind: 'exited', exitCode: 3, signal: null, stderrTail: [], requested: false }]);
  });

  it('I1: reports a start that failed once', () => {
    const { process, worker, ends } = start();
    process.fail('there is no such program');
    worker.stop(10_000);
    expect(ends).toEqual([{ kind: 'failed', reason: 'there is no such program' }]);
  });

  it('I2: waits for the console to end', async () => {
    const { clock, process, lines, ends } = start();
    process.exit(0);
    await clock.advance(1_999);
    expect(ends).toHaveLength(0);
    process.print('stderr', 'last words\n');
    process.endConsole();
    expect(lines).toEqual(['stderr: last words']);
    expect(ends).toHaveLength(1);
  });

  it('I2: waits no longer than the limit for a console that a child holds open', async () => {
    const { clock, process, ends } = start();
    process.exit(0);
    await clock.advance(2_000);
    expect(ends).toHaveLength(1);
  });

  it('I2: waits for the process when its console ends first', async () => {
    const { process, ends } = start();
    process.endConsole();
    expect(ends).toHaveLength(0);
    process.exit(0);
    expect(ends).toHaveLength(1);
  });

  it('I3: asks with SIGTERM and kills after the grace', async () => {
    const { clock, worker, process, ends } = start(false);
    worker.stop(10_000);
    expect(worker.isRunning).toBe(false);
    await clock.advance(9_999);
    expect(process.signals).toEqual(['SIGTERM']);
    await clock.advance(1);
    expect(process.signals).toEqual(['SIGTERM', 'SIGKILL']);
    expect(ends).toMatchObject([{ kind: 'exited', signal: 'SIGKILL', requested: true }]);
  });

  it('I3: shortens the grace when it is asked again, and never lengthens it', async () => {
    const { clock, worker, process } = start(false);
    worker.stop(10_000);
    worker.stop(1_000);
    worker.stop(50_000);
    await clock.advance(1_000);
    expect(process.signals).toEqual(['SIGTERM', 'SIGKILL']);
  });

  it('I3: does not kill what ended in time', async () => {
    const { clock, worker, process } = start();
    worker.stop(10_000);
    await clock.advance(20_000);
    expect(process.signals).toEqual(['SIGTERM']);
  });

  it('I4: reports a last line without a line end', () => {
    const { process, lines } = start();
    process.print('stderr', 'Error: no line end');
    process.end(1);
    expect(lines).toEqual(['stderr: Error: no line end']);
  });

  it('I5: keeps the last stderr lines for the end', () => {
    const { process, ends } = start();
    process.print('stderr', 'one\ntwo\nthree\n');
    process.print('stdout', 'four\n');
    process.end(1);
    expect(ends).toMatchObject([{ stderrTail: ['two', 'three'] }]);
  });
});
