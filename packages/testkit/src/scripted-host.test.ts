import { createMemoryLinkPair, StreamingMessage } from '@switchyard/protocol';
import { describe, expect, it } from 'vitest';
import { ScriptedHost } from './scripted-host.ts';

function open() {
  const { opener: far, acceptor } = createMemoryLinkPair();
  const host = new ScriptedHost(acceptor);
  const asked: StreamingMessage[] = [];
  far.receive({ frame: (bytes) => asked.push(StreamingMessage.decode(bytes)) });
  const answer = (requestId: string, invocationId: string) =>
    far.send(
      StreamingMessage.encode({
        requestId,
        content: {
          $case: 'invocationResponse',
          value: {
            invocationId,
            outputData: [],
            result: undefined,
            returnValue: undefined,
            traceContextAttributes: new Map(),
          },
        },
      }).finish(),
    );
  return { host, far, asked, answer };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('ScriptedHost', () => {
  it('I1: matches answers to requests by their id', async () => {
    const { host, asked, answer } = open();
    const first = host.invoke({ invocationId: 'a' });
    const second = host.invoke({ invocationId: 'b' });
    await turn();
    const [one, two] = asked.map((message) => message.requestId);
    expect(one).not.toBe(two);
    answer(two ?? '', 'b');
    answer('nobody', 'x');
    answer(one ?? '', 'a');
    expect((await first).invocationId).toBe('a');
    expect((await second).invocationId).toBe('b');
    expect(host.strays).toHaveLength(1);
  });

  it('I2: rejects what is open when the link ends', async () => {
    const { host, far } = open();
    const asked = host.index();
    far.cancel({ code: 14, message: 'gone' });
    await expect(asked).rejects.toThrow('the link to the worker ended');
    await expect(host.workerId).rejects.toThrow('ended');
  });

  it('rejects an answer of another kind', async () => {
    const { host, asked, answer } = open();
    const indexed = host.index();
    await turn();
    answer(asked[0]?.requestId ?? '', 'a');
    await expect(indexed).rejects.toThrow('functionsMetadataRequest with invocationResponse');
  });
});
