import { Secret } from '@switchyard/kernel';
import { grpcStatus, type Link } from '@switchyard/protocol';
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
import type { ScriptedRuntime } from '../testing/scripted-runtime.ts';
import { SidecarRun, type SidecarRunOptions, sampleAssignment } from '../testing/sidecar-run.ts';

type Worker = Partial<FakeWorkerOptions>;

const home = 'http://runtime:50051';
const away = 'http://other:50051';
const placeholderToken = new Secret('placeholder.token');
const appToken = new Secret('app.token');
const assignment = { ...sampleAssignment, token: appToken };
const cut = { code: grpcStatus.unavailable, message: 'cut' };

/** Answers as a Runtime does: initializes whoever comes, and takes every app. */
function host(runtime: ScriptedRuntime): void {
  runtime.on('startStream', () => runtime.send({ $case: 'workerInitRequest', value: initRequest }, 'init-1'));
  runtime.on('workerSpecialized', () => runtime.answerSpecialized(successResult()));
}

const initRequest = {
  hostVersion: '4.1',
  capabilities: new Map(),
  logCategories: new Map(),
  workerDirectory: '/worker',
  functionAppDirectory: '',
};

function createRun(options: SidecarRunOptions<Worker> = {}) {
  const clock = new VirtualClock();
  const playWorker = (link: Link, more: Worker) =>
    createFakeWorker(link, { workerId: 'w1', functions: [{ name: 'hello' }], ...more });
  const kit = { clock, log: createMemoryLog(clock), random: createSeededRandom(1), playWorker };
  return new SidecarRun(kit, {
    onDial: host,
    ...options,
    sidecar: { attachTo: { endpoint: home, token: placeholderToken }, ...options.sidecar },
  });
}

type Run = ReturnType<typeof createRun>;

const endpointsOf = ({ dialled }: Run) => dialled.map(({ endpoint, token }) => [endpoint, token]);

