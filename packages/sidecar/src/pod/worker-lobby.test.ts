import { createMemoryLinkPair, type Link, StreamingMessage } from '@switchyard/protocol';
import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { WorkerLobby } from './worker-lobby.ts';

function startStream(workerId: string): Uint8Array {
  const value = { workerId, properties: new Map<string, string>() };
  return StreamingMessage.encode({ requestId: '', content: { $case: 'startStream', value } }).finish();
}

function open() {
  const clock = new VirtualClock();
  const lobby = new WorkerLobby(clock, { introductionMs: 1_000 });
  const dial = (metadata = new Map<string, string>()): Link => {
    const { opener, acceptor } = createMemoryLinkPair({ metadata });
    lobby.accept(acceptor);
    return opener;
  };
  return { clock, lobby, dial };
}

describe('WorkerLobby', () => {
  it('I1: hands a worker over with its first frame, and passes on everything after it', async () => {
    const { clock, lobby, dial } = open();
    const heard: string[] = [];
    let taken: Link | undefined;
    lobby.expect('w1', (link) => {
      taken = link;
      link.receive({
        frame: (bytes) => heard.push(StreamingMessage.decode(bytes).content?.$case ?? 'nothing'),
        end: () => heard.push('end'),
      });
    });
    const link = dial();
    link.send(startStream('w1'));
    link.send(StreamingMessage.encode({ requestId: '', content: { $case: 'workerHeartbeat', value: {} } }).finish());
    link.end();
    await clock.settle();
    expect(heard).toEqual(['startStream', 'workerHeartbeat', 'end']);
    const answers: Uint8Array[] = [];
    link.receive({ frame: (bytes) => answers.push(bytes) });
    taken?.send(new Uint8Array([1]));
    taken?.end();
    expect((await link.closed).code).toBe(0);
    expect([answers.length, taken?.bufferedBytes, taken?.metadata.size, clock.pendingTimers]).toEqual([1, 0, 0, 0]);
  });

  it('I1: refuses a second stream of the same worker', async () => {
    const { lobby, dial } = open();
    lobby.expect('w1', (link) => link.receive({ frame: () => {} }));
    dial().send(startStream('w1'));
    const second = dial();
    second.send(startStream('w1'));
    expect(await second.closed).toMatchObject({ code: 5, message: expect.stringContaining("'w1'") });
  });

  it.each([
    ['nobody expects', startStream('w2'), 5],
    ['begins otherwise', StreamingMessage.encode({ requestId: '', content: undefined }).finish(), 3],
    ['is no message', new Uint8Array([0x0a, 0xff]), 3],
  ])('I2: ends a stream that %s', async (_what, first, code) => {
    const { lobby, dial } = open();
    lobby.expect('w1', () => {});
    const link = dial();
    link.send(first);
    expect((await link.closed).code).toBe(code);
  });

  it('I2: waits no more for a worker that was given up', async () => {
    const { lobby, dial } = open();
    lobby.expect('w1', () => {})();
    const link = dial();
    link.send(startStream('w1'));
    expect((await link.closed).code).toBe(5);
  });

  it('I3: ends a stream that says nothing, or ends at once', async () => {
    const { clock, dial } = open();
    const silent = dial();
    await clock.advance(1_000);
    expect((await silent.closed).code).toBe(4);
    const short = dial();
    short.end();
    expect((await short.closed).code).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('I4: refuses who is not known, and still takes the worker', async () => {
    const { clock, lobby, dial } = open();
    const taken: Link[] = [];
    lobby.expect(
      'w1',
      (link) => void taken.push(link),
      ({ metadata }) => metadata.get('switchyard-worker-key') === 'k1',
    );
    for (const metadata of [new Map(), new Map([['switchyard-worker-key', 'k2']])]) {
      const thief = dial(metadata);
      thief.send(startStream('w1'));
      expect(await thief.closed).toMatchObject({ code: 16, message: expect.stringContaining("'w1'") });
    }
    expect(taken).toEqual([]);
    dial(new Map([['switchyard-worker-key', 'k1']])).send(startStream('w1'));
    await clock.settle();
    expect(taken.length).toBe(1);
  });
});
