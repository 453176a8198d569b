import type { Link } from '@switchyard/protocol';
import {
  createFakeWorker,
  createMemoryLog,
  createSeededRandom,
  type FakeWorker,
  type FakeWorkerOptions,
  invocationSuccess,
  VirtualClock,
} from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import type { VerifyWorker } from '../contract.ts';
import { type AttachedClaims, attached, specialized } from '../testing/attached-worker.ts';
import { call } from '../testing/fake-http.ts';
import { createHarness } from '../testing/runtime-harness.ts';
import { createApplication } from '../testing/sample-application.ts';
import { sampleDefinition } from '../testing/sample-worker.ts';

interface RunOptions {
  readonly verifyWorker?: VerifyWorker | null;
  readonly placeholders?: number;
  /** Takes apps that sidecars bring along. */
  readonly announced?: boolean;
}

function createRun({ placeholders = 10, announced = false, ...parts }: RunOptions = {}) {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const harness = createHarness({
    ...parts,
    clock,
    log,
    random: createSeededRandom(1),
    options: { limits: { placeholders } },
    ...(announced
      ? {
          announcedApplications: ({ definition, tenantId, settings, scriptRoot }) =>
            createApplication({ definition, tenantId, scriptRoot, settings: Object.fromEntries(settings) }),
        }
      : {}),
  });
  const attach = (claims: AttachedClaims, options: Partial<FakeWorkerOptions> = {}) => {
    const link = harness.connect();
    const worker = createFakeWorker(attached(link, claims), {
      functions: [{ name: 'f' }],
      ...options,
      workerId: claims.workerId,
    });
    return { link, worker };
  };
  return { clock, log, ...harness, attach };
}

const kindsOf = ({ received }: FakeWorker) => received.map(({ content }) => content?.$case);

const answering = (value: string) => ({
  onInvocation: () => invocationSuccess({ returnValue: { data: { $case: 'string', value } } } as const),
});

/** The answers to WorkerSpecialized that a worker's sidecar got. */
function answersOf(worker: FakeWorker) {
  return worker.bodies('workerSpecializedResponse').map(({ result, ...rest }) => ({ status: result?.status, ...rest }));
}

async function endOf(link: Link) {
  const { code, message } = await link.closed;
  return { code, message };
}