describe('an attached placeholder', () => {
  it('I3: dials at once with its own token, and says who it is in StartStream', async () => {
    const run = createRun();
    const worker = await run.warm();
    expect(endpointsOf(run)).toEqual([[home, 'placeholder.token']]);
    const [first] = run.runtime.messages;
    expect(first?.content).toMatchObject({ $case: 'startStream', value: { workerId: 'w1' } });
    expect(Object.fromEntries(run.runtime.startStream.properties)).toEqual({
      ApplicationId: '_Placeholder_node',
      MetadataVersion: '1.0.0',
      CodeVersion: '1.0.0',
      Language: 'node',
      LanguageVersion: '24',
      InstanceId: 'machine-1',
      IsPlaceholder: 'true',
      TenantId: '',
      Epoch: '1',
    });
    expect(worker.bodies('workerInitRequest')).toEqual([initRequest]);
    expect(run.runtime.messages[1]).toMatchObject({ requestId: 'init-1', content: { $case: 'workerInitResponse' } });
    expect(run.sidecar.status()).toMatchObject({ state: 'warm', isReady: true, isRuntimeConnected: true, epoch: 1 });
    await run.sidecar.warm;
  });

  it('fills in the worker version where the worker leaves it blank, and only there', async () => {
    const answer = (workerVersion: string): Worker => ({
      script: {
        workerInitRequest: () => ({
          $case: 'workerInitResponse',
          value: {
            workerVersion,
            capabilities: new Map(),
            result: successResult(),
            workerMetadata: {
              runtimeName: 'node',
              runtimeVersion: '24.1.0',
              workerVersion: '3.9',
              workerBitness: 'x64',
              customProperties: new Map(),
            },
          },
        }),
      },
    });
    for (const [given, expected] of [
      ['', '3.9'],
      ['1.2', '1.2'],
    ] as const) {
      const run = createRun({ worker: answer(given) });
      await run.warm();
      expect(run.runtime.messages[1]?.content).toMatchObject({ value: { workerVersion: expected } });
    }
  });

  it('I1, I3: attaches again when its Runtime is lost, without asking the worker anew', async () => {
    const run = createRun();
    const worker = await run.warm();
    run.runtime.refuse(cut);
    await run.clock.advance(1_000);
    expect(run.dialled).toHaveLength(2);
    expect(run.runtime.startStream.properties.get('Epoch')).toBe('2');
    expect(run.runtime.kinds).toEqual(['startStream', 'workerInitResponse']);
    expect(worker.bodies('workerInitRequest')).toHaveLength(1);
    expect(run.sidecar.status()).toMatchObject({ state: 'warm', isReady: true });
  });

  it('I3: counts its streams from where the sidecar before it may have come to', async () => {
    const run = createRun({ sidecar: { epochBase: 1_000 } });
    await run.warm();
    expect(run.runtime.startStream.properties.get('Epoch')).toBe('1001');
    expect(run.sidecar.status().epoch).toBe(1);
  });

  it('tells the Runtime of the app’s host.json, and the worker nothing of it', async () => {
    const asked: string[] = [];
    const readHostJson = async (scriptRoot: string) => {
      asked.push(scriptRoot);
      return '{"version":"2.0"}';
    };
    const run = createRun({ deps: { readHostJson } });
    const worker = await run.warm();
    expect(await run.sidecar.assign(assignment)).toEqual({ kind: 'assigned' });
    expect(asked).toEqual(['/apps/shop']);
    expect(run.runtime.specialized.appSettings.get('SWITCHYARD_HOST_JSON')).toBe('{"version":"2.0"}');
    const [reload] = worker.bodies('functionEnvironmentReloadRequest');
    expect(reload?.environmentVariables.has('SWITCHYARD_HOST_JSON')).toBe(false);
  });

  it('is not ready, and takes no app, while it has no Runtime', async () => {
    let dials = 0;
    const run = createRun({ onDial: (runtime) => (++dials === 2 ? runtime.refuse(cut) : host(runtime)) });
    await run.warm();
    run.runtime.refuse(cut);
    await run.clock.settle();
    expect(run.sidecar.status()).toMatchObject({ state: 'warming', isReady: false, isRuntimeConnected: false });
    expect(await run.sidecar.assign(assignment)).toMatchObject({ error: { code: 'SIDECAR_NOT_WARM' } });
    await run.clock.advance(1_000);
    expect(run.sidecar.status()).toMatchObject({ state: 'warm', isReady: true });
  });

  it('ends when the Runtime does not want it, or tells it to', async () => {
    const refused = createRun({
      onDial: (runtime) => runtime.refuse({ code: grpcStatus.unauthenticated, message: 'no' }),
    });
    await refused.warm();
    expect(await refused.sidecar.ended).toMatchObject({ kind: 'failed', error: { code: 'SIDECAR_RUNTIME_REFUSED' } });
    expect(refused.dialled).toHaveLength(1);
    const later = createRun();
    await later.warm();
    later.runtime.refuse({ code: grpcStatus.permissionDenied, message: 'revoked' });
    expect(await later.sidecar.ended).toMatchObject({ kind: 'failed', error: { code: 'SIDECAR_RUNTIME_REFUSED' } });
    const ended = createRun();
    const worker = await ended.warm();
    ended.runtime.link.end();
    expect(await ended.sidecar.ended).toEqual({ kind: 'stopped' });
    expect(worker.bodies('functionEnvironmentReloadRequest')).toEqual([]);
  });

  it('fails when nobody is there for too long, or its worker cannot start', async () => {
    const lonely = createRun({ onDial: (runtime) => runtime.refuse(cut), sidecar: { limits: { reconnectMs: 5_000 } } });
    await lonely.warm();
    expect(await lonely.clock.runUntil(lonely.sidecar.ended)).toMatchObject({
      error: { code: 'SIDECAR_RUNTIME_UNREACHABLE' },
    });
    const broken = createRun({
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
  });
});

describe('an app for the same Runtime', () => {
  it('I2, I4: is announced on the same stream, after the reload, with its settings and its token', async () => {
    const run = createRun();
    const worker = await run.warm();
    const environment = new Map([
      ['GREETING', 'hello'],
      ['SQLCONNSTR_ORDERS', 'server=x'],
    ]);
    expect(await run.sidecar.assign({ ...assignment, environment })).toEqual({ kind: 'assigned' });
    expect(run.dialled).toHaveLength(1);
    expect(run.runtime.kinds).toEqual([
      'startStream',
      'workerInitResponse',
      'functionEnvironmentReloadResponse',
      'workerSpecialized',
    ]);
    const { specialized } = run.runtime;
    expect(specialized).toMatchObject({
      applicationId: 'shop',
      metadataVersion: 'm1',
      codeVersion: 'c1',
      functionsPath: '/apps/shop',
      workerId: 'w1',
      language: 'node',
      languageVersion: '24',
    });
    expect(specialized.correlationId).not.toBe('');
    expect(Object.fromEntries(specialized.appSettings)).toEqual({ GREETING: 'hello', WORKER_AUTH_TOKEN: 'app.token' });
    expect(Object.fromEntries(specialized.connectionStrings)).toEqual({ SQLCONNSTR_ORDERS: 'server=x' });
    const [reload] = worker.bodies('functionEnvironmentReloadRequest');
    expect([...(reload?.environmentVariables.keys() ?? [])]).toEqual(['GREETING', 'SQLCONNSTR_ORDERS']);
    expect(JSON.stringify(run.log.records)).not.toContain('app.token');
    expect(run.sidecar.status()).toMatchObject({ state: 'relaying', isReady: false, epoch: 1 });
    run.runtime.notifyReady();
    await run.clock.settle();
    expect(run.sidecar.status().isReady).toBe(true);
  });

  it('relays both ways while it is announced, and its lines come behind the announcement', async () => {
    const run = createRun({
      onDial(runtime) {
        host(runtime);
        runtime.on('workerSpecialized', () =>
          runtime.send({ $case: 'functionsMetadataRequest', value: { functionAppDirectory: '/apps/shop' } }),
        );
        runtime.on('functionMetadataResponse', () => runtime.answerSpecialized(successResult()));
      },
      worker: {
        functions: [{ name: 'hello' }],
        script: {
          functionEnvironmentReloadRequest: (_body, worker) => {
            worker.log({ message: 'reloading' });
            return {
              $case: 'functionEnvironmentReloadResponse',
              value: {
                workerMetadata: undefined,
                capabilities: new Map(),
                result: successResult(),
                capabilitiesUpdateStrategy: 0,
              },
            };
          },
        },
      },
    });
    await run.warm();
    run.sidecar.console('stdout', 'of a placeholder');
    expect(await run.sidecar.assign(assignment)).toEqual({ kind: 'assigned' });
    expect(run.runtime.kinds.slice(2)).toEqual([
      'functionEnvironmentReloadResponse',
      'workerSpecialized',
      'rpcLog',
      'functionMetadataResponse',
    ]);
    expect(run.runtime.lines).toEqual(['reloading']);
    const listed = run.runtime.messages.at(-1)?.content;
    if (listed?.$case !== 'functionMetadataResponse') throw new Error(`not listed: ${listed?.$case}`);
    expect(listed.value.functionMetadataResults[0]?.properties.get('ApplicationId')).toBe('shop');
  });

  it('keeps the address of the worker inside the pod', async () => {
    const run = createRun({
      worker: { capabilities: { HttpUri: 'http://127.0.0.1:9999/' } },
      deps: { httpProxy: { open: () => ({ uri: 'http://127.0.0.1:4000', token: 't', close: () => {} }) } },
    });
    await run.warm();
    await run.sidecar.assign(assignment);
    const frames = run.runtime.messages.map(({ content }) => content);
    const capabilities = frames.flatMap((content) =>
      content?.$case === 'functionEnvironmentReloadResponse' ? [Object.fromEntries(content.value.capabilities)] : [],
    );
    expect(capabilities).toEqual([{ HttpUri: 'http://127.0.0.1:4000', HttpUriToken: 't' }]);
  });

  it.each([
    [
      'says no',
      (runtime: ScriptedRuntime) => runtime.answerSpecialized(failureResult('another tenant')),
      'another tenant',
    ],
    [
      'ends the stream for good',
      (runtime: ScriptedRuntime) => runtime.refuse({ code: grpcStatus.permissionDenied, message: 'forged' }),
      'forged',
    ],
  ])('fails when the Runtime %s, and the worker with it', async (_what, answer, reason) => {
    const run = createRun({
      onDial(runtime) {
        host(runtime);
        runtime.on('workerSpecialized', () => answer(runtime));
      },
    });
    await run.warm();
    expect(await run.sidecar.assign(assignment)).toMatchObject({
      kind: 'failed',
      tainted: true,
      error: { code: 'SIDECAR_RUNTIME_REFUSED', message: expect.stringContaining(reason) },
    });
    expect(run.sidecar.state).toBe('failed');
    expect(run.clock.pendingTimers).toBe(0);
  });

  it('fails when no answer comes within 30 s', async () => {
    const run = createRun({
      onDial(runtime) {
        host(runtime);
        runtime.on('workerSpecialized', () => {});
      },
    });
    await run.warm();
    const outcome = run.sidecar.assign(assignment);
    await run.clock.advance(29_999);
    expect(run.sidecar.state).toBe('connecting');
    expect(await run.clock.runUntil(outcome)).toMatchObject({
      kind: 'failed',
      error: { code: 'SIDECAR_RUNTIME_UNREACHABLE' },
    });
  });

  it('I3: is announced on a new stream when the old one is cut meanwhile', async () => {
    let isFirst = true;
    const run = createRun({
      onDial(runtime) {
        host(runtime);
        if (isFirst) runtime.on('workerSpecialized', () => runtime.refuse(cut));
        isFirst = false;
      },
    });
    const worker = await run.warm();
    expect(await run.clock.runUntil(run.sidecar.assign(assignment))).toEqual({ kind: 'assigned' });
    expect(endpointsOf(run)).toEqual([
      [home, 'placeholder.token'],
      [home, 'app.token'],
    ]);
    expect(Object.fromEntries(run.runtime.startStream.properties)).toMatchObject({
      ApplicationId: 'shop',
      IsPlaceholder: 'false',
      TenantId: 'contoso',
      Epoch: '2',
      AnnouncesApp: 'true',
    });
    expect(worker.bodies('functionEnvironmentReloadRequest')).toHaveLength(1);
  });
});

describe('an app for another Runtime', () => {
  it('I2: ends the old stream in order, before the new one is opened', async () => {
    const order: string[] = [];
    const run = createRun({
      onDial(runtime) {
        order.push(`dialled ${order.length}`);
        host(runtime);
        void runtime.link.closed.then((end) => order.push(`closed with ${end.code}`));
      },
    });
    const worker = await run.warm();
    const { runtime: left } = run;
    expect(await run.sidecar.assign({ ...assignment, runtimeEndpoint: away })).toEqual({ kind: 'assigned' });
    expect(order).toEqual(['dialled 0', 'closed with 0', 'dialled 2']);
    expect(endpointsOf(run)).toEqual([
      [home, 'placeholder.token'],
      [away, 'app.token'],
    ]);
    expect(left.kinds).toEqual(['startStream', 'workerInitResponse']);
    expect(run.runtime.kinds).toEqual(['startStream', 'workerInitResponse', 'workerSpecialized']);
    expect(worker.bodies('workerInitRequest')).toHaveLength(1);
    expect(run.sidecar.status()).toMatchObject({ state: 'relaying', epoch: 2 });
  });

  it('I2: waits for an old Runtime that does not let go for a limited time', async () => {
    const run = createRun({
      onDial(runtime) {
        host(runtime);
        runtime.link.pause();
        runtime.link.resume();
      },
    });
    await run.warm();
    run.runtime.holdEnd();
    const outcome = run.sidecar.assign({ ...assignment, runtimeEndpoint: away });
    await run.clock.settle();
    expect(run.dialled).toHaveLength(1);
    await run.clock.advance(2_000);
    expect(await outcome).toEqual({ kind: 'assigned' });
    expect(run.dialled).toHaveLength(2);
  });
});

describe('losing the Runtime of an app', () => {
  it('I1, I3: comes back as the worker of its app and announces it anew; the worker stays', async () => {
    let dials = 0;
    const run = createRun({ onDial: (runtime) => (++dials === 2 ? runtime.refuse(cut) : host(runtime)) });
    const worker = await run.warm();
    await run.sidecar.assign(assignment);
    run.runtime.refuse(cut);
    await run.clock.settle();
    expect(run.sidecar.state).toBe('connecting');
    worker.log({ message: 'meanwhile' });
    await run.clock.advance(1_000);
    expect(run.sidecar.status()).toMatchObject({ state: 'relaying', epoch: 3, isReady: false });
    expect(run.runtime.kinds).toEqual(['startStream', 'workerInitResponse', 'workerSpecialized', 'rpcLog']);
    expect(run.runtime.lines).toEqual(['meanwhile']);
    expect(worker.bodies('workerInitRequest')).toHaveLength(1);
    expect(worker.bodies('functionEnvironmentReloadRequest')).toHaveLength(1);
  });

  it('gives up when it is refused', async () => {
    const run = createRun();
    await run.warm();
    await run.sidecar.assign(assignment);
    run.runtime.refuse({ code: grpcStatus.aborted, message: 'superseded' });
    expect(await run.sidecar.ended).toMatchObject({ error: { code: 'SIDECAR_RUNTIME_REFUSED' } });
  });
});

describe('a worker that is for one app from its start', () => {
  const attachTo = { endpoint: home, token: appToken, application: assignment };

  it('I3: attaches as that app, with its token, and announces itself', async () => {
    const run = createRun({ sidecar: { attachTo } });
    const worker = await run.warm();
    expect(endpointsOf(run)).toEqual([[home, 'app.token']]);
    expect(Object.fromEntries(run.runtime.startStream.properties)).toMatchObject({
      ApplicationId: 'shop',
      IsPlaceholder: 'false',
      AnnouncesApp: 'true',
    });
    expect(run.runtime.specialized.appSettings.get('GREETING')).toBe('hello');
    expect(worker.bodies('functionEnvironmentReloadRequest')).toMatchObject([{ functionAppDirectory: '/apps/shop' }]);
    expect(run.sidecar.status()).toMatchObject({ state: 'relaying', application: { applicationId: 'shop' } });
    expect(await run.sidecar.assign(assignment)).toEqual({ kind: 'assigned' });
  });

  it('ends when its app cannot be had', async () => {
    const content = { kind: 'package', url: 'https://store/x', sha256: 'ab'.repeat(32) } as const;
    const run = createRun({ sidecar: { attachTo: { ...attachTo, application: { ...assignment, content } } } });
    await run.warm();
    expect(await run.sidecar.ended).toMatchObject({ error: { code: 'SIDECAR_PACKAGE_UNAVAILABLE' } });
  });
});

describe('the end', () => {
  it('of a placeholder ends its stream in order', async () => {
    const run = createRun();
    await run.warm();
    const closed = run.runtime.link.closed;
    await run.clock.runUntil(run.sidecar.drain(1_000));
    expect(await run.sidecar.ended).toEqual({ kind: 'stopped' });
    expect((await closed).code).toBe(grpcStatus.ok);
  });

  it('of a worker is seen by its Runtime', async () => {
    const run = createRun();
    const worker = await run.warm();
    const closed = run.runtime.link.closed;
    worker.crash();
    expect(await run.sidecar.ended).toMatchObject({ kind: 'failed', error: { code: 'SIDECAR_WORKER_LOST' } });
    expect((await closed).code).not.toBe(grpcStatus.ok);
  });
});
