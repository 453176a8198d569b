import { createDeferred, type PlatformError } from '@switchyard/kernel';
import {
  createMemoryLinkPair,
  emptyLog,
  type InvocationResponse,
  type Link,
  type RpcLog,
  StreamingMessage,
  WorkerConnect,
} from '@switchyard/protocol';
import { createFakeWorker, createMemoryLog, createSeededRandom, VirtualClock } from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { VerifyWorker, WorkerVerdict } from '../contract.ts';
import { runtimeErrors } from '../errors.ts';
import { defaultLimits } from '../limits.ts';
import { attached, specialized } from '../testing/attached-worker.ts';
import { createHarness } from '../testing/runtime-harness.ts';
import { createApplication } from '../testing/sample-application.ts';
import { sampleAnswer, sampleDefinition } from '../testing/sample-worker.ts';
import { Worker } from '../worker-registry/worker.ts';
import { type Admission, type StreamDoor, type StreamSession, streamEdges, WorkerStream } from './worker-stream.ts';

function frame(content: StreamingMessage['content']): Uint8Array {
  return StreamingMessage.encode({ requestId: '', content }).finish();
}

const startStream = (workerId: string) => frame({ $case: 'startStream', value: { workerId, properties: new Map() } });

/** A stream with a session that writes down what it hears. */
function openStream(known = 'w1', verify: VerifyWorker = () => ({ kind: 'accepted' })) {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const { opener: link, acceptor: host } = createMemoryLinkPair();
  const worker = new Worker(known, sampleDefinition, { inFlightCapacity: 9, stderrLines: 5, onTransition: () => {} });
  const heard: string[] = [];
  const session = (stream: WorkerStream): StreamSession => {
    worker.connect(stream);
    return {
      worker,
      plan: {
        initRequest: {
          hostVersion: '4.1052.0',
          capabilities: new Map(),
          logCategories: new Map(),
          workerDirectory: '/worker',
          functionAppDirectory: '/app',
        },
        initTimeoutMs: 120_000,
        metadataTimeoutMs: 60_000,
        loadTimeoutMs: 60_000,
        functionAppDirectory: '/app',
        join: (participant) => participant.load([]),
        leave: () => {},
        indexed: () => {},
        offered: (participant, { useDefaultIndexing }) =>
          useDefaultIndexing
            ? participant.fail(runtimeErrors.create('WORKER_FUNCTIONS_DIFFER', { workerId: 'w1', difference: 'x' }))
            : participant.load([]),
      },
      initialized: () => {
        worker.transition({ kind: 'loading' });
        heard.push('initialized');
      },
      ready: () => {
        worker.transition({ kind: 'ready' });
        heard.push('ready');
      },
      failed: (error: PlatformError) => heard.push(`failed ${error.code}`),
      revived: () => heard.push('revived'),
      log: (line: RpcLog) => heard.push(`log ${line.message}`),
      answer: (response: InvocationResponse) => heard.push(`answer ${response.invocationId}`),
      ended: (reason) => heard.push(`ended: ${reason}`),
    };
  };
  const admit = (workerId: string): Admission =>
    workerId === known
      ? { kind: 'admitted', session: session(stream) }
      : { kind: 'refused', error: runtimeErrors.create('WORKER_UNKNOWN', { workerId }) };
  const byClaims = ({ workerId }: { readonly workerId: string }): Admission => admit(workerId);
  const door: StreamDoor = { admit, connect: byClaims, attach: byClaims, specialize: byClaims, verify };
  const stream: WorkerStream = new WorkerStream({ clock, log }, defaultLimits, host, door);
  stream.start();
  return { clock, log, link, host, stream, worker, heard };
}

async function endOf(link: Link) {
  const { code, message } = await link.closed;
  return { code, message };
}

describe('the stream machine', () => {
  test('goes one way, and may end in any phase', () => {
    expect(streamEdges).toEqual({
      opening: ['handshaking', 'closed'],
      handshaking: ['open', 'draining', 'closed'],
      open: ['handshaking', 'draining', 'closed'],
      draining: ['closed'],
      closed: [],
    });
  });
});

