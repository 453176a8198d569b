import type { PlatformError } from '@switchyard/kernel';
import {
  type FunctionLoadRequest,
  type FunctionMetadataResponse,
  type StreamingMessage,
  WorkerConnect,
} from '@switchyard/protocol';
import { failureResult, successResult, VirtualClock } from '@switchyard/testkit';
import { describe, expect, test } from 'vitest';
import { runtimeErrors } from '../errors.ts';
import { FakeChannel } from '../testing/fake-channel.ts';
import { sampleDefinition } from '../testing/sample-worker.ts';
import { Worker } from '../worker-registry/worker.ts';
import { type FunctionOffer, Handshake, type HandshakePlan, type IndexParticipant } from './handshake.ts';

type Content = NonNullable<StreamingMessage['content']>;

const requests: FunctionLoadRequest[] = ['a', 'b'].map((functionId) => ({
  functionId,
  metadata: undefined,
  managedDependencyEnabled: false,
}));

function createHandshake() {
  const clock = new VirtualClock();
  const worker = new Worker('w1', sampleDefinition, { inFlightCapacity: 9, stderrLines: 5, onTransition: () => {} });
  const channel = new FakeChannel();
  worker.connect(channel);
  const heard: string[] = [];
  const plan: HandshakePlan = {
    initRequest: {
      hostVersion: '4',
      capabilities: new Map(),
      logCategories: new Map(),
      workerDirectory: '',
      functionAppDirectory: '/app',
    },
    initTimeoutMs: 120_000,
    metadataTimeoutMs: 60_000,
    loadTimeoutMs: 90_000,
    functionAppDirectory: '/app',
    join: () => heard.push('join'),
    leave: () => heard.push('leave'),
    indexed: (_participant: IndexParticipant, response: FunctionMetadataResponse) =>
      heard.push(`indexed ${response.functionMetadataResults.length}`),
    offered: (_participant: IndexParticipant, { functions, useDefaultIndexing }: FunctionOffer) =>
      heard.push(`offered ${functions.length} ${useDefaultIndexing}`),
  };
  let failure: PlatformError | undefined;
  const handshake = new Handshake(clock, worker, plan, {
    initialized: () => heard.push('initialized'),
    done: () => heard.push('done'),
    failed: (error) => {
      failure = error;
      heard.push(error.code);
    },
  });
  return { clock, worker, channel, heard, handshake, failure: () => failure };
}

function initResponse(capabilities: Record<string, string> = {}, result = successResult()): Content {
  return {
    $case: 'workerInitResponse',
    value: {
      workerVersion: '',
      capabilities: new Map(Object.entries(capabilities)),
      result,
      workerMetadata: undefined,
    },
  };
}

function metadataResponse(result = successResult(), useDefaultMetadataIndexing = false): Content {
  return {
    $case: 'functionMetadataResponse',
    value: { functionMetadataResults: [], result, useDefaultMetadataIndexing },
  };
}

function loadResponse(functionId: string, result = successResult()): Content {
  return { $case: 'functionLoadResponse', value: { functionId, result, isDependencyDownloaded: false } };
}

