import { type Clock, systemClock } from '@switchyard/kernel';
import { createNodeProcesses, type ProcessLaunch, type ProcessObserver, type ProcessPort } from '@switchyard/sidecar';
import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { type AzuriteOptions, startAzurite } from './azurite-process.ts';

const addresses = { host: '127.0.0.1', blobPort: 1, queuePort: 2, tablePort: 3 };

function open(overrides: Partial<AzuriteOptions> = {}, clock: Clock = new VirtualClock()) {
  const launches: ProcessLaunch[] = [];
  const signals: string[] = [];
  const failures: unknown[] = [];
  let observer: ProcessObserver | undefined;
  const processes: ProcessPort = {
    spawn(launch, given) {
      launches.push(launch);
      observer = given;
      return { pid: 1, kill: (signal) => signals.push(signal) };
    },
  };
  const azurite = startAzurite(
    { clock, processes },
    {
      script: '/azurite.js',
      executable: 'node',
      addresses,
      folder: undefined,
      directory: '/app',
      environment: {},
      onFailure: (exitCode, lastOutput) => failures.push({ exitCode, lastOutput }),
      ...overrides,
    },
  );
  const child = (): ProcessObserver => {
    if (observer === undefined) throw new Error('nothing was started');
    return observer;
  };
  return { azurite, launches, signals, failures, child };
}

describe('startAzurite', () => {
  it('keeps data in memory, or in a folder, and turns telemetry off', () => {
    const inMemory = open().launches[0]?.arguments.join(' ');
    expect(inMemory).toContain('--queuePort 2');
    expect(inMemory).toContain('--inMemoryPersistence --silent --disableTelemetry --skipApiVersionCheck');
    const inFolder = open({ folder: '/data' }).launches[0]?.arguments.join(' ');
    expect(inFolder).toContain('--location /data');
    expect(inFolder).not.toContain('--inMemoryPersistence');
  });

  it('I1: reports an end that nobody asked for, with the last output', () => {
    const { child, failures } = open();
    child().output('stderr', new TextEncoder().encode('port taken\n'));
    child().exited(1, null);
    expect(failures).toEqual([{ exitCode: 1, lastOutput: 'port taken' }]);
  });

  it('I1: reports a start that failed', () => {
    const { child, failures } = open();
    child().failed('there is no such program');
    expect(failures).toEqual([{ exitCode: null, lastOutput: 'there is no such program' }]);
  });

  it('I1: does not report an end that was asked for', async () => {
    const { azurite, child, failures } = open();
    const stopped = azurite.stop(1_000);
    child().exited(0, null);
    await stopped;
    expect(failures).toEqual([]);
  });

  it('I2: kills what does not end by itself', async () => {
    const clock = new VirtualClock();
    const { azurite, child, signals } = open({}, clock);
    const stopped = azurite.stop(1_000);
    await clock.advance(1_000);
    expect(signals).toEqual(['SIGTERM', 'SIGKILL']);
    child().exited(null, 'SIGKILL');
    await stopped;
    await azurite.stop(1_000);
  });

  it('ends with the process that started it', async () => {
    const script = `data:text/javascript,setInterval(()=>{},1000);`;
    const lines: string[] = [];
    const processes = createNodeProcesses();
    let handle: { pid: number | undefined } | undefined;
    let end: () => void = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    // What the emulator is given as a lifeline works on any script: closing stdin ends it.
    startAzurite(
      {
        clock: systemClock,
        processes: {
          spawn(launch, observer) {
            const lifeline = launch.arguments.slice(0, 2);
            expect(launch.lifeline).toBe(true);
            handle = processes.spawn(
              { ...launch, lifeline: false, arguments: [...lifeline, '--import', script, '--eval', ''] },
              { ...observer, exited: () => end() },
            );
            return { pid: handle.pid, kill: () => {} };
          },
        },
      },
      {
        script: '',
        executable: process.execPath,
        addresses,
        folder: undefined,
        directory: import.meta.dirname,
        environment: {},
        onFailure: (_exitCode, lastOutput) => lines.push(lastOutput),
      },
    );
    await ended;
    expect(handle?.pid).toBeTypeOf('number');
  });
});