describe('WorkerStream', () => {
  test.each([
    ['workerHeartbeat', { $case: 'workerHeartbeat', value: {} }],
    ['invocationResponse', { $case: 'invocationResponse', value: sampleAnswer('a') }],
    ['an unknown message', undefined],
  ] as const)('I1: %s as the first message ends the stream and names what came', async (name, content) => {
    const { link, stream, log } = openStream();
    link.send(frame(content));
    expect(await endOf(link)).toMatchObject({ code: 3 });
    expect((await endOf(link)).message).toContain(`must be StartStream or WorkerConnect, but ${name} came`);
    expect(stream.state).toBe('closed');
    expect(log.withMessage('A worker stream was refused.')).toHaveLength(1);
  });

  test('I1: silence ends the stream after 30 seconds', async () => {
    const { clock, link, stream } = openStream();
    await clock.advance(29_999);
    expect(stream.state).toBe('opening');
    await clock.advance(1);
    expect(await endOf(link)).toMatchObject({ code: 4, message: expect.stringContaining('30000 ms') });
  });

  test('I2: an unknown worker is told so, and logged once', async () => {
    const { clock, link, log } = openStream();
    link.send(startStream('w2'));
    expect(await endOf(link)).toMatchObject({ code: 5, message: expect.stringContaining("'w2'") });
    await clock.advance(100_000);
    expect(log.records.filter(({ level }) => level === 'warning')).toHaveLength(1);
  });

  test('I2: an admitted worker is brought to Ready', async () => {
    const { clock, link, stream, heard } = openStream();
    const fake = createFakeWorker(link, { workerId: 'w1' });
    await clock.settle();
    expect(heard).toEqual(['initialized', 'ready']);
    expect(stream.state).toBe('open');
    expect(fake.bodies('workerInitRequest')).toMatchObject([{ hostVersion: '4.1052.0', functionAppDirectory: '/app' }]);
    expect(fake.received[0]?.requestId).toBe('');
  });

  test.each([
    ['before the first message', async () => {}],
    [
      'after the handshake',
      async (link: Link, clock: VirtualClock) => {
        createFakeWorker(link, { workerId: 'w1' });
        await clock.settle();
      },
    ],
  ])('I3: a malformed frame ends the stream, %s', async (_when, prepare) => {
    const { clock, link, stream, heard } = openStream();
    await prepare(link, clock);
    link.send(new Uint8Array([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]));
    expect(await endOf(link)).toMatchObject({ code: 3, message: expect.stringContaining('11 bytes') });
    expect(stream.state).toBe('closed');
    expect(heard.filter((line) => line === 'failed WORKER_FRAME_INVALID').length).toBe(heard.length > 0 ? 1 : 0);
  });

  test('I3: whatever bytes come first, the stream ends with a status or waits, and never throws', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), async (bytes) => {
        const { clock, link, stream } = openStream();
        link.send(bytes);
        await clock.settle();
        expect(stream.state).toBe('closed');
        expect([3, 5]).toContain((await endOf(link)).code);
      }),
      { numRuns: 40 },
    );
  });

  test('I4: messages that nobody waits for change nothing', async () => {
    const { clock, link, stream, heard, log } = openStream();
    const fake = createFakeWorker(link, { workerId: 'w1' });
    await clock.settle();
    fake.send({
      $case: 'functionLoadResponse',
      value: { functionId: 'x', result: undefined, isDependencyDownloaded: false },
    });
    fake.send({ $case: 'startStream', value: { workerId: 'w1', properties: new Map() } });
    fake.send({ $case: 'workerStatusRequest', value: {} });
    link.send(new Uint8Array([0xfa, 0x06, 0x00]));
    link.send(new Uint8Array());
    await clock.settle();
    expect([stream.state, heard]).toEqual(['open', ['initialized', 'ready']]);
    const ignored = log.withMessage('A message came that nobody waits for; it is ignored.');
    expect(ignored.map(({ fields }) => fields.kind)).toEqual([
      'functionLoadResponse',
      'startStream',
      'workerStatusRequest',
      'unknown',
      'unknown',
    ]);
  });

  test('passes on logs and answers in their order, and counts every frame as life', async () => {
    const { clock, link, worker, heard } = openStream();
    const fake = createFakeWorker(link, { workerId: 'w1' });
    await clock.settle();
    const before = worker.framesReceived;
    fake.log({ message: 'one' });
    fake.send({ $case: 'invocationResponse', value: sampleAnswer('a') });
    fake.log({ message: 'two' });
    fake.send({ $case: 'workerStatusResponse', value: {} });
    await clock.settle();
    expect(heard.slice(2)).toEqual(['log one', 'answer a', 'log two']);
    expect(worker.framesReceived - before).toBe(4);
    worker.transition({ kind: 'unhealthy', cause: 'silent' });
    fake.send({ $case: 'workerStatusResponse', value: {} });
    await clock.settle();
    expect(heard.at(-1)).toBe('revived');
  });

  test('I5: the session hears of a lost connection once, and of nothing after that', async () => {
    const { clock, link, heard } = openStream();
    const fake = createFakeWorker(link, { workerId: 'w1' });
    await clock.settle();
    fake.crash();
    fake.log({ message: 'late' });
    await clock.settle();
    expect(heard.slice(2)).toEqual(['ended: the opener cancelled the stream']);
  });

  test('I5: the session hears of an orderly end, and the stream is closed in both directions', async () => {
    const { clock, link, heard, stream } = openStream();
    const fake = createFakeWorker(link, { workerId: 'w1' });
    await clock.settle();
    fake.end();
    await clock.settle();
    expect(heard.slice(2)).toEqual(['ended: the worker ended its stream']);
    expect([stream.state, (await endOf(link)).code]).toEqual(['closed', 0]);
  });

  test('I5: what the owner aborts is no news to it', async () => {
    const { clock, link, heard, stream } = openStream();
    createFakeWorker(link, { workerId: 'w1' });
    await clock.settle();
    stream.abort({ code: 10, message: 'superseded' });
    await clock.settle();
    expect(heard.slice(2)).toEqual([]);
    expect(await endOf(link)).toEqual({ code: 10, message: 'superseded' });
  });

  test('drains: tells the worker to end and waits for it', async () => {
    const { clock, link, heard, stream } = openStream();
    const fake = createFakeWorker(link, { workerId: 'w1' });
    await clock.settle();
    stream.terminate();
    expect(stream.state).toBe('draining');
    await clock.settle();
    expect(fake.bodies('workerTerminate')).toEqual([{ gracePeriod: { seconds: 5n, nanos: 0 } }]);
    expect([stream.state, heard.slice(2)]).toEqual(['closed', ['ended: the worker ended its stream']]);
    expect(clock.pendingTimers).toBe(0);
  });

  test('drains: a worker that does not end in time is cut off', async () => {
    const { clock, link, heard, stream } = openStream();
    createFakeWorker(link, { workerId: 'w1', script: { workerTerminate: () => undefined } });
    await clock.settle();
    stream.terminate();
    await clock.advance(4_999);
    expect(stream.state).toBe('draining');
    await clock.advance(1);
    expect([stream.state, (await endOf(link)).code]).toEqual(['closed', 1]);
    expect(heard.slice(2)).toEqual(['ended: the worker did not end in time']);
  });

  test('drains: a worker that does not know the message never gets it', async () => {
    const { clock, link, stream } = openStream();
    const fake = createFakeWorker(link, { workerId: 'w1', capabilities: {} });
    await clock.settle();
    stream.terminate();
    await clock.settle();
    expect(fake.bodies('workerTerminate')).toEqual([]);
    expect([stream.state, (await endOf(link)).code]).toEqual(['closed', 0]);
  });
});

