import { createDeferred } from '@switchyard/kernel';
import type { FunctionEnvironmentReloadResponse, WorkerClaims } from '@switchyard/protocol';
import { createMemoryLog, createSeededRandom, successResult, VirtualClock } from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import type { WorkerVerdict } from '../contract.ts';
import { defaultLimits } from '../limits.ts';
import { specialized } from '../testing/attached-worker.ts';
import { FakeChannel } from '../testing/fake-channel.ts';
import { FakeSupply } from '../testing/fake-supply.ts';
import { sampleDefinition } from '../testing/sample-worker.ts';
import { parseCapabilities } from '../worker-registry/capabilities.ts';
import { WorkerRegistry } from '../worker-registry/worker-registry.ts';
import { AttachedSession } from './attached-session.ts';
import { Specializer } from './specializer.ts';

interface RunOptions {
  readonly isPlaceholder?: boolean;
  readonly verdict?: WorkerVerdict | Promise<WorkerVerdict>;
}

function createRun({ isPlaceholder = true, verdict = { kind: 'accepted' } }: RunOptions = {}) {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const supply = new FakeSupply();
  const observer = { expected() {}, console() {}, exited() {}, failed() {}, forgotten() {} };
  const registry = new WorkerRegistry({ clock, log, supply }, defaultLimits, observer);
  const directory = { tenantOf: () => 'default', add: () => Promise.reject(new Error('nothing is announced')) };
  const specializer = new Specializer({ directory, verify: () => verdict, announced: undefined });
  const worker = registry.introduce('w1', {
    applicationId: '_Placeholder_fake',
    metadataVersion: '1.0.0',
    codeVersion: '1.0.0',
  });
  const channel = new FakeChannel();
  worker.connect(channel);
  worker.describe({ capabilities: parseCapabilities(new Map([['WorkerStatus', 'true']])), metadata: undefined });
  const claims: WorkerClaims = {
    workerId: 'w1',
    application: isPlaceholder ? worker.application : sampleDefinition,
    tenantId: '',
    isPlaceholder,
    language: 'fake',
    languageVersion: '1',
    epoch: 1,
  };
  let departures = 0;
  const session = new AttachedSession(
    { clock, random: createSeededRandom(1), log, supply, registry, specializer, supersede: () => {} },
    { hostVersion: '4.1', limits: defaultLimits },
    {
      worker,
      claims,
      channel,
      onLeave: () => {
        departures += 1;
      },
    },
  );
  return { clock, log, supply, worker, channel, session, departures: () => departures };
}

const reload = (more: Partial<FunctionEnvironmentReloadResponse>): FunctionEnvironmentReloadResponse => ({
  workerMetadata: undefined,
  capabilities: new Map(),
  result: successResult(),
  capabilitiesUpdateStrategy: 0,
  ...more,
});

describe('AttachedSession', () => {
  test('I1: a worker is initialized, asked for nothing else, and watched', async () => {
    const { clock, channel, worker, session } = createRun();
    const loads: unknown[] = [];
    const participant = {
      workerId: 'w1',
      ask: () => loads.push('asked'),
      load: (requests: readonly unknown[]) => loads.push(requests),
      fail: () => loads.push('failed'),
    };
    session.plan.join(participant);
    expect(loads).toEqual([[]]);
    session.ready();
    expect(worker.state.kind).toBe('placeholder');
    await clock.advance(15_000);
    expect(channel.kinds).toEqual(['workerStatusRequest']);
    await clock.advance(45_000);
    expect(worker.state.kind).toBe('lost');
    expect(channel.ends).toMatchObject([{ code: 4 }]);
    expect(clock.pendingTimers).toBeLessThanOrEqual(1);
  });

  test('I2: what a worker says after its reload is added to what it said, or replaces it', () => {
    const { worker, session } = createRun();
    worker.describe({
      capabilities: parseCapabilities(new Map([['WorkerStatus', 'true']])),
      advertised: new Map([['WorkerStatus', 'true']]),
      metadata: undefined,
    });
    session.reloaded(reload({ capabilities: new Map([['RawHttpBodyBytes', 'true']]) }));
    expect([worker.capabilities.status, worker.capabilities.http.rawBodyBytes]).toEqual([true, true]);
    const metadata = {
      runtimeName: 'python',
      runtimeVersion: '3.13',
      workerVersion: '',
      workerBitness: '',
      customProperties: new Map(),
    };
    session.reloaded(reload({ capabilitiesUpdateStrategy: 1, workerMetadata: metadata }));
    expect([worker.capabilities.status, worker.runtimeName]).toEqual([false, 'python']);
  });

  test('I3: of two announcements one is acted on', async () => {
    const { worker, session } = createRun();
    session.ready();
    const both = await Promise.all([
      session.specialize(specialized(), new Map()),
      session.specialize(specialized(), new Map()),
    ]);
    expect(both).toMatchObject([{ kind: 'accepted' }, { kind: 'refused', error: { code: 'WORKER_NOT_WAITING' } }]);
    expect(worker.state.kind).toBe('specializing');
    expect([session.release(), session.release()]).toEqual([true, false]);
  });

  test('I3: a worker that is not initialized takes none', async () => {
    const { session } = createRun();
    expect(await session.specialize(specialized(), new Map())).toMatchObject({ error: { code: 'WORKER_NOT_WAITING' } });
  });

  test('I4: one that was refused its app is given up, and the supply hears of it', async () => {
    const { worker, supply, session, departures } = createRun({
      verdict: { kind: 'refused', status: { code: 7, message: 'forged' } },
    });
    session.ready();
    const verdict = await session.specialize(specialized(), new Map());
    if (verdict.kind !== 'refused') throw new Error('it was accepted');
    session.failed(verdict.error);
    session.failed(verdict.error);
    expect([worker.state.kind, worker.channel, departures()]).toEqual(['abandoned', undefined, 1]);
    expect(supply.released).toEqual([{ workerId: 'w1', reason: 'start-failed' }]);
  });

  test('I4: a decision that takes too long is none', async () => {
    const held = createDeferred<WorkerVerdict>();
    const { clock, session } = createRun({ verdict: held.promise });
    session.ready();
    const verdict = session.specialize(specialized(), new Map());
    await clock.advance(30_000);
    expect(await verdict).toMatchObject({ kind: 'refused', error: { code: 'WORKER_SPECIALIZE_TIMEOUT' } });
  });

  test('I4: a worker that announces its app has a minute for that; a placeholder waits for ever', async () => {
    const late = createRun({ isPlaceholder: false });
    late.session.ready();
    await late.clock.advance(60_000);
    expect(late.channel.ends).toMatchObject([{ code: 4, message: expect.stringContaining('60000 ms') }]);
    expect(late.worker.state.kind).toBe('lost');
    const patient = createRun();
    patient.session.ready();
    for (let beat = 0; beat < 40; beat += 1) {
      patient.worker.framesReceived += 1;
      await patient.clock.advance(15_000);
    }
    expect(patient.worker.state.kind).toBe('placeholder');
  });

  test('its lines are no lines of an app', () => {
    const { log, session } = createRun();
    session.log({
      invocationId: '',
      category: '',
      level: 2,
      message: 'warming up',
      eventId: '',
      exception: undefined,
      properties: '',
      logCategory: 0,
      propertiesMap: new Map(),
    });
    expect(log.records).toMatchObject([{ level: 'debug', fields: { category: 'Host.Worker', text: 'warming up' } }]);
  });
});
