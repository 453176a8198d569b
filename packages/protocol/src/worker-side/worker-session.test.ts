import { createDeferred } from '@switchyard/kernel';
import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import {
  FunctionEnvironmentReloadRequest,
  FunctionLoadRequest,
  FunctionsMetadataRequest,
  InvocationRequest,
  InvocationResponse,
  RpcLog_Level,
  WorkerInitRequest,
} from '../gen/function-rpc.ts';
import type { MessageContent } from './outbox.ts';
import { ScriptedLink } from './testing/scripted-link.ts';
import type { WorkerApp } from './worker-app.ts';
import { WorkerSession } from './worker-session.ts';

const none = new Uint8Array();
const init: MessageContent = { $case: 'workerInitRequest', value: WorkerInitRequest.decode(none) };
const reload: MessageContent = {
  $case: 'functionEnvironmentReloadRequest',
  value: FunctionEnvironmentReloadRequest.decode(none),
};
const index: MessageContent = { $case: 'functionsMetadataRequest', value: FunctionsMetadataRequest.decode(none) };

function load(functionId: string): MessageContent {
  return { $case: 'functionLoadRequest', value: { ...FunctionLoadRequest.decode(none), functionId } };
}

function invoke(invocationId: string): MessageContent {
  return { $case: 'invocationRequest', value: { ...InvocationRequest.decode(none), invocationId } };
}

/** An app that notes what it is asked and answers well, but for what a test replaces. */
function createApp(replaced: Partial<WorkerApp> = {}): WorkerApp & { readonly asked: string[] } {
  const asked: string[] = [];
  const note = <T>(what: string, value: T): Promise<T> => {
    asked.push(what);
    return Promise.resolve(value);
  };
  return {
    asked,
    init: () =>
      note('init', { workerVersion: '1', capabilities: new Map(), result: undefined, workerMetadata: undefined }),
    reload: () =>
      note('reload', {
        workerMetadata: undefined,
        capabilities: new Map(),
        result: undefined,
        capabilitiesUpdateStrategy: 1,
      }),
    index: () => note('index', { functionMetadataResults: [], result: undefined, useDefaultMetadataIndexing: true }),
    load: ({ functionId }) =>
      note(`load ${functionId}`, { functionId, result: undefined, isDependencyDownloaded: false }),
    invoke: ({ invocationId }) => note(`invoke ${invocationId}`, { ...InvocationResponse.decode(none), invocationId }),
    cancel: (invocationId) => void asked.push(`cancel ${invocationId}`),
    warmUp: () => note('warm up', undefined),
    terminate: (graceMs) => note(`terminate ${graceMs}`, undefined),
    ...replaced,
  };
}

function open(replaced: Partial<WorkerApp> = {}): {
  readonly link: ScriptedLink;
  readonly clock: VirtualClock;
  readonly session: WorkerSession;
  readonly asked: string[];
} {
  const link = new ScriptedLink();
  const clock = new VirtualClock();
  const app = createApp(replaced);
  const session = new WorkerSession({ link, clock }, app);
  session.start('worker-1', 'request-0');
  return { link, clock, session, asked: app.asked };
}

