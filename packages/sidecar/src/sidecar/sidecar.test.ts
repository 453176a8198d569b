import { Secret } from '@switchyard/kernel';
import {
  grpcStatus,
  type Link,
  FunctionEnvironmentReloadResponse_CapabilitiesUpdateStrategy as Strategy,
} from '@switchyard/protocol';
import {
  createFakeWorker,
  createMemoryLog,
  createSeededRandom,
  type FakeWorkerOptions,
  failureResult,
  successResult,
  VirtualClock,
} from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { accept, SidecarRun, type SidecarRunOptions, sampleAssignment } from '../testing/sidecar-run.ts';
import { sidecarEdges } from './sidecar-state.ts';

type Worker = Partial<FakeWorkerOptions>;

function createSidecarRun(options: SidecarRunOptions<Worker> = {}) {
  const clock = new VirtualClock();
  const playWorker = (link: Link, more: Worker) =>
    createFakeWorker(link, { workerId: 'w1', functions: [{ name: 'hello' }], ...more });
  return new SidecarRun({ clock, log: createMemoryLog(clock), random: createSeededRandom(1), playWorker }, options);
}

const unavailable = { code: grpcStatus.unavailable, message: 'cut' };
const otherApp = {
  ...sampleAssignment,
  application: { applicationId: 'other', metadataVersion: 'm1', codeVersion: 'c1' },
};

describe('the pod machine', () => {
  it('goes one way', () => {
    expect(sidecarEdges).toEqual({
      starting: ['warming', 'draining', 'failed'],
      warming: ['warm', 'draining', 'failed'],
      warm: ['warming', 'specializing', 'draining', 'failed'],
      specializing: ['warm', 'connecting', 'draining', 'failed'],
      connecting: ['relaying', 'draining', 'failed'],
      relaying: ['connecting', 'draining', 'failed'],
      draining: ['stopped', 'failed'],
      stopped: [],
      failed: [],
    });
  });
});

describe('warming up', () => {
  it('I1: asks for init, index and warm-up in this order, and dials nobody', async () => {
    const run = createSidecarRun({
      sidecar: {
        traits: {
          workerIndexing: true,
          placeholderIndexing: true,
          initializationTimeoutMs: 10_000,
          environmentReloadTimeoutMs: 30_000,
        },
      },
      worker: { capabilities: { HandlesWorkerWarmupMessage: 'true' } },
    });
    expect(run.sidecar.state).toBe('starting');
    const worker = await run.warm();
    await run.sidecar.warm;
    expect(run.sidecar.state).toBe('warm');
    expect(worker.received.map(({ content }) => content?.$case)).toEqual([
      'workerInitRequest',
      'functionsMetadataRequest',
      'workerWarmupRequest',
    ]);
    expect(worker.bodies('workerInitRequest')[0]).toMatchObject({
      hostVersion: '4.1052.0',
      workerDirectory: '/worker',
      functionAppDirectory: '',
    });
    expect(run.dialled).toEqual([]);
    expect(run.sidecar.status()).toMatchObject({ isReady: true, isWorkerConnected: true, isRuntimeConnected: false });
    expect(run.clock.pendingTimers).toBe(0);
  });

  it('asks neither for functions nor for a warm-up where nothing says so', async () => {
    const run = createSidecarRun({ worker: { capabilities: {} } });
    const worker = await run.warm();
    expect(worker.received.map(({ content }) => content?.$case)).toEqual(['workerInitRequest']);
  });

  it('I3: refuses an app before it is warm, and takes one later', async () => {
    const run = createSidecarRun({ worker: { script: { workerInitRequest: () => undefined } } });
    const refused = { kind: 'refused', error: { code: 'SIDECAR_NOT_WARM', definition: { http: 503 } } };
    expect(await run.sidecar.assign(sampleAssignment)).toMatchObject(refused);
    run.connect();
    await run.clock.settle();
    expect(await run.sidecar.assign(sampleAssignment)).toMatchObject(refused);
    expect(run.sidecar.state).toBe('warming');
  });

  it('I8: fails when the worker does not come, or does not answer', async () => {
    const late = createSidecarRun();
    await late.clock.advance(60_000);
    expect(await late.sidecar.ended).toMatchObject({ kind: 'failed', error: { code: 'SIDECAR_WORKER_TIMEOUT' } });
    const silent = createSidecarRun({ worker: { script: { workerInitRequest: () => undefined } } });
    silent.connect();
    await silent.clock.advance(10_000);
    await expect(silent.sidecar.warm).rejects.toThrow('no workerInitResponse within 10000 ms');
    expect(silent.sidecar.state).toBe('failed');
  });

  it('I8: fails when the worker says that it failed, or ends', async () => {
    const broken = createSidecarRun({
      worker: {
        script: {
          workerInitRequest: () => ({
            $case: 'workerInitResponse',
            value: {
              workerVersion: '',
              capabilities: new Map(),
              result: failureResult('no runtime'),
              workerMetadata: undefined,
            },
          }),
        },
      },
    });
    await broken.warm();
    await expect(broken.sidecar.warm).rejects.toThrow('no runtime');
    const crashed = createSidecarRun();
    const worker = await crashed.warm();
    worker.crash();
    expect(await crashed.sidecar.ended).toMatchObject({ kind: 'failed', error: { code: 'SIDECAR_WORKER_LOST' } });
    expect(await crashed.sidecar.assign(sampleAssignment)).toMatchObject({ error: { code: 'SIDECAR_ENDED' } });
  });

  it('I5: takes one stream of the worker and no second one', async () => {
    const run = createSidecarRun();
    await run.warm();
    const workerEnd = run.connectLink();
    expect(await workerEnd.closed).toMatchObject({ code: grpcStatus.alreadyExists });
    expect(run.sidecar.state).toBe('warm');
  });
});

