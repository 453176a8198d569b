import { createMemoryLinkPair, type MessageContent, StreamingMessage } from '@switchyard/protocol';
import { createMemoryLog, successResult, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { LocalWorker } from './local-worker.ts';

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

const initialized: MessageContent = {
  $case: 'workerInitResponse',
  value: { workerVersion: '1', capabilities: new Map(), result: successResult(), workerMetadata: undefined },
};

const log = (message: string): MessageContent => ({
  $case: 'rpcLog',
  value: {
    invocationId: '',
    category: '',
    level: 2,
    message,
    eventId: '',
    exception: undefined,
    properties: '',
    logCategory: 0,
    propertiesMap: new Map(),
  },
});

function open(heldFrames = 2) {
  const clock = new VirtualClock();
  const logged = createMemoryLog(clock);
  const { opener, acceptor } = createMemoryLinkPair();
  const worker = new LocalWorker({ clock, log: logged }, acceptor, { workerId: 'w1', heldFrames });
  const sent: StreamingMessage[] = [];
  opener.receive({ frame: (bytes) => sent.push(StreamingMessage.decode(bytes)) });
  const say = (content: MessageContent, requestId = ''): void => {
    opener.send(StreamingMessage.encode({ requestId, content }).finish());
  };
  const introduce = async (): Promise<void> => {
    say({ $case: 'startStream', value: { workerId: 'w1', properties: new Map() } });
    await worker.introduce(1_000);
  };
  return { clock, logged, worker, opener, sent, say, introduce };
}

describe('LocalWorker', () => {
  it('I1: an answer goes to the question that waits for its kind, whatever its request id', async () => {
    const { clock, worker, say, introduce } = open();
    await introduce();
    say({ $case: 'workerWarmupResponse', value: { result: successResult() } });
    await clock.settle();
    const asked = worker.ask(init, 'workerInitResponse', 1_000);
    say(initialized, 'an id of its own');
    expect(await asked).toEqual(initialized.value);
    say(initialized);
    await clock.settle();
    expect([worker.isConnected, clock.pendingTimers]).toEqual([true, 0]);
  });

  it('I2: a question has a deadline', async () => {
    const { clock, worker, introduce } = open();
    await introduce();
    const asked = worker.ask(init, 'workerInitResponse', 1_000);
    const failed = expect(asked).rejects.toThrow('no workerInitResponse within 1000 ms');
    await clock.advance(1_000);
    await failed;
  });

  it('I2: a question ends with the link, and so does one that comes later', async () => {
    const { worker, opener, introduce } = open();
    await introduce();
    const asked = worker.ask(init, 'workerInitResponse', 1_000);
    opener.cancel({ code: 14, message: 'gone' });
    await expect(asked).rejects.toMatchObject({ code: 'SIDECAR_WORKER_LOST' });
    await expect(worker.ask(init, 'workerInitResponse', 1_000)).rejects.toMatchObject({ code: 'SIDECAR_WORKER_LOST' });
    expect(await worker.ended).not.toBe('');
  });

  it('I2: a worker that ends its direction has ended', async () => {
    const { worker, opener, introduce } = open();
    await introduce();
    opener.end();
    expect(await worker.ended).toBe('it ended its stream');
  });

  it('I3: heartbeats are dropped and status requests answered', async () => {
    const { clock, sent, say, introduce } = open();
    await introduce();
    say({ $case: 'workerHeartbeat', value: {} });
    say({ $case: 'workerStatusRequest', value: {} }, 's1');
    await clock.settle();
    expect(sent).toMatchObject([{ requestId: 's1', content: { $case: 'workerStatusResponse' } }]);
  });

  it('I4: log lines wait for the Runtime, in order and in limited number', async () => {
    const { clock, worker, logged, say, introduce } = open(2);
    await introduce();
    say(log('of the placeholder'));
    await clock.settle();
    worker.hold();
    for (const text of ['a', 'b', 'c']) say(log(text));
    await clock.settle();
    const relayed: string[] = [];
    worker.relayTo((bytes, kind) => {
      const { content } = StreamingMessage.decode(bytes);
      relayed.push(`${kind} ${content?.$case === 'rpcLog' ? content.value.message : ''}`);
    });
    say(log('d'));
    await clock.settle();
    expect(relayed).toEqual(['rpcLog a', 'rpcLog b', 'rpcLog d']);
    expect(worker.dropped).toBe(1);
    expect(logged.withMessage('A placeholder logged.')).toHaveLength(1);
  });

  it('I5: a question of the relay is answered here, while everything else goes on', async () => {
    const { clock, worker, say, introduce } = open();
    await introduce();
    const relayed: string[] = [];
    worker.relayTo((_bytes, kind) => relayed.push(kind ?? ''));
    worker.hold();
    const asked = worker.ask(init, 'workerInitResponse', 1_000);
    for (const content of [log('a'), { $case: 'workerStatusResponse', value: {} } as const, initialized]) say(content);
    expect(await asked).toEqual(initialized.value);
    expect(relayed).toEqual(['workerStatusResponse']);
    worker.release();
    const again = worker.ask(init, 'workerInitResponse', 1_000);
    for (const content of [log('b'), initialized, initialized]) say(content);
    await again;
    await clock.settle();
    expect(relayed).toEqual(['workerStatusResponse', 'rpcLog', 'rpcLog', 'workerInitResponse']);
  });

  it('what it cannot read ends the link', async () => {
    const { opener, introduce } = open();
    await introduce();
    // rpcLog (field 2) with a message that reaches beyond its end.
    opener.send(new Uint8Array([0x12, 0x02, 0x0a, 0x7f]));
    expect((await opener.closed).code).toBe(3);
  });
});
