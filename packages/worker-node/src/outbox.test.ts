import { createMemoryLinkPair, RpcLog_Level, StreamingMessage } from '@switchyard/protocol';
import { describe, expect, it } from 'vitest';
import { emptyLog, Outbox } from './outbox.ts';

/** A link that is congested as soon as anything waits, and a host that reads when the test lets it. */
function open(logLimit = 100) {
  const { opener, acceptor } = createMemoryLinkPair({ limits: { highWaterBytes: 1, lowWaterBytes: 0 } });
  const outbox = new Outbox(opener, logLimit);
  const received: StreamingMessage[] = [];
  const fromHost: Uint8Array[] = [];
  opener.receive({ frame: (bytes) => fromHost.push(bytes) });
  acceptor.receive({ frame: (bytes) => received.push(StreamingMessage.decode(bytes)) });
  const answer = (requestId: string) => outbox.send(requestId, { $case: 'workerStatusResponse', value: {} });
  const say = (message: string) => outbox.sendLog({ ...emptyLog(), message });
  const texts = () =>
    received.map(({ requestId, content }) => (content?.$case === 'rpcLog' ? content.value.message : requestId));
  return { opener, acceptor, answer, say, texts, received, fromHost };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('Outbox', () => {
  it('I1: keeps the order of answers and log lines, also through congestion', async () => {
    const { acceptor, answer, say, texts } = open();
    say('a');
    acceptor.pause();
    answer('1');
    say('b');
    answer('2');
    await turn();
    expect(texts()).toEqual([]);
    acceptor.resume();
    await turn();
    say('c');
    await turn();
    expect(texts()).toEqual(['a', '1', 'b', '2', 'c']);
  });

  it('I2: receives nothing while something waits', async () => {
    const { acceptor, answer, fromHost } = open();
    acceptor.pause();
    answer('1');
    answer('2');
    acceptor.send(Uint8Array.of(1));
    await turn();
    expect(fromHost).toEqual([]);
    acceptor.resume();
    await turn();
    expect(fromHost).toHaveLength(1);
  });

  it('I3: drops log lines above the limit, never answers, and tells how many', async () => {
    const { acceptor, answer, say, texts, received } = open(2);
    acceptor.pause();
    answer('1');
    for (const line of ['a', 'b', 'c', 'd']) say(line);
    answer('2');
    acceptor.resume();
    await turn();
    expect(texts().slice(0, 4)).toEqual(['1', 'a', 'b', '2']);
    expect(texts()[4]).toContain('2 log lines were dropped');
    expect(received[4]?.content).toMatchObject({ value: { level: RpcLog_Level.Warning } });
  });

  it('drops everything quietly once the link is gone', async () => {
    const { opener, acceptor, answer, texts } = open();
    acceptor.pause();
    answer('1');
    answer('2');
    opener.cancel({ code: 14, message: 'gone' });
    answer('3');
    await turn();
    expect(texts()).toEqual([]);
  });
});