describe('assigning an app', () => {
  it('I1, I2: reloads first, dials then, and succeeds with the answer to WorkerConnect', async () => {
    const order: string[] = [];
    const run = createSidecarRun({
      worker: {
        script: {
          functionEnvironmentReloadRequest: (_body, worker) => {
            order.push(`reloading, ${run.dialled.length} dialled`);
            worker.log({ message: 'a line of the reload' });
            return {
              $case: 'functionEnvironmentReloadResponse',
              value: {
                workerMetadata: undefined,
                capabilities: new Map([['Mine', 'yes']]),
                result: successResult(),
                capabilitiesUpdateStrategy: Strategy.merge,
              },
            };
          },
        },
        capabilities: { Placeholder: 'yes' },
      },
      onDial: (runtime) => runtime.on('workerConnect', () => order.push('connecting')),
    });
    const worker = await run.warm();
    const assigned = run.sidecar.assign({
      ...sampleAssignment,
      token: new Secret('a.b.c'),
      environment: new Map([
        ['GREETING', 'hello'],
        ['WORKER_AUTH_TOKEN', 'a.b.c'],
      ]),
    });
    await run.clock.settle();
    expect(order).toEqual(['reloading, 0 dialled', 'connecting']);
    expect(run.sidecar.state).toBe('connecting');
    run.runtime.answerConnect(successResult());
    expect(await assigned).toEqual({ kind: 'assigned' });
    expect(run.sidecar.state).toBe('relaying');
    expect(run.dialled[0]).toMatchObject({ endpoint: 'http://runtime:50051', token: 'a.b.c' });
    const [reload] = worker.bodies('functionEnvironmentReloadRequest');
    expect(reload).toMatchObject({ functionAppDirectory: '/apps/shop' });
    expect([...(reload?.environmentVariables ?? [])]).toEqual([['GREETING', 'hello']]);
    const { connect } = run.runtime;
    expect(connect).toMatchObject({
      workerId: 'w1',
      language: 'node',
      languageVersion: '24',
      applicationId: 'shop',
      metadataVersion: 'm1',
      codeVersion: 'c1',
      scriptRoot: '/apps/shop',
      useDefaultMetadataIndexing: false,
      functionMetadata: [{ name: 'hello' }],
    });
    expect(Object.fromEntries(connect.workerCapabilities)).toEqual({ Placeholder: 'yes', Mine: 'yes' });
    expect(Object.fromEntries(connect.workerMetadata?.customProperties ?? [])).toMatchObject({
      TenantId: 'contoso',
      Epoch: '1',
      InstanceId: 'machine-1',
    });
    expect(run.runtime.lines).toEqual(['a line of the reload']);
    expect(run.log.records.map((record) => JSON.stringify(record)).join()).not.toContain('a.b.c');
  });

  it('I2: is ready for traffic when the Runtime says so, and not before', async () => {
    const run = createSidecarRun();
    const worker = await run.serve();
    expect(run.sidecar.status()).toMatchObject({ isReady: false, isRuntimeConnected: true, epoch: 1 });
    run.runtime.notifyReady();
    await run.clock.settle();
    expect(run.sidecar.status().isReady).toBe(true);
    expect(worker.received.map(({ content }) => content?.$case)).not.toContain('workerSpecializedNotification');
  });

  it('replaces capabilities when the worker asks for that, and leaves indexing to files where it cannot index', async () => {
    const run = createSidecarRun({
      sidecar: {
        traits: { workerIndexing: false, initializationTimeoutMs: 10_000, environmentReloadTimeoutMs: 30_000 },
      },
      worker: {
        capabilities: { Placeholder: 'yes' },
        script: {
          functionEnvironmentReloadRequest: () => ({
            $case: 'functionEnvironmentReloadResponse',
            value: {
              workerMetadata: undefined,
              capabilities: new Map([['Mine', 'yes']]),
              result: successResult(),
              capabilitiesUpdateStrategy: Strategy.replace,
            },
          }),
        },
      },
    });
    const worker = await run.serve();
    expect(Object.fromEntries(run.runtime.connect.workerCapabilities)).toEqual({ Mine: 'yes' });
    expect(run.runtime.connect).toMatchObject({ useDefaultMetadataIndexing: true, functionMetadata: [] });
    expect(worker.bodies('functionsMetadataRequest')).toEqual([]);
  });

  it('I3: joins the same app, also later, and refuses another one', async () => {
    const run = createSidecarRun();
    const worker = await run.warm();
    const both = [run.sidecar.assign(sampleAssignment), run.sidecar.assign(sampleAssignment)];
    const conflict = { kind: 'refused', error: { code: 'SIDECAR_ASSIGNED', definition: { http: 409 } } };
    expect(await run.sidecar.assign(otherApp)).toMatchObject(conflict);
    expect(await Promise.all(both)).toEqual([{ kind: 'assigned' }, { kind: 'assigned' }]);
    expect(await run.sidecar.assign(sampleAssignment)).toEqual({ kind: 'assigned' });
    expect(await run.sidecar.assign(otherApp)).toMatchObject(conflict);
    expect(worker.bodies('functionEnvironmentReloadRequest')).toHaveLength(1);
    expect(run.dialled).toHaveLength(1);
  });

  it('I4: a failed reload ends the sidecar, without a dial', async () => {
    const run = createSidecarRun({
      worker: {
        script: {
          functionEnvironmentReloadRequest: () => ({
            $case: 'functionEnvironmentReloadResponse',
            value: {
              workerMetadata: undefined,
              capabilities: new Map(),
              result: failureResult('no such folder'),
              capabilitiesUpdateStrategy: Strategy.merge,
            },
          }),
        },
      },
    });
    await run.warm();
    expect(await run.sidecar.assign(sampleAssignment)).toMatchObject({
      kind: 'failed',
      tainted: true,
      error: { message: expect.stringContaining('no such folder') },
    });
    expect(await run.sidecar.ended).toMatchObject({ kind: 'failed' });
    expect(run.dialled).toEqual([]);
    expect(await run.sidecar.assign(sampleAssignment)).toMatchObject({ kind: 'refused' });
  });

  it('I4: a reload that takes more than 30 s ends it, too', async () => {
    const run = createSidecarRun({ worker: { script: { functionEnvironmentReloadRequest: () => undefined } } });
    await run.warm();
    const assigned = run.sidecar.assign(sampleAssignment);
    await run.clock.advance(29_999);
    expect(run.sidecar.state).toBe('specializing');
    await run.clock.advance(1);
    expect(await assigned).toMatchObject({ kind: 'failed', tainted: true, error: { code: 'SIDECAR_WORKER_TIMEOUT' } });
    expect(run.sidecar.isTainted).toBe(true);
  });

  it('I4: stays warm when the package cannot be had, because nothing has reached the worker', async () => {
    const content = { kind: 'package', url: 'https://store/x', sha256: 'ab'.repeat(32) } as const;
    const run = createSidecarRun({
      deps: {
        openPackage: async ({ url }) => {
          if (url === 'https://store/x') throw new Error('the store is down');
          return '/unpacked';
        },
      },
    });
    const worker = await run.warm();
    expect(await run.sidecar.assign({ ...sampleAssignment, content })).toMatchObject({
      kind: 'failed',
      tainted: false,
      error: { message: expect.stringContaining('the store is down') },
    });
    expect(run.sidecar).toMatchObject({ state: 'warm', isTainted: false });
    const good = { ...otherApp, content: { ...content, url: 'https://store/y' } };
    expect(await run.sidecar.assign(good)).toEqual({ kind: 'assigned' });
    expect(worker.bodies('functionEnvironmentReloadRequest')[0]).toMatchObject({ functionAppDirectory: '/unpacked' });
  });

  it.each([
    [
      'by a failed answer',
      (run: ReturnType<typeof createSidecarRun>) => run.runtime.answerConnect(failureResult('no')),
    ],
    [
      'by its status',
      (run: ReturnType<typeof createSidecarRun>) => run.runtime.refuse({ code: grpcStatus.notFound, message: 'no' }),
    ],
  ])('I4, I6: a Runtime that refuses %s is not asked again', async (_how, refuse) => {
    const run = createSidecarRun({ onDial: () => {} });
    await run.warm();
    const assigned = run.sidecar.assign(sampleAssignment);
    await run.clock.settle();
    refuse(run);
    expect(await assigned).toMatchObject({ kind: 'failed', tainted: true, error: { code: 'SIDECAR_RUNTIME_REFUSED' } });
    await run.clock.advance(60_000);
    expect(run.dialled).toHaveLength(1);
    expect(run.sidecar.state).toBe('failed');
  });

  it('I6: a Runtime that is not there is dialled again, for a limited time', async () => {
    const run = createSidecarRun({ onDial: (runtime) => runtime.refuse(unavailable) });
    await run.warm();
    const outcome = await run.clock.runUntil(run.sidecar.assign(sampleAssignment));
    expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'SIDECAR_RUNTIME_UNREACHABLE' } });
    expect(run.clock.monotonic()).toBeLessThanOrEqual(10_000);
    expect(run.dialled.length).toBeGreaterThan(5);
  });

  it('takes no longer than its limit for an answer that never comes', async () => {
    const run = createSidecarRun({ onDial: () => {}, sidecar: { limits: { connectResponseMs: 5_000 } } });
    await run.warm();
    expect(await run.clock.runUntil(run.sidecar.assign(sampleAssignment))).toMatchObject({ kind: 'failed' });
    expect(run.clock.pendingTimers).toBe(0);
  });
});

