import { RpcLog_Level, StreamingMessage } from '@switchyard/protocol';
import { describe, expect, it } from 'vitest';
import { emptyLog, Outbox } from './outbox.ts';
import { createLinkPair } from './testing/link-pair.ts';

function open(logLimit = 100) {
  const { near } = createLinkPair();
  const outbox = new Outbox(near, logLimit);
  const answer = (requestId: string) => outbox.send(requestId, { $case: 'workerStatusResponse', value: {} });
  const say = (message: string) => outbox.sendLog({ ...emptyLog(), message });
  const sent = () =>
    near.sent.map((bytes) => {
      const { requestId, content } = StreamingMessage.decode(bytes);
      return content?.$case === 'rpcLog' ? content.value.message : requestId;
    });
  return { near, answer, say, sent };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('Outbox', () => {
  it('I1: keeps the order of answers and log lines, also through congestion', async () => {
    const { near, answer, say, sent } = open();
    say('a');
    near.congest();
    answer('1');
    say('b');
    answer('2');
    expect(sent()).toEqual(['a', '1']);
    near.relieve();
    await turn();
    say('c');
    expect(sent()).toEqual(['a', '1', 'b', '2', 'c']);
  });

  it('I2: receives nothing while something waits', async () => {
    const { near, answer } = open();
    near.congest();
    answer('1');
    expect(near.isPaused).toBe(true);
    answer('2');
    near.relieve();
    near.congest();
    await turn();
    expect(near.isPaused).toBe(true);
    near.relieve();
    await turn();
    expect(near.isPaused).toBe(false);
  });

  it('I3: drops log lines above the limit, never answers, and tells how many', async () => {
    const { near, answer, say, sent } = open(2);
    near.congest();
    answer('1');
    for (const line of ['a', 'b', 'c', 'd']) say(line);
    answer('2');
    near.relieve();
    await turn();
    expect(sent().slice(0, 4)).toEqual(['1', 'a', 'b', '2']);
    expect(sent()[4]).toContain('2 log lines were dropped');
    const last = StreamingMessage.decode(near.sent.at(-1) ?? new Uint8Array());
    expect(last.content).toMatchObject({ value: { level: RpcLog_Level.Warning } });
  });

  it('drops everything quietly once the link is gone', async () => {
    const { near, answer, sent } = open();
    near.cancel({ code: 14, message: 'gone' });
    answer('1');
    answer('2');
    await turn();
    expect(sent()).toEqual([]);
  });
});