describe('placeholders on a Runtime', () => {
  test('I1: are initialized and wait, whatever their language, and nothing stays when they have left', async () => {
    const { clock, runtime, attach } = createRun();
    const first = attach({ workerId: 'w1' });
    attach({ workerId: 'w2', language: 'other' });
    await clock.settle();
    expect(kindsOf(first.worker)).toEqual(['workerInitRequest']);
    expect(runtime.placeholders().map(({ workerId, state }) => [workerId, state])).toEqual([
      ['w1', 'placeholder'],
      ['w2', 'placeholder'],
    ]);
    expect(runtime.status()).toEqual([]);
    first.worker.crash();
    await clock.settle();
    expect(runtime.placeholders().map(({ workerId }) => workerId)).toEqual(['w2']);
  });

  test('I2: a newer stream of the same worker supersedes the older one, an older one is refused', async () => {
    const { clock, runtime, attach } = createRun();
    const half = attach({ workerId: 'w1', epoch: 2 });
    await clock.settle();
    const again = attach({ workerId: 'w1', epoch: 3 });
    expect(await endOf(half.link)).toMatchObject({ code: 10 });
    const late = attach({ workerId: 'w1', epoch: 3 });
    expect(await endOf(late.link)).toMatchObject({ code: 10, message: expect.stringContaining('epoch 3') });
    await clock.settle();
    expect(kindsOf(again.worker)).toEqual(['workerInitRequest']);
    expect(runtime.placeholders()).toMatchObject([{ workerId: 'w1', state: 'placeholder' }]);
  });

  test('I2: who lost its stream comes back', async () => {
    const { clock, runtime, attach } = createRun();
    attach({ workerId: 'w1' }).worker.crash();
    await clock.settle();
    expect(runtime.placeholders()).toEqual([]);
    attach({ workerId: 'w1', epoch: 2 });
    await clock.settle();
    expect(runtime.placeholders()).toMatchObject([{ workerId: 'w1', state: 'placeholder' }]);
  });

  test.each([
    ['without an id', { workerId: '' }],
    ['without a language', { workerId: 'w1', language: '' }],
    ['with a language that is none', { workerId: 'w1', language: '../x' }],
  ])('I3: one %s is refused', async (_what, claims) => {
    const { attach } = createRun();
    expect(await endOf(attach(claims).link)).toMatchObject({ code: 3 });
  });

  test('I3: the worker of one app becomes no placeholder, and no other app’s worker', async () => {
    const { clock, runtime, dial, attach } = createRun();
    runtime.addApplication(createApplication()).catch(() => {});
    createFakeWorker(dial('w1'), { workerId: 'w1', functions: [{ name: 'f' }] });
    await clock.settle();
    expect(await endOf(attach({ workerId: 'w1', epoch: 5 }).link)).toMatchObject({ code: 7 });
    const other = { ...sampleDefinition, applicationId: 'other' };
    expect(await endOf(attach({ workerId: 'w1', epoch: 5, application: other }).link)).toMatchObject({ code: 7 });
    expect(runtime.status()[0]?.workers).toMatchObject([{ workerId: 'w1', state: 'ready' }]);
  });

  test('I4: leave nothing behind but their entry, which goes, too', async () => {
    const { clock, attach, runtime } = createRun();
    const { worker } = attach({ workerId: 'w1' });
    await clock.settle();
    worker.end();
    await clock.settle();
    expect(runtime.placeholders()).toEqual([]);
    await clock.advance(300_000);
    expect(clock.pendingTimers).toBe(0);
  });

  test('I5: there are only so many', async () => {
    const { clock, attach, runtime } = createRun({ placeholders: 1 });
    attach({ workerId: 'w1' });
    expect(await endOf(attach({ workerId: 'w2' }).link)).toMatchObject({ code: 8 });
    await clock.settle();
    expect(runtime.placeholders()).toHaveLength(1);
  });

  test('are let go when the Runtime stops', async () => {
    const { clock, attach, runtime } = createRun();
    const { link } = attach({ workerId: 'w1' });
    await clock.settle();
    await clock.runUntil(runtime.drain(1_000));
    expect(await endOf(link)).toMatchObject({ code: 14 });
  });

  test('are refused without a verifier, and by one that does not know them', async () => {
    const none = createRun({ verifyWorker: null });
    expect(await endOf(none.attach({ workerId: 'w1' }).link)).toMatchObject({ code: 7 });
    const status = { code: 16, message: 'no token' };
    const strict = createRun({ verifyWorker: async () => ({ kind: 'refused', status }) });
    expect(await endOf(strict.attach({ workerId: 'w1' }).link)).toEqual(status);
    expect(strict.runtime.placeholders()).toEqual([]);
  });
});