it('I9: a worker that was indexed takes that app without a second reload, and no other', async () => {
  const run = createSidecarRun();
  const worker = await run.warm();
  await run.sidecar.index(sampleAssignment);
  expect(await run.sidecar.assign(otherApp)).toMatchObject({ kind: 'refused', error: { code: 'SIDECAR_ASSIGNED' } });
  expect(await run.sidecar.assign(sampleAssignment)).toEqual({ kind: 'assigned' });
  expect(worker.bodies('functionEnvironmentReloadRequest')).toHaveLength(1);
});

describe('losing the Runtime', () => {
  it('I5, I6: dials again with the next epoch while the worker stays', async () => {
    const run = createSidecarRun();
    const worker = await run.serve();
    run.runtime.notifyReady();
    await run.clock.settle();
    run.runtime.refuse(unavailable);
    await run.clock.settle();
    expect(run.sidecar).toMatchObject({ state: 'relaying' });
    expect(run.dialled).toHaveLength(2);
    expect(run.runtime.connect.workerMetadata?.customProperties.get('Epoch')).toBe('2');
    expect(run.runtime.connect).toMatchObject({ workerId: 'w1', functionMetadata: [{ name: 'hello' }] });
    expect(run.sidecar.status().isReady).toBe(false);
    worker.log({ message: 'still here' });
    await run.clock.settle();
    expect(run.runtime.lines).toEqual(['still here']);
    expect(worker.bodies('functionEnvironmentReloadRequest')).toHaveLength(1);
  });

  it('I6: what the worker says in between waits for the next stream', async () => {
    let dials = 0;
    const run = createSidecarRun({
      onDial: (runtime) => (++dials === 2 ? runtime.refuse(unavailable) : accept(runtime)),
    });
    const worker = await run.serve();
    run.runtime.refuse(unavailable);
    await run.clock.settle();
    expect(run.sidecar.state).toBe('connecting');
    worker.log({ message: 'meanwhile' });
    run.sidecar.console('stdout', 'printed');
    await run.clock.advance(1_000);
    expect(run.runtime.lines).toEqual(['printed', 'meanwhile']);
  });

  it('I6: gives up after five minutes, and at once when it is refused', async () => {
    let dials = 0;
    const lost = createSidecarRun({
      onDial: (runtime) => (++dials > 1 ? runtime.refuse(unavailable) : accept(runtime)),
    });
    await lost.serve();
    lost.runtime.refuse(unavailable);
    expect(await lost.clock.runUntil(lost.sidecar.ended)).toMatchObject({
      error: { code: 'SIDECAR_RUNTIME_UNREACHABLE' },
    });
    expect(lost.clock.monotonic()).toBeGreaterThan(290_000);
    const refused = createSidecarRun();
    await refused.serve();
    refused.runtime.refuse({ code: grpcStatus.aborted, message: 'superseded' });
    expect(await refused.sidecar.ended).toMatchObject({ error: { code: 'SIDECAR_RUNTIME_REFUSED' } });
    expect(refused.dialled).toHaveLength(1);
  });

  it('a Runtime that ends the stream in good order ends the worker', async () => {
    const run = createSidecarRun();
    const worker = await run.serve();
    run.runtime.send({ $case: 'workerHeartbeat', value: {} });
    run.runtime.link.end();
    expect(await run.sidecar.ended).toEqual({ kind: 'stopped' });
    expect(worker.bodies('workerHeartbeat')).toHaveLength(1);
    expect(run.dialled).toHaveLength(1);
  });
});