describe('WorkerConnect', () => {
  const workerConnect = (fields: Partial<WorkerConnect> = {}): Uint8Array =>
    frame({
      $case: 'workerConnect',
      value: {
        ...WorkerConnect.decode(new Uint8Array()),
        workerId: 'w1',
        applicationId: 'sample',
        metadataVersion: '1',
        ...fields,
      },
    });

  function collect(link: Link): StreamingMessage[] {
    const messages: StreamingMessage[] = [];
    link.receive({ frame: (bytes) => messages.push(StreamingMessage.decode(bytes)) });
    return messages;
  }

  test('I6: is answered, and followed by the news that the worker is Ready', async () => {
    const { clock, link, stream, heard } = openStream();
    const messages = collect(link);
    link.send(workerConnect());
    await clock.settle();
    expect(messages.map(({ content }) => content)).toMatchObject([
      { $case: 'workerConnectResponse', value: { result: { status: 1 } } },
      {
        $case: 'workerSpecializedNotification',
        value: { workerId: 'w1', applicationId: 'sample', jobHostId: 'sample:1' },
      },
    ]);
    expect([stream.state, heard]).toEqual(['open', ['initialized', 'ready']]);
  });

  test('I6: nothing happens before its token was verified', async () => {
    const verdict = createDeferred<WorkerVerdict>();
    const { clock, link, stream, heard } = openStream('w1', () => verdict.promise);
    const messages = collect(link);
    link.send(workerConnect());
    link.send(frame({ $case: 'rpcLog', value: { ...emptyLog(), message: 'early' } }));
    await clock.settle();
    expect([stream.state, heard, messages]).toEqual(['opening', [], []]);
    verdict.resolve({ kind: 'accepted' });
    await clock.settle();
    expect([stream.state, heard]).toEqual(['open', ['initialized', 'ready', 'log early']]);
  });

  test('I6: a refusal ends the stream with its status', async () => {
    const status = { code: 16, message: 'the token has expired' };
    const { link, heard, log } = openStream('w1', async () => ({ kind: 'refused', status }));
    link.send(workerConnect());
    expect(await endOf(link)).toEqual(status);
    expect(heard).toEqual([]);
    expect(log.withMessage('A worker stream was refused.')).toHaveLength(1);
  });

  test('I6: a verification that breaks off, or takes for ever, refuses the worker', async () => {
    const broken = openStream('w1', () => Promise.reject(new Error('no keys')));
    broken.link.send(workerConnect());
    expect(await endOf(broken.link)).toMatchObject({ code: 14, message: expect.stringContaining('no keys') });
    const slow = openStream('w1', () => new Promise(() => {}));
    slow.link.send(workerConnect());
    await slow.clock.advance(30_000);
    expect(await endOf(slow.link)).toMatchObject({ code: 4 });
    expect(slow.heard).toEqual([]);
  });

  test('I6: a worker that nobody admits, or whose functions do not fit, hears why', async () => {
    const unknown = openStream();
    unknown.link.send(workerConnect({ workerId: 'w2' }));
    expect(await endOf(unknown.link)).toMatchObject({ code: 5 });
    const different = openStream();
    different.link.send(workerConnect({ useDefaultMetadataIndexing: true }));
    expect(await endOf(different.link)).toMatchObject({ code: 9, message: expect.stringContaining('other functions') });
    expect(different.heard).toEqual(['initialized', 'failed WORKER_FUNCTIONS_DIFFER']);
  });
});

