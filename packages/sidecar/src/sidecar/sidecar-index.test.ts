import type { Link } from '@switchyard/protocol';
import {
  createFakeWorker,
  createMemoryLog,
  createSeededRandom,
  type FakeWorkerOptions,
  failureResult,
  VirtualClock,
} from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { SidecarRun, type SidecarRunOptions, sampleAssignment } from '../testing/sidecar-run.ts';

type Worker = Partial<FakeWorkerOptions>;

function createSidecarRun(options: SidecarRunOptions<Worker> = {}) {
  const clock = new VirtualClock();
  const playWorker = (link: Link, more: Worker) =>
    createFakeWorker(link, { workerId: 'w1', functions: [{ name: 'hello' }], ...more });
  return new SidecarRun({ clock, log: createMemoryLog(clock), random: createSeededRandom(1), playWorker }, options);
}

/** Before an app is indexed nobody knows its metadata version. */
const unindexed = { ...sampleAssignment, application: { ...sampleAssignment.application, metadataVersion: 'pending' } };

describe('indexing an app', () => {
  it('lists its functions and capabilities, and dials nobody', async () => {
    const run = createSidecarRun({ worker: { capabilities: { Mine: 'yes' } } });
    const worker = await run.warm();
    const outcome = await run.sidecar.index(unindexed);
    expect(outcome).toMatchObject({ kind: 'indexed', functions: [{ name: 'hello' }], useDefaultIndexing: false });
    expect(outcome.kind === 'indexed' && Object.fromEntries(outcome.capabilities)).toEqual({ Mine: 'yes' });
    expect(run.dialled).toEqual([]);
    expect(worker.bodies('functionsMetadataRequest')).toEqual([{ functionAppDirectory: '/apps/shop' }]);
    expect(run.sidecar.isTainted).toBe(true);
    expect(run.sidecar.status()).toMatchObject({
      state: 'warm',
      isReady: false,
      application: { applicationId: 'shop' },
    });
  });

  it('is answered again from what is known, also while it is under way', async () => {
    const run = createSidecarRun();
    const worker = await run.warm();
    const both = await Promise.all([run.sidecar.index(unindexed), run.sidecar.index(unindexed)]);
    expect([...both, await run.sidecar.index(unindexed)].map(({ kind }) => kind)).toEqual(Array(3).fill('indexed'));
    expect(worker.bodies('functionEnvironmentReloadRequest')).toHaveLength(1);
  });

  it('goes on to serve it under the version that came of the index', async () => {
    const run = createSidecarRun();
    const worker = await run.warm();
    await run.sidecar.index(unindexed);
    expect(await run.sidecar.assign(sampleAssignment)).toEqual({ kind: 'assigned' });
    expect(run.runtime.connect).toMatchObject({ metadataVersion: 'm1', functionMetadata: [{ name: 'hello' }] });
    expect(worker.bodies('functionEnvironmentReloadRequest')).toHaveLength(1);
  });

  it('reloads once more when the settings are others', async () => {
    const run = createSidecarRun();
    const worker = await run.warm();
    await run.sidecar.index(unindexed);
    const changed = { ...sampleAssignment, environment: new Map([['GREETING', 'good day']]) };
    expect(await run.sidecar.assign(changed)).toEqual({ kind: 'assigned' });
    const reloads = worker.bodies('functionEnvironmentReloadRequest');
    expect(reloads.map(({ environmentVariables }) => environmentVariables.get('GREETING'))).toEqual([
      'hello',
      'good day',
    ]);
  });

  it('keeps what the app prints meanwhile for the Runtime that takes it', async () => {
    const run = createSidecarRun({
      worker: { script: { functionsMetadataRequest: (_body, worker) => void worker.log({ message: 'indexing' }) } },
      sidecar: { limits: { metadataMs: 5_000 } },
    });
    await run.warm();
    const late = run.sidecar.index(unindexed);
    await run.clock.advance(5_000);
    expect(await late).toMatchObject({ kind: 'failed', tainted: true, error: { code: 'SIDECAR_WORKER_TIMEOUT' } });
    const good = createSidecarRun({
      worker: {
        script: {
          workerStatusRequest: () => undefined,
        },
      },
    });
    const worker = await good.warm();
    await good.sidecar.index(unindexed);
    worker.log({ message: 'from the top of the entry file' });
    good.sidecar.console('stdout', 'printed');
    await good.clock.settle();
    await good.sidecar.assign(sampleAssignment);
    await good.clock.settle();
    expect([...good.runtime.lines].sort()).toEqual(['from the top of the entry file', 'printed']);
  });

  it('is refused before the worker is warm, while it serves, and for another app or tenant', async () => {
    const run = createSidecarRun();
    expect(await run.sidecar.index(unindexed)).toMatchObject({ kind: 'refused', error: { code: 'SIDECAR_NOT_WARM' } });
    await run.warm();
    const indexing = run.sidecar.index(unindexed);
    expect(await run.sidecar.assign(sampleAssignment)).toMatchObject({ error: { code: 'SIDECAR_NOT_WARM' } });
    const foreign = { ...unindexed, tenantId: 'fabrikam' };
    await indexing;
    expect(await run.sidecar.index(foreign)).toMatchObject({ kind: 'refused', error: { code: 'SIDECAR_ASSIGNED' } });
    await run.sidecar.assign(sampleAssignment);
    expect(await run.sidecar.index(unindexed)).toMatchObject({ kind: 'refused', error: { code: 'SIDECAR_ASSIGNED' } });
  });

  it('that fails ends the sidecar, with the reason', async () => {
    const run = createSidecarRun({
      worker: {
        script: {
          functionsMetadataRequest: () => ({
            $case: 'functionMetadataResponse',
            value: {
              functionMetadataResults: [],
              result: failureResult('SyntaxError in index.js'),
              useDefaultMetadataIndexing: false,
            },
          }),
        },
      },
    });
    await run.warm();
    expect(await run.sidecar.index(unindexed)).toMatchObject({
      kind: 'failed',
      tainted: true,
      error: { message: expect.stringContaining('SyntaxError in index.js') },
    });
    expect(run.sidecar.state).toBe('failed');
  });

  it('that finds no package leaves the placeholder as it was', async () => {
    const run = createSidecarRun();
    await run.warm();
    const content = { kind: 'package', url: 'https://store/x', sha256: 'ab'.repeat(32) } as const;
    expect(await run.sidecar.index({ ...unindexed, content })).toMatchObject({ kind: 'failed', tainted: false });
    expect(run.sidecar.status()).toMatchObject({ state: 'warm', isReady: true });
  });

  it('is not done while attached to a Runtime', async () => {
    const run = createSidecarRun({ sidecar: { attachTo: { endpoint: 'http://runtime:50051', token: undefined } } });
    expect(await run.sidecar.index(unindexed)).toMatchObject({ error: { code: 'SIDECAR_INDEX_UNSUPPORTED' } });
  });
});