describe('losing the worker', () => {
  it('I7: ends the Runtime stream after the last frames and the last console lines', async () => {
    const run = createSidecarRun({ sidecar: { hasConsole: true } });
    const worker = await run.serve();
    const runtimeEnded = run.runtime.link.closed;
    worker.log({ message: 'last words' });
    worker.end();
    await run.clock.settle();
    expect(run.sidecar.state).toBe('draining');
    run.sidecar.console('stderr', 'Error: out of memory');
    run.sidecar.consoleEnded();
    expect(await run.sidecar.ended).toEqual({ kind: 'stopped' });
    expect(run.runtime.lines).toEqual(['last words', 'Error: out of memory']);
    expect((await runtimeEnded).code).toBe(grpcStatus.ok);
  });

  it('I7: waits for a console that never ends for two seconds only', async () => {
    const run = createSidecarRun({ sidecar: { hasConsole: true } });
    const worker = await run.serve();
    worker.crash();
    await run.clock.settle();
    await run.clock.advance(1_999);
    expect(run.sidecar.state).toBe('draining');
    await run.clock.advance(1);
    expect(await run.sidecar.ended).toEqual({ kind: 'stopped' });
    expect(run.clock.pendingTimers).toBe(0);
  });

  it('fails an assignment that is under way', async () => {
    const run = createSidecarRun({ onDial: () => {} });
    const worker = await run.warm();
    const assigned = run.sidecar.assign(sampleAssignment);
    await run.clock.settle();
    worker.crash();
    expect(await run.sidecar.ended).toMatchObject({ kind: 'failed', error: { code: 'SIDECAR_WORKER_LOST' } });
    expect(await assigned).toMatchObject({ kind: 'failed', tainted: true });
  });
});