describe('a worker that waits for its app', () => {
  test('I7: keeps its stream; what it says goes to the placeholder’s session before, to the app’s after', async () => {
    const clock = new VirtualClock();
    const log = createMemoryLog(clock);
    const { runtime, connect } = createHarness({ clock, log, random: createSeededRandom(1) });
    runtime.addApplication(createApplication()).catch(() => {});
    const link = connect();
    const worker = createFakeWorker(attached(link, { workerId: 'w1' }), { workerId: 'w1', functions: [{ name: 'f' }] });
    await clock.settle();
    const said = async (message: string) => {
      worker.log({ message });
      await clock.settle();
    };
    await said('before');
    worker.send({ $case: 'workerSpecialized', value: specialized() });
    await said('after');
    expect(log.withMessage('A placeholder logged.').map(({ fields }) => fields.text)).toEqual(['before']);
    expect(log.withMessage('after')).toMatchObject([{ fields: { applicationId: 'sample', workerId: 'w1' } }]);
    expect(runtime.status()[0]?.workers).toMatchObject([{ workerId: 'w1', state: 'ready' }]);
  });

  test('I6, I7: hears why it may not serve an app, and its stream ends', async () => {
    const clock = new VirtualClock();
    const { runtime, connect } = createHarness({ clock, log: createMemoryLog(clock), random: createSeededRandom(1) });
    const link = connect();
    const worker = createFakeWorker(attached(link, { workerId: 'w1' }), { workerId: 'w1' });
    await clock.settle();
    worker.send({ $case: 'workerSpecialized', value: specialized({ applicationId: '' }) });
    expect(await endOf(link)).toMatchObject({ code: 7, message: expect.stringContaining("application_id is ''") });
    expect(worker.bodies('workerSpecializedResponse')).toMatchObject([{ result: { status: 0 } }]);
    expect(runtime.placeholders()).toEqual([]);
  });
});
