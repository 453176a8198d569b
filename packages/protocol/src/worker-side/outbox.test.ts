import { describe, expect, test } from 'vitest';
import { RpcLog_Level } from '../gen/function-rpc.ts';
import { emptyLog, Outbox } from './outbox.ts';
import { ScriptedLink } from './testing/scripted-link.ts';

function open(logLimit = 100): {
  readonly link: ScriptedLink;
  readonly answer: (requestId: string) => void;
  readonly say: (message: string) => void;
  readonly sent: () => string[];
} {
  const link = new ScriptedLink();
  const outbox = new Outbox(link, logLimit);
  return {
    link,
    answer: (requestId) => outbox.send(requestId, { $case: 'workerStatusResponse', value: {} }),
    say: (message) => outbox.sendLog({ ...emptyLog(), message }),
    sent: () =>
      link.sent.map(({ requestId, content }) => (content?.$case === 'rpcLog' ? content.value.message : requestId)),
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Outbox', () => {
  test('I1: answers and log lines keep their order, also through congestion', async () => {
    const { link, answer, say, sent } = open();
    say('a');
    link.congest();
    answer('1');
    say('b');
    answer('2');
    expect(sent()).toEqual(['a', '1']);
    link.relieve();
    await turn();
    say('c');
    expect(sent()).toEqual(['a', '1', 'b', '2', 'c']);
  });

  test('I2: nothing is received while something waits', async () => {
    const { link, answer } = open();
    link.congest();
    answer('1');
    expect(link.isPaused).toBe(true);
    answer('2');
    link.relieve();
    link.congest();
    await turn();
    expect(link.isPaused).toBe(true);
    link.relieve();
    await turn();
    expect(link.isPaused).toBe(false);
  });

  test('I2: a link that is full again after the last frame stays paused', async () => {
    const { link, answer, sent } = open();
    link.congest();
    answer('1');
    answer('2');
    link.relieve();
    link.congest();
    await turn();
    expect(sent()).toEqual(['1', '2']);
    expect(link.isPaused).toBe(true);
    link.relieve();
    await turn();
    expect(link.isPaused).toBe(false);
  });

  test('I3: log lines beyond the limit are dropped, answers never, and it is told how many', async () => {
    const { link, answer, say, sent } = open(2);
    link.congest();
    answer('1');
    for (const line of ['a', 'b', 'c', 'd']) say(line);
    answer('2');
    link.relieve();
    await turn();
    expect(sent().slice(0, 4)).toEqual(['1', 'a', 'b', '2']);
    expect(sent()[4]).toContain('2 log lines were dropped');
    expect(link.sent.at(-1)?.content).toMatchObject({ value: { level: RpcLog_Level.Warning } });
  });

  test('everything is dropped quietly once the link is gone', async () => {
    const { link, answer, sent } = open();
    link.cancel({ code: 14, message: 'gone' });
    answer('1');
    answer('2');
    await turn();
    expect(sent()).toEqual([]);
  });
});
