import { createDeferred } from '@switchyard/kernel';
import { type Link, type LinkEnd, type LinkReceiver, StreamingMessage } from '@switchyard/protocol';
import { describe, expect, it } from 'vitest';
import { invocationSuccess } from './fake-functions.ts';
import { createFakeWorker, type FakeWorkerOptions, type MessageContent } from './fake-worker.ts';

/** The host's end of a link that the test holds in its hand. */
function connect(options: Partial<FakeWorkerOptions> = {}) {
  const sent: StreamingMessage[] = [];
  const end = createDeferred<LinkEnd>();
  const receivers: LinkReceiver[] = [];
  const link: Link = {
    peer: 'test',
    metadata: new Map(),
    bufferedBytes: 0,
    closed: end.promise,
    send: (frame) => sent.push(StreamingMessage.decode(frame)) > 0,
    drained: async () => {},
    receive: (receiver) => void receivers.push(receiver),
    pause: () => {},
    resume: () => {},
    end: () => end.resolve({ code: 0, message: '', origin: 'local' }),
    cancel: (status) => end.resolve({ ...status, origin: 'local' }),
  };
  const worker = createFakeWorker(link, { workerId: 'w1', ...options });
  const ask = async (content: MessageContent, requestId = 'r1'): Promise<StreamingMessage | undefined> => {
    const before = sent.length;
    receivers[0]?.frame(StreamingMessage.encode({ requestId, content }).finish());
    await new Promise((resolve) => setImmediate(resolve));
    return sent[before];
  };
  return { worker, sent, ask, closed: end.promise };
}

const init: MessageContent = {
  $case: 'workerInitRequest',
  value: {
    hostVersion: '4',
    capabilities: new Map(),
    logCategories: new Map(),
    workerDirectory: '',
    functionAppDirectory: '',
  },
};

function invocation(invocationId: string): MessageContent {
  return {
    $case: 'invocationRequest',
    value: {
      invocationId,
      functionId: 'Hello',
      inputData: [],
      triggerMetadata: new Map(),
      traceContext: undefined,
      retryContext: undefined,
    },
  };
}

describe('createFakeWorker', () => {
  it('I1: sends StartStream first', () => {
    const { sent } = connect({ workerId: 'w7' });
    expect(sent.map(({ content }) => content)).toEqual([
      { $case: 'startStream', value: { workerId: 'w7', properties: new Map() } },
    ]);
  });

  it('I2: keeps what arrives, in order, and hands out the first of a kind', async () => {
    const { worker, ask } = connect();
    const first = worker.first('invocationRequest');
    await ask(init);
    await ask(invocation('i1'));
    await ask(invocation('i2'));
    expect(worker.received.map(({ content }) => content?.$case)).toEqual([
      'workerInitRequest',
      'invocationRequest',
      'invocationRequest',
    ]);
    expect((await first).invocationId).toBe('i1');
    expect((await worker.first('invocationRequest')).invocationId).toBe('i1');
    expect(worker.bodies('invocationRequest').map(({ invocationId }) => invocationId)).toEqual(['i1', 'i2']);
  });

  it('I3: answers once under the id of the request, or under the fixed one', async () => {
    const { ask, sent } = connect();
    const answer = await ask(init, 'r9');
    expect(answer?.requestId).toBe('r9');
    expect(answer?.content?.$case).toBe('workerInitResponse');
    expect(sent).toHaveLength(2);
    expect((await connect({ requestId: 'fixed' }).ask(init, 'r9'))?.requestId).toBe('fixed');
  });

  it('lists its functions and loads them', async () => {
    const { ask } = connect({ functions: [{ name: 'Hello' }, { name: 'Other', functionId: 'f2' }] });
    const listed = await ask({ $case: 'functionsMetadataRequest', value: { functionAppDirectory: '' } });
    const functions = listed?.content?.$case === 'functionMetadataResponse' ? listed.content.value : undefined;
    expect(functions?.functionMetadataResults.map(({ name, functionId }) => [name, functionId])).toEqual([
      ['Hello', 'Hello'],
      ['Other', 'f2'],
    ]);
    expect(functions?.functionMetadataResults[0]?.rawBindings.map((raw) => JSON.parse(raw).type)).toEqual([
      'httpTrigger',
      'http',
    ]);
    const loaded = await ask({
      $case: 'functionLoadRequest',
      value: { functionId: 'f2', metadata: undefined, managedDependencyEnabled: false },
    });
    expect(loaded?.content).toMatchObject({ value: { functionId: 'f2', result: { status: 1 } } });
  });

  it('runs invocations as the test says; a throw is a Failure', async () => {
    const { ask } = connect({
      onInvocation: (request) => {
        if (request.invocationId === 'bad') throw new Error('boom');
        return invocationSuccess({ returnValue: { data: { $case: 'string', value: 'hi' } } });
      },
    });
    expect((await ask(invocation('good')))?.content).toMatchObject({
      value: { invocationId: 'good', result: { status: 1 }, returnValue: { data: { value: 'hi' } } },
    });
    expect((await ask(invocation('bad')))?.content).toMatchObject({
      value: { invocationId: 'bad', result: { status: 0, exception: { message: 'boom' } } },
    });
  });

  it('stays silent where the script says so, and ends the link when the script fails', async () => {
    const { ask, closed } = connect({
      script: {
        workerInitRequest: () => undefined,
        workerStatusRequest: () => {
          throw new Error('script error');
        },
      },
    });
    expect(await ask(init)).toBeUndefined();
    await ask({ $case: 'workerStatusRequest', value: {} });
    expect((await closed).message).toContain('script error');
  });

  it('logs, ends on WorkerTerminate, and crashes on demand', async () => {
    const { worker, sent, ask, closed } = connect();
    worker.log({ message: 'hello', invocationId: 'i1' });
    expect(sent[1]?.content).toMatchObject({ $case: 'rpcLog', value: { message: 'hello', invocationId: 'i1' } });
    await ask({ $case: 'workerTerminate', value: { gracePeriod: undefined } });
    expect((await closed).code).toBe(0);
    const crashing = connect();
    crashing.worker.crash();
    expect((await crashing.closed).code).toBe(14);
  });
});
