import { createMemoryLinkPair, workerKeyMetadata, workerKeyVariable } from '@switchyard/protocol';
import {
  createFakeWorker,
  createMemoryLog,
  createSeededRandom,
  type FakeWorkerOptions,
  VirtualClock,
} from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { defaultPodHostLimits } from '../limits.ts';
import { createFakeProcesses } from '../testing/fake-processes.ts';
import { SidecarRun, sampleAssignment } from '../testing/sidecar-run.ts';
import { LocalPod } from './pod.ts';

const placeholder = {
  launch: {
    executable: 'node',
    arguments: ['--flag'],
    workerPath: 'worker.js',
    workerArguments: ['--more'],
    directory: '/empty',
    environment: { PATH: '/bin' },
  },
  traits: { workerIndexing: true, initializationTimeoutMs: 10_000, environmentReloadTimeoutMs: 30_000 },
  workerDirectory: '/worker',
};

const endpoint = { host: '127.0.0.1', port: 4000 };

function open(obedient = true) {
  const virtual = new VirtualClock();
  const kit = { clock: virtual, log: createMemoryLog(virtual), random: createSeededRandom(1), playWorker: () => {} };
  const run = new SidecarRun(kit, { sidecar: { hasConsole: true } });
  const processes = createFakeProcesses({ obedient });
  const pod = new LocalPod(
    { clock: run.clock, random: kit.random, log: run.log, processes, sidecar: run.sidecar },
    {
      stack: { runtime: 'node', version: '24', architecture: 'x64' },
      requestId: 'r1',
      limits: defaultPodHostLimits,
    },
  );
  /** The worker's process dials its sidecar. */
  const dialIn = async (options: Partial<FakeWorkerOptions> = {}) => {
    const { opener, acceptor } = createMemoryLinkPair();
    pod.acceptWorker(acceptor);
    const worker = createFakeWorker(opener, { workerId: 'w1', functions: [{ name: 'hello' }], ...options });
    await run.clock.settle();
    return worker;
  };
  const { clock, sidecar } = run;
  return { clock, sidecar, processes, pod, dialIn, runtimeOf: () => run.runtime };
}