describe('a placeholder that gets an app', () => {
  test('serves it on the same stream: its functions are asked for, loaded, and its sidecar hears of it', async () => {
    const { clock, runtime, attach } = createRun();
    const added = runtime.addApplication(createApplication());
    const { worker } = attach({ workerId: 'w1' }, answering('in place'));
    await clock.settle();
    worker.log({ message: 'of the placeholder' });
    worker.send({ $case: 'workerSpecialized', value: specialized() });
    worker.log({ message: 'of the app' });
    expect(await added).toMatchObject({ state: 'active', workers: [{ workerId: 'w1', state: 'ready' }] });
    await clock.settle();
    expect(kindsOf(worker)).toEqual([
      'workerInitRequest',
      'functionsMetadataRequest',
      'functionLoadRequest',
      'workerSpecializedResponse',
      'workerSpecializedNotification',
    ]);
    expect(answersOf(worker)).toEqual([{ status: 1, jobHostId: 'sample:1', correlationId: 'c-1' }]);
    expect(runtime.placeholders()).toEqual([]);
    expect((await call(runtime, '/api/f').reply).body).toBe('in place');
  });

  test('what it says before and after goes where it belongs, in order', async () => {
    const { clock, log, runtime, attach } = createRun();
    runtime.addApplication(createApplication()).catch(() => {});
    const { worker } = attach({ workerId: 'w1' });
    await clock.settle();
    for (const message of ['a', 'b']) worker.log({ message });
    worker.send({ $case: 'workerSpecialized', value: specialized() });
    for (const message of ['c', 'd']) worker.log({ message });
    await clock.settle();
    expect(log.withMessage('A placeholder logged.').map(({ fields }) => fields.text)).toEqual(['a', 'b']);
    const ofApp = log.records.filter(({ fields }) => fields.applicationId === 'sample').map(({ message }) => message);
    expect(ofApp.filter((message) => message === 'c' || message === 'd')).toEqual(['c', 'd']);
  });

  test('has its token checked, as that of a worker of the app', async () => {
    const seen: unknown[] = [];
    const { clock, runtime, attach } = createRun({
      verifyWorker: (metadata, { isPlaceholder, application, tenantId }) => {
        seen.push([metadata.get('authorization'), isPlaceholder, application.applicationId, tenantId]);
        return { kind: 'accepted' };
      },
    });
    runtime.addApplication(createApplication({ tenantId: 'contoso' })).catch(() => {});
    const { worker } = attach({ workerId: 'w1' });
    await clock.settle();
    worker.send({ $case: 'workerSpecialized', value: specialized({ token: 'app.token' }) });
    await clock.settle();
    expect(seen).toEqual([
      [undefined, true, '_Placeholder_fake', ''],
      ['Bearer app.token', false, 'sample', 'contoso'],
    ]);
  });

  test('whose token is no good is told so, loses its stream and is never used', async () => {
    const { clock, runtime, supply, attach } = createRun({
      verifyWorker: (_metadata, { isPlaceholder }) =>
        isPlaceholder ? { kind: 'accepted' } : { kind: 'refused', status: { code: 7, message: 'a placeholder token' } },
    });
    runtime.addApplication(createApplication()).catch(() => {});
    const { link, worker } = attach({ workerId: 'w1' });
    await clock.settle();
    worker.send({ $case: 'workerSpecialized', value: specialized() });
    expect(await endOf(link)).toMatchObject({ code: 7, message: expect.stringContaining('a placeholder token') });
    expect(answersOf(worker)).toMatchObject([{ status: 0, jobHostId: '', correlationId: 'c-1' }]);
    expect(worker.bodies('functionLoadRequest')).toEqual([]);
    expect([runtime.placeholders(), runtime.status()[0]?.workers]).toEqual([[], []]);
    expect(supply.released).toEqual([{ workerId: 'w1', reason: 'start-failed' }]);
    expect(await endOf(attach({ workerId: 'w1', epoch: 2 }).link)).toMatchObject({ code: 9 });
  });

  test('for an app that is not here is refused', async () => {
    const { clock, attach } = createRun();
    const { link, worker } = attach({ workerId: 'w1' });
    await clock.settle();
    worker.send({ $case: 'workerSpecialized', value: specialized() });
    expect((await endOf(link)).message).toContain("'sample:1', which this Runtime does not host");
  });

  test('that is lost in the middle leaves neither host with it', async () => {
    const { clock, runtime, attach } = createRun({
      verifyWorker: async () => ({ kind: 'accepted' }),
    });
    runtime.addApplication(createApplication()).catch(() => {});
    const { worker } = attach({ workerId: 'w1' });
    await clock.settle();
    worker.send({ $case: 'workerSpecialized', value: specialized() });
    worker.crash();
    await clock.settle();
    expect([runtime.placeholders(), runtime.status()[0]?.workers]).toEqual([[], []]);
  });

  test('and fails to load it is a failed start of the app', async () => {
    const { clock, runtime, supply, attach } = createRun();
    const added = runtime.addApplication(createApplication());
    const { link, worker } = attach({ workerId: 'w1' }, { script: { functionsMetadataRequest: () => undefined } });
    await clock.settle();
    worker.send({ $case: 'workerSpecialized', value: specialized() });
    await clock.settle();
    const failed = expect(added).rejects.toThrow('did not list its functions within 60000 ms');
    await clock.advance(60_000);
    await failed;
    expect(await endOf(link)).toMatchObject({ code: 9 });
    expect(supply.released).toEqual([{ workerId: 'w1', reason: 'start-failed' }]);
  });

  test('is told again that it is there, and that it cannot be another one’s', async () => {
    const { clock, runtime, attach } = createRun();
    runtime.addApplication(createApplication()).catch(() => {});
    const { worker } = attach({ workerId: 'w1' }, answering('still'));
    await clock.settle();
    const other = specialized({ applicationId: 'other', correlationId: 'c-3' });
    for (const value of [specialized(), specialized({ correlationId: 'c-2' }), other]) {
      worker.send({ $case: 'workerSpecialized', value });
    }
    await clock.settle();
    const answers = answersOf(worker).sort((one, next) => one.correlationId.localeCompare(next.correlationId));
    expect(answers).toEqual([
      { status: 1, jobHostId: 'sample:1', correlationId: 'c-1' },
      { status: 1, jobHostId: 'sample:1', correlationId: 'c-2' },
      { status: 0, jobHostId: '', correlationId: 'c-3' },
    ]);
    expect((await call(runtime, '/api/f').reply).body).toBe('still');
  });
});