describe('draining', () => {
  it('ends a placeholder', async () => {
    const run = createSidecarRun();
    await run.warm();
    await run.clock.runUntil(run.sidecar.drain(1_000));
    expect(run.sidecar.state).toBe('stopped');
    expect(await run.sidecar.ended).toEqual({ kind: 'stopped' });
  });

  it('lets a worker that serves end by itself', async () => {
    const run = createSidecarRun({ worker: { capabilities: { HandlesWorkerTerminateMessage: 'true' } } });
    const worker = await run.serve();
    await run.clock.runUntil(run.sidecar.drain(5_000));
    expect(worker.bodies('workerTerminate')).toEqual([{ gracePeriod: { seconds: 5n, nanos: 0 } }]);
    expect(run.sidecar.state).toBe('stopped');
    await run.sidecar.drain(1);
  });

  it('cuts off a worker that does not', async () => {
    const run = createSidecarRun({
      worker: {
        capabilities: { HandlesWorkerTerminateMessage: 'true' },
        script: { workerTerminate: () => undefined },
      },
    });
    await run.serve();
    const drained = run.sidecar.drain(5_000);
    await run.clock.advance(4_999);
    expect(run.sidecar.state).toBe('draining');
    await run.clock.runUntil(drained);
    expect(run.sidecar.state).toBe('stopped');
  });
});