describe('WorkerSession', () => {
  test('I1: introduces the worker first', () => {
    const { link } = open();
    expect(link.sent).toEqual([
      {
        requestId: 'request-0',
        content: { $case: 'startStream', value: { workerId: 'worker-1', properties: new Map() } },
      },
    ]);
  });

  test('I2: changes run one at a time; loads and invocations wait for those before them', async () => {
    const started = createDeferred<void>();
    const { link, clock, asked } = open({
      init: async () => {
        await started.promise;
        asked.push('init done');
        return { workerVersion: '', capabilities: new Map(), result: undefined, workerMetadata: undefined };
      },
    });
    for (const content of [init, index, load('f'), invoke('i')]) link.deliver(content);
    await clock.settle();
    expect(asked).toEqual([]);
    started.resolve();
    await clock.settle();
    expect(asked).toEqual(['init done', 'index', 'load f', 'invoke i']);
  });

  test('I2: a slow load keeps nobody waiting', async () => {
    const { link, clock } = open({
      load: ({ functionId }) =>
        functionId === 'slow'
          ? new Promise(() => {})
          : Promise.resolve({ functionId, result: undefined, isDependencyDownloaded: false }),
    });
    for (const content of [init, load('slow'), load('fast'), invoke('i'), reload]) link.deliver(content);
    await clock.settle();
    expect(link.sentKinds.toSorted()).toEqual([
      'functionEnvironmentReloadResponse',
      'functionLoadResponse',
      'invocationResponse',
      'startStream',
      'workerInitResponse',
    ]);
  });

  test('I3: every answer carries the id of its request, once', async () => {
    const { link, clock } = open();
    const collection: MessageContent = {
      $case: 'functionLoadRequestCollection',
      value: {
        functionLoadRequests: ['a', 'b'].map((id) => ({ ...FunctionLoadRequest.decode(none), functionId: id })),
      },
    };
    const warmUp: MessageContent = { $case: 'workerWarmupRequest', value: { workerDirectory: '' } };
    const status: MessageContent = { $case: 'workerStatusRequest', value: {} };
    const asked = [init, reload, index, load('f'), collection, invoke('i'), warmUp, status];
    for (const [position, content] of asked.entries()) link.deliver(content, `r${position}`);
    await clock.settle();
    const answers = link.sent.slice(1).map(({ requestId, content }) => `${requestId} ${content?.$case}`);
    expect(answers.toSorted()).toEqual([
      'r0 workerInitResponse',
      'r1 functionEnvironmentReloadResponse',
      'r2 functionMetadataResponse',
      'r3 functionLoadResponse',
      'r4 functionLoadResponseCollection',
      'r5 invocationResponse',
      'r6 workerWarmupResponse',
      'r7 workerStatusResponse',
    ]);
  });

  test('I3: an invocation that nobody can answer is not answered', async () => {
    const { link, clock } = open({ invoke: () => Promise.resolve(undefined) });
    link.deliver(init);
    link.deliver(invoke('i'));
    await clock.settle();
    expect(link.sentKinds).toEqual(['startStream', 'workerInitResponse']);
  });

  test('I4: what cannot be read, is unknown or comes too early is logged and changes nothing', async () => {
    const { link, clock, asked } = open();
    link.deliverBytes(new Uint8Array([0xff, 0xff]));
    link.deliver(undefined);
    link.deliver(invoke('early'));
    link.deliver(reload);
    link.deliver({ $case: 'startStream', value: { workerId: '', properties: new Map() } });
    await clock.settle();
    const lines = link.sent.flatMap(({ content }) => (content?.$case === 'rpcLog' ? [content.value] : []));
    expect(lines.map(({ message }) => message)).toEqual([
      expect.stringContaining('A message of 2 bytes from the host cannot be decoded'),
      expect.stringContaining('a kind that this worker does not know'),
      expect.stringContaining('The host sent invocationRequest before the worker was initialized'),
      expect.stringContaining('The host sent functionEnvironmentReloadRequest before'),
      expect.stringContaining('The host sent startStream, which is not for a worker'),
    ]);
    expect(lines.every(({ level }) => level === RpcLog_Level.Error)).toBe(true);
    expect(asked).toEqual([]);
    link.deliver(init);
    await clock.settle();
    expect(asked).toEqual(['init']);
  });

  test.each<[string, (link: ScriptedLink) => void, unknown]>([
    ['the host sends no more', (link) => link.deliverEnd(), { kind: 'host-ended' }],
    ['the link ends well', (link) => link.close({ code: 0, message: '', origin: 'peer' }), { kind: 'host-ended' }],
    [
      'the connection is lost',
      (link) => link.close({ code: 14, message: 'reset', origin: 'transport' }),
      { kind: 'connection-lost', reason: 'The connection to the host at the test was lost: reset (status 14).' },
    ],
  ])('I5: ends when %s, and only once', async (_name, end, reason) => {
    const { link, session } = open();
    end(link);
    expect(await session.ended).toEqual(reason);
    link.close({ code: 13, message: 'later', origin: 'transport' });
    session.fail('too late');
    expect(await session.ended).toEqual(reason);
    expect(link.sentKinds).toEqual(['startStream']);
  });

  test('I5: an app that gives up tells the host why', async () => {
    const { link, session } = open();
    session.fail('the handler died');
    expect(await session.ended).toEqual({ kind: 'failed', reason: 'the handler died' });
    expect(link.sent[1]?.content).toMatchObject({ $case: 'rpcLog', value: { level: RpcLog_Level.Error } });
  });

  test('I5: a worker that is told to terminate ends when its app has', async () => {
    const done = createDeferred<void>();
    const graces: number[] = [];
    const { link, clock, session } = open({
      terminate: (graceMs) => {
        graces.push(graceMs);
        return done.promise;
      },
    });
    let ended = false;
    void session.ended.then(() => {
      ended = true;
    });
    link.deliver({ $case: 'workerTerminate', value: { gracePeriod: { seconds: 7n, nanos: 500_000_000 } } });
    link.deliver({ $case: 'workerTerminate', value: { gracePeriod: undefined } });
    await clock.settle();
    expect(graces).toEqual([7_500]);
    expect(ended).toBe(false);
    done.resolve();
    expect(await session.ended).toEqual({ kind: 'terminated' });
  });

  test('a host that names no grace period gets the default', async () => {
    const { link, clock, asked } = open();
    link.deliver({ $case: 'workerTerminate', value: { gracePeriod: undefined } });
    await clock.settle();
    expect(asked).toEqual(['terminate 5000']);
  });

  test('I6: an app that rejects is logged, and the conversation goes on', async () => {
    const { link, clock, asked } = open({
      index: () => Promise.reject(new Error('a defect')),
      terminate: () => Promise.reject(new Error('another')),
    });
    link.deliver(init);
    link.deliver(index);
    link.deliver(invoke('i'));
    await clock.settle();
    expect(asked).toEqual(['init', 'invoke i']);
    expect(link.sent.map(({ content }) => content)).toContainEqual(
      expect.objectContaining({
        value: expect.objectContaining({
          level: RpcLog_Level.Critical,
          message: 'The worker failed at functionsMetadataRequest: a defect',
        }),
      }),
    );
  });

  test('cancellation reaches the app, and what nobody needs is dropped', async () => {
    const { link, clock, asked } = open();
    link.deliver(init);
    link.deliver({ $case: 'workerHeartbeat', value: {} });
    link.deliver({ $case: 'invocationCancel', value: { invocationId: 'i', gracePeriod: undefined } });
    await clock.settle();
    expect(asked).toEqual(['init', 'cancel i']);
    expect(link.sentKinds).toEqual(['startStream', 'workerInitResponse']);
  });

  test('I5: an app that does not end is waited for as long as the host grants', async () => {
    const { link, clock, session } = open({ terminate: () => new Promise(() => {}) });
    link.deliver({ $case: 'workerTerminate', value: { gracePeriod: { seconds: 2n, nanos: 0 } } });
    expect(await clock.runUntil(session.ended)).toEqual({ kind: 'terminated' });
    expect(clock.monotonic()).toBe(2_000);
  });

  test('a warm-up that goes wrong is told to the host', async () => {
    const { link, clock } = open({ warmUp: () => Promise.reject(new Error('too cold')) });
    link.deliver(init);
    link.deliver({ $case: 'workerWarmupRequest', value: { workerDirectory: '' } });
    await clock.settle();
    expect(link.sent.at(-1)?.content).toMatchObject({ value: { result: { exception: { message: 'too cold' } } } });
  });

  test.each([
    [0, 10],
    [1, 1_000],
  ])('closing with %d bytes on their way takes %d ms', async (bufferedBytes, tookMs) => {
    const { link, clock, session } = open();
    link.bufferedBytes = bufferedBytes;
    await clock.runUntil(session.close());
    expect(link.isEnded).toBe(true);
    expect(clock.monotonic()).toBe(tookMs);
  });
});