describe('LocalPod', () => {
  it('I1: is warm when its placeholder is', async () => {
    const { pod, dialIn } = open();
    pod.start(placeholder, endpoint);
    await dialIn();
    await pod.warm;
    expect(pod.sidecar.state).toBe('warm');
  });

  it('I1: never becomes warm when its process ends before, and says why', async () => {
    const { processes, pod } = open();
    pod.start(placeholder, endpoint);
    processes.at(0).print('stderr', 'Error: no such module\n');
    processes.at(0).end(1);
    await expect(pod.warm).rejects.toThrow(/ended with code 1.*no such module/);
    expect(await pod.ended).toMatchObject({ exitCode: 1, stderrTail: ['Error: no such module'] });
  });

  it('I1: never becomes warm when there is no process at all', async () => {
    const { processes, pod } = open();
    pod.start(placeholder, endpoint);
    processes.at(0).fail('there is no such program');
    await expect(pod.warm).rejects.toThrow('there is no such program');
    expect(await pod.ended).toMatchObject({ exitCode: null, error: { code: 'POD_START_FAILED' } });
  });

  it('I2: a sidecar that failed ends the process', async () => {
    const { clock, processes, pod } = open();
    pod.start(placeholder, endpoint);
    await clock.advance(60_000);
    expect(processes.at(0).signals).toEqual(['SIGTERM']);
    expect(await pod.ended).toMatchObject({ error: { code: 'SIDECAR_WORKER_TIMEOUT' }, signal: 'SIGTERM' });
  });

  it('I2: the last frames and lines of a process that died reach the Runtime', async () => {
    const { clock, processes, pod, dialIn, runtimeOf } = open();
    pod.start(placeholder, endpoint);
    const worker = await dialIn();
    await pod.assign(sampleAssignment);
    processes.at(0).print('stdout', 'a line\n');
    processes.at(0).print('stderr', 'Error: the end');
    worker.log({ message: 'last words' });
    worker.crash();
    processes.at(0).end(1);
    await clock.settle();
    expect(await pod.ended).toMatchObject({ exitCode: 1, error: undefined });
    expect(runtimeOf().lines).toEqual(expect.arrayContaining(['a line', 'Error: the end']));
    expect(await runtimeOf().link.closed).toMatchObject({ code: 0 });
    expect(clock.pendingTimers).toBe(0);
  });

  it('I2, I3: stop lets the worker end by itself, and kills what is left', async () => {
    const { clock, processes, pod, dialIn } = open(false);
    pod.start(placeholder, endpoint);
    const worker = await dialIn({ script: { workerTerminate: () => undefined } });
    await pod.assign(sampleAssignment);
    pod.stop(1_000);
    await clock.settle();
    expect([worker.bodies('workerTerminate').length, processes.at(0).signals]).toEqual([1, []]);
    await clock.runUntil(pod.ended);
    expect(processes.at(0).signals).toEqual(['SIGTERM', 'SIGKILL']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('I3: a pod that was stopped before its turn starts nothing', async () => {
    const { processes, pod } = open();
    pod.stop(0);
    expect(await pod.ended).toMatchObject({ exitCode: null, signal: null });
    pod.start(placeholder, endpoint);
    expect(processes.started).toEqual([]);
    await expect(pod.warm).rejects.toThrow();
  });

  it('I4: nothing of the app is in the process', async () => {
    const { processes, pod, dialIn } = open();
    pod.start(placeholder, endpoint);
    await dialIn();
    await pod.assign({ ...sampleAssignment, environment: new Map([['SECRET', 'of the customer']]) });
    const { launch } = processes.at(0);
    expect(launch).toMatchObject({ executable: 'node', directory: '/empty', environment: { PATH: '/bin' } });
    expect(launch.arguments.slice(0, 3)).toEqual(['--flag', 'worker.js', '--more']);
    expect(launch.arguments).toContain('w1');
    expect(JSON.stringify(launch)).not.toContain('customer');
  });

  it('I5: a worker that is started anew has its id and its connection, and the pod lives on', async () => {
    const { clock, processes, pod } = open();
    expect(await pod.restart('too early')).toMatchObject({
      kind: 'rejected',
      reason: 'the pod is waiting; use another one',
    });
    pod.start(placeholder, endpoint);
    expect(await pod.restart('test', { arguments: ['--new'] })).toEqual({ kind: 'accepted' });
    await clock.settle();
    const [before, after] = processes.started.map(({ launch }) => launch.arguments);
    expect(after).toEqual(['--new', ...(before ?? []).slice(1)]);
    expect(pod.pid).toBe(2);
    pod.stop(0);
    await clock.runUntil(pod.ended);
    expect(processes.started).toHaveLength(2);
  });

  it('I6: knows its worker by the key in its environment, and a worker of an app by nothing', async () => {
    const { clock, processes, pod } = open();
    const link = (metadata: Map<string, string>) => createMemoryLinkPair({ metadata }).acceptor;
    const showing = (key: string) => link(new Map([[workerKeyMetadata, key]]));
    expect(pod.knows(link(new Map()))).toBe(false);
    pod.start({ ...placeholder, traits: { ...placeholder.traits, presentsKey: true } }, endpoint);
    const { environment, arguments: words } = processes.at(0).launch;
    const key = environment[workerKeyVariable] ?? '';
    expect(environment).toEqual({
      ...placeholder.launch.environment,
      [workerKeyVariable]: expect.stringMatching(/.{20}/),
    });
    expect(words.join(' ')).not.toContain(key);
    expect([link(new Map()), showing('another'), showing(key)].map((one) => pod.knows(one))).toEqual([
      false,
      false,
      true,
    ]);
    await pod.restart('the app has a worker of its own', { workerPath: '/app/worker.js' });
    await clock.settle();
    expect(processes.at(1).launch.arguments).toContain('/app/worker.js');
    expect(pod.knows(link(new Map()))).toBe(true);
  });

  it('I6: asks nothing of a worker that knows of no key', () => {
    const { processes, pod } = open();
    pod.start(placeholder, endpoint);
    expect(processes.at(0).launch.environment).toEqual(placeholder.launch.environment);
    expect(pod.knows(createMemoryLinkPair().acceptor)).toBe(true);
  });
});
