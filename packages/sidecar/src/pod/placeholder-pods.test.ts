import { createMemoryLinkPair, type Link } from '@switchyard/protocol';
import { createFakeWorker, createMemoryLog, createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { createFakeProcesses } from '../testing/fake-processes.ts';
import { ScriptedRuntime } from '../testing/scripted-runtime.ts';
import { accept, sampleAssignment } from '../testing/sidecar-run.ts';
import { createPlaceholderPods } from './placeholder-pods.ts';

const stack = { runtime: 'node', version: '24', architecture: 'x64' } as const;

function openPods(
  options: { readonly obedient?: boolean; readonly maxConcurrentStarts?: number; readonly door?: 'jammed' } = {},
) {
  let closedDoors = 0;
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const processes = createFakeProcesses({ obedient: options.obedient ?? true });
  const runtimes: ScriptedRuntime[] = [];
  const pods = createPlaceholderPods(
    {
      clock,
      log,
      processes,
      random: createSeededRandom(3),
      dial: () => {
        const { opener, acceptor } = createMemoryLinkPair();
        const runtime = new ScriptedRuntime(acceptor);
        runtimes.push(runtime);
        accept(runtime);
        return opener;
      },
      openDoor: () => {
        if (options.door === 'jammed') throw new Error('no port is free');
        const close = async (): Promise<void> => {
          closedDoors += 1;
        };
        return { endpoint: { host: '127.0.0.1', port: 4000 }, close };
      },
      launchOf: ({ runtime }) => {
        if (runtime !== 'node') throw new Error(`there is no worker for '${runtime}'`);
        return {
          launch: {
            executable: 'node',
            arguments: ['--flag'],
            workerPath: 'worker.js',
            workerArguments: [],
            directory: '/empty',
            environment: { PATH: '/bin' },
          },
          traits: { workerIndexing: true, initializationTimeoutMs: 10_000, environmentReloadTimeoutMs: 30_000 },
          workerDirectory: '/worker',
        };
      },
    },
    {
      instanceId: 'here',
      hostVersion: '4',
      limits: { maxConcurrentStarts: options.maxConcurrentStarts ?? 4 },
    },
  );
  /** Lets the worker of a process dial in, as its command line says. */
  const dialIn = (index: number): Link => {
    const args = processes.at(index).launch.arguments;
    const workerId = args[args.indexOf('--workerId') + 1] ?? '';
    const { opener, acceptor } = createMemoryLinkPair();
    pods.acceptWorker(acceptor);
    createFakeWorker(opener, { workerId, functions: [{ name: 'hello' }] });
    return opener;
  };
  return { clock, log, processes, runtimes, pods, dialIn, closedDoors: () => closedDoors };
}

describe('createPlaceholderPods', () => {
  it('I1: lets a few placeholders start up at a time', async () => {
    const { clock, processes, pods, dialIn } = openPods({ maxConcurrentStarts: 2 });
    for (let count = 0; count < 3; count += 1) pods.startPod(stack);
    await clock.settle();
    expect(processes.started).toHaveLength(2);
    dialIn(0);
    await clock.settle();
    expect(processes.started).toHaveLength(3);
    processes.at(1).fail('no memory');
    await clock.runUntil(pods.close(0));
  });

  it('I2: a stack that nobody knows ends its pod with the reason, and no other', async () => {
    const { clock, pods, dialIn } = openPods();
    const good = pods.startPod(stack);
    const bad = pods.startPod({ ...stack, runtime: 'cobol' });
    await expect(bad.warm).rejects.toThrow("there is no worker for 'cobol'");
    expect(await bad.ended).toMatchObject({ error: { code: 'POD_STACK_UNKNOWN' }, exitCode: null });
    dialIn(0);
    await good.warm;
    await clock.runUntil(pods.close(0));
  });

  it('I2: a pod whose door does not open ends with the reason', async () => {
    const { clock, processes, pods, closedDoors } = openPods({ door: 'jammed' });
    const pod = pods.startPod(stack);
    await expect(pod.warm).rejects.toThrow('no port is free');
    expect(await pod.ended).toMatchObject({ exitCode: null });
    expect(processes.started).toHaveLength(0);
    expect(closedDoors()).toBe(0);
    await clock.runUntil(pods.close(0));
  });

  it('I3: close ends every pod, and a later one at once', async () => {
    const { clock, processes, pods, dialIn, closedDoors } = openPods();
    const all = [pods.startPod(stack), pods.startPod(stack)];
    await clock.settle();
    dialIn(0);
    await clock.settle();
    await clock.runUntil(pods.close(1_000));
    await Promise.all(all.map((pod) => pod.ended));
    const late = pods.startPod(stack);
    expect(await late.ended).toMatchObject({ exitCode: null });
    expect(processes.started).toHaveLength(2);
    expect(closedDoors()).toBe(2);
    expect(clock.pendingTimers).toBe(0);
  });

  it('gives each worker its own sidecar', async () => {
    const { clock, runtimes, pods, dialIn } = openPods();
    const [one, two] = [pods.startPod(stack), pods.startPod(stack)];
    await clock.settle();
    dialIn(1);
    await clock.settle();
    expect([one.sidecar.state, two.sidecar.state]).toEqual(['starting', 'warm']);
    expect(await two.assign(sampleAssignment)).toEqual({ kind: 'assigned' });
    expect(runtimes.map((runtime) => runtime.connect.workerId)).toEqual([two.workerId]);
    await clock.runUntil(pods.close(0));
  });

  it('starts the worker anew for an app with arguments of its own', async () => {
    const { clock, processes, runtimes, pods, dialIn } = openPods();
    const pod = pods.startPod(stack);
    await clock.settle();
    dialIn(0);
    await pod.warm;
    const settings = new Map([['languageWorkers__node__arguments', '--trace']]);
    const outcome = pod.assign({ ...sampleAssignment, environment: settings });
    await clock.settle();
    expect(processes.at(0).signals).toEqual(['SIGTERM']);
    expect(processes.at(1).launch.arguments.slice(0, 3)).toEqual(['--flag', '--trace', 'worker.js']);
    dialIn(1);
    expect(await outcome).toEqual({ kind: 'assigned' });
    expect(runtimes).toHaveLength(1);
    await clock.runUntil(pods.close(0));
    expect(clock.pendingTimers).toBe(0);
  });

  it('starts the worker anew when the Runtime wants it, and brings it back with its app', async () => {
    const { clock, processes, runtimes, pods, dialIn } = openPods();
    const pod = pods.startPod(stack);
    await clock.settle();
    const worker = dialIn(0);
    await pod.warm;
    await pod.assign(sampleAssignment);
    const configuration = { executablePath: '', arguments: ['--new'], workerPath: '', environmentOverrides: new Map() };
    const value = { reason: 'test', newConfiguration: configuration };
    runtimes[0]?.send({ $case: 'workerRestartRequest', value }, 'r1');
    await clock.settle();
    worker.cancel({ code: 14, message: 'the process is gone' });
    await clock.settle();
    expect(runtimes[0]?.kinds.at(-1)).toBe('workerRestartResponse');
    dialIn(1);
    await clock.settle();
    expect(processes.at(1).launch.arguments.slice(0, 2)).toEqual(['--new', 'worker.js']);
    expect(runtimes[1]?.connect).toMatchObject({ workerId: pod.workerId, applicationId: 'shop' });
    expect(pod.sidecar.state).toBe('relaying');
    await clock.runUntil(pods.close(0));
    expect(clock.pendingTimers).toBe(0);
  });
});