describe('a worker that brings its app along', () => {
  test('has it hosted, with its settings', async () => {
    const { clock, runtime, attach } = createRun({ announced: true });
    const { worker } = attach(
      { workerId: 'w1', application: sampleDefinition, tenantId: 'contoso' },
      answering('mine'),
    );
    await clock.settle();
    expect(runtime.status()).toEqual([]);
    worker.send({ $case: 'workerSpecialized', value: specialized() });
    await clock.settle();
    expect(runtime.status()).toMatchObject([{ key: 'sample:1', state: 'active', workers: [{ state: 'ready' }] }]);
    expect((await call(runtime, '/api/f').reply).body).toBe('mine');
  });

  test('shares it with those that come later', async () => {
    const { clock, runtime, attach } = createRun({ announced: true });
    for (const workerId of ['w1', 'w2', 'w3']) {
      const { worker } = attach({ workerId, application: sampleDefinition });
      await clock.settle();
      worker.send({ $case: 'workerSpecialized', value: specialized({ workerId }) });
    }
    await clock.settle();
    expect(runtime.status()).toHaveLength(1);
    expect(runtime.status()[0]?.workers.map(({ state }) => state)).toEqual(['ready', 'ready', 'ready']);
  });

  test('comes back to a Runtime that was started anew: that one is rebuilt from its workers alone', async () => {
    const before = createRun({ announced: true });
    const after = createRun({ announced: true });
    for (const [epoch, { clock, attach }] of [[1, before] as const, [2, after] as const]) {
      const { worker } = attach({ workerId: 'w1', application: sampleDefinition, epoch }, answering('again'));
      await clock.settle();
      worker.send({ $case: 'workerSpecialized', value: specialized() });
      await clock.settle();
    }
    expect(after.runtime.status()).toMatchObject([{ state: 'active', workers: [{ workerId: 'w1', state: 'ready' }] }]);
    expect((await call(after.runtime, '/api/f').reply).body).toBe('again');
  });

  test('comes back after it was away for longer than a replacement takes, and whoever waited is answered', async () => {
    const { clock, runtime, attach } = createRun({ announced: true });
    const announce = async (epoch: number, text: string) => {
      const attached = attach({ workerId: 'w1', application: sampleDefinition, epoch }, answering(text));
      await clock.settle();
      attached.worker.send({ $case: 'workerSpecialized', value: specialized() });
      await clock.settle();
      return attached;
    };
    const first = await announce(1, 'before');
    expect((await call(runtime, '/api/f').reply).body).toBe('before');
    first.worker.crash();
    await clock.advance(5_000);
    const { reply } = call(runtime, '/api/f');
    await clock.settle();
    await announce(2, 'after');
    expect((await clock.runUntil(reply)).body).toBe('after');
    expect(runtime.status()[0]).toMatchObject({ state: 'active', workers: [{ workerId: 'w1', state: 'ready' }] });
  });

  test('comes back over a new stream while the old one is half open: what ran there fails, it serves on', async () => {
    const { clock, runtime, attach } = createRun({ announced: true });
    const hung = attach(
      { workerId: 'w1', application: sampleDefinition },
      { onInvocation: () => new Promise(() => {}) },
    );
    await clock.settle();
    hung.worker.send({ $case: 'workerSpecialized', value: specialized() });
    await clock.settle();
    const reply = call(runtime, '/api/f').reply;
    await clock.settle();
    const again = attach({ workerId: 'w1', application: sampleDefinition, epoch: 2 }, answering('back'));
    expect((await reply).status).toBe(500);
    await clock.settle();
    again.worker.send({ $case: 'workerSpecialized', value: specialized() });
    await clock.settle();
    expect(await endOf(hung.link)).toMatchObject({ code: 10 });
    expect((await call(runtime, '/api/f').reply).body).toBe('back');
    expect(runtime.status()[0]?.workers).toMatchObject([{ workerId: 'w1', state: 'ready' }]);
  });

  test('without an announcement is taken for what its StartStream says, where the app is known', async () => {
    const { clock, runtime, attach } = createRun();
    runtime.addApplication(createApplication()).catch(() => {});
    const known = { application: sampleDefinition, announces: false, tenantId: 'default' };
    const { worker } = attach({ workerId: 'w1', ...known }, answering('classic'));
    await clock.settle();
    expect(kindsOf(worker)).toEqual([
      'workerInitRequest',
      'functionsMetadataRequest',
      'functionLoadRequest',
      'workerSpecializedNotification',
    ]);
    expect((await call(runtime, '/api/f').reply).body).toBe('classic');
    const foreign = attach({ workerId: 'w2', ...known, tenantId: 'fabrikam' });
    expect(await endOf(foreign.link)).toMatchObject({ code: 7 });
  });
});