describe('Handshake', () => {
  test('I1: asks for functions when it is told to, and only then', () => {
    const { channel, heard, handshake } = createHandshake();
    handshake.start();
    handshake.ask();
    handshake.receive(initResponse());
    expect(channel.kinds).toEqual(['workerInitRequest']);
    expect(heard).toEqual(['initialized', 'join']);
    handshake.ask();
    expect(channel.kinds).toEqual(['workerInitRequest', 'functionsMetadataRequest']);
    handshake.receive(metadataResponse());
    expect(heard.at(-1)).toBe('indexed 0');
    handshake.load(requests);
    expect(channel.kinds.slice(2)).toEqual(['functionLoadRequest', 'functionLoadRequest']);
  });

  test('I1: a worker that is told what to load is never asked', () => {
    const { channel, handshake } = createHandshake();
    handshake.start();
    handshake.receive(initResponse());
    handshake.load(requests);
    handshake.ask();
    expect(channel.kinds).not.toContain('functionsMetadataRequest');
  });

  test('I2: is done when every load was answered, in any order, once', () => {
    const { heard, handshake, worker } = createHandshake();
    handshake.start();
    handshake.receive(initResponse());
    handshake.load(requests);
    handshake.receive(loadResponse('b', failureResult('no such file')));
    handshake.receive(loadResponse('b'));
    handshake.receive(loadResponse('stranger'));
    expect(heard).not.toContain('done');
    handshake.receive(loadResponse('a'));
    handshake.receive(loadResponse('a'));
    expect(heard.filter((line) => line === 'done')).toEqual(['done']);
    expect([...worker.loadFailures]).toMatchObject([['b', { message: 'no such file' }]]);
  });

  test('I2: an app without functions is done at once', () => {
    const { heard, handshake } = createHandshake();
    handshake.start();
    handshake.receive(initResponse());
    handshake.load([]);
    expect(heard.at(-1)).toBe('done');
  });

  test('I2: a worker that takes them all at once gets one message', () => {
    const { channel, heard, handshake } = createHandshake();
    handshake.start();
    handshake.receive(initResponse({ SupportsLoadResponseCollection: 'true' }));
    handshake.load(requests);
    expect(channel.kinds).toEqual(['workerInitRequest', 'functionLoadRequestCollection']);
    handshake.receive({
      $case: 'functionLoadResponseCollection',
      value: {
        functionLoadResponses: requests.map(({ functionId }) => ({
          functionId,
          result: successResult(),
          isDependencyDownloaded: false,
        })),
      },
    });
    expect(heard.at(-1)).toBe('done');
  });

  test.each([
    ['WORKER_INIT_TIMEOUT', 120_000, () => {}],
    [
      'WORKER_INDEX_TIMEOUT',
      60_000,
      (handshake: Handshake) => {
        handshake.receive(initResponse());
        handshake.ask();
      },
    ],
    [
      'WORKER_LOAD_TIMEOUT',
      90_000,
      (handshake: Handshake) => {
        handshake.receive(initResponse());
        handshake.load(requests);
        handshake.receive(loadResponse('a'));
      },
    ],
  ] as const)('I3: %s after %d ms', async (code, timeoutMs, prepare) => {
    const { clock, heard, handshake, failure, worker } = createHandshake();
    worker.keepStderr('stuck');
    handshake.start();
    prepare(handshake);
    await clock.advance(timeoutMs - 1);
    expect(failure()).toBeUndefined();
    await clock.advance(1);
    expect(failure()).toMatchObject({ code });
    expect(failure()?.message).toContain('stuck');
    if (code === 'WORKER_LOAD_TIMEOUT') expect(failure()?.message).toContain("did not load 'b' within");
    await clock.advance(1_000_000);
    expect(heard.filter((line) => line === code)).toHaveLength(1);
  });

  test('I3: waiting for another worker to list the functions has no deadline of its own', async () => {
    const { clock, handshake, failure } = createHandshake();
    handshake.start();
    handshake.receive(initResponse());
    await clock.advance(3_600_000);
    expect(failure()).toBeUndefined();
    expect(handshake.phase).toBe('waiting');
  });

  test.each([
    ['WORKER_INIT_FAILED', initResponse({}, failureResult('entry boom'))],
    ['WORKER_INIT_FAILED', initResponse({}, undefined)],
  ] as const)('a worker that cannot start is %s', (code, response) => {
    const { handshake, failure } = createHandshake();
    handshake.start();
    if (response.$case === 'workerInitResponse' && response.value.result?.exception === undefined) {
      handshake.receive({ ...response, value: { ...response.value, result: undefined } });
      expect(failure()?.message).toContain('gave no reason');
    } else {
      handshake.receive(response);
      expect(failure()?.message).toContain('entry boom');
    }
    expect(failure()).toMatchObject({ code });
  });

  test('a worker that cannot index fails, unless it wants function.json to be read', () => {
    const failing = createHandshake();
    failing.handshake.start();
    failing.handshake.receive(initResponse());
    failing.handshake.ask();
    failing.handshake.receive(metadataResponse(failureResult('bad decorator')));
    expect(failing.failure()?.message).toContain('bad decorator');
    const falling = createHandshake();
    falling.handshake.start();
    falling.handshake.receive(initResponse());
    falling.handshake.ask();
    falling.handshake.receive(metadataResponse(undefined, true));
    expect(falling.heard.at(-1)).toBe('indexed 0');
  });

  test('I4: what the phase does not wait for changes nothing', () => {
    const { channel, heard, handshake } = createHandshake();
    handshake.start();
    expect(handshake.receive(metadataResponse())).toBe(false);
    expect(handshake.receive(loadResponse('a'))).toBe(false);
    expect(handshake.receive(initResponse())).toBe(true);
    expect(handshake.receive(initResponse({}, failureResult('again')))).toBe(false);
    expect(handshake.receive(metadataResponse())).toBe(false);
    expect(heard).toEqual(['initialized', 'join']);
    expect(channel.kinds).toEqual(['workerInitRequest']);
  });

  test('leaves the gate when it ends, whoever ends it', async () => {
    const { clock, heard, handshake } = createHandshake();
    handshake.start();
    handshake.stop();
    expect(heard).toEqual(['leave']);
    handshake.receive(initResponse());
    await clock.advance(1_000_000);
    expect(heard).toEqual(['leave']);
  });
});

describe('a worker that a sidecar brings', () => {
  const message: WorkerConnect = {
    ...WorkerConnect.decode(new Uint8Array()),
    workerId: 'w1',
    workerCapabilities: new Map([['WorkerStatus', 'true']]),
  };

  test('I5: is initialized at once, is asked nothing, and hears of success after its load requests', () => {
    const { channel, heard, handshake, worker } = createHandshake();
    handshake.startConnected(message);
    expect([heard, channel.sent, handshake.phase]).toEqual([['initialized', 'offered 0 false'], [], 'waiting']);
    expect(worker.capabilities.status).toBe(true);
    expect(handshake.awaitsAnswer).toBe(true);
    handshake.load(requests);
    expect(channel.sent.map(({ content }) => content?.$case)).toEqual([
      'functionLoadRequest',
      'functionLoadRequest',
      'workerConnectResponse',
    ]);
    expect(handshake.awaitsAnswer).toBe(false);
    handshake.receive(loadResponse('a'));
    handshake.receive(loadResponse('b'));
    expect([handshake.phase, heard.at(-1), channel.sent.length]).toEqual(['done', 'done', 3]);
  });

  test('I5: hears nothing of success when it fails before', () => {
    const { clock, channel, handshake, failure } = createHandshake();
    handshake.startConnected(message);
    handshake.fail(runtimeErrors.create('WORKER_INDEX_FAILED', { applicationId: 'sample', reason: 'x', stderr: '' }));
    handshake.load(requests);
    expect([channel.sent, failure()?.code, clock.pendingTimers]).toEqual([[], 'WORKER_INDEX_FAILED', 0]);
  });
});
